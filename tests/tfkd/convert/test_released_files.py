"""The C files beside every released model are what `tfkd convert` writes for it."""

import shutil

import pytest

from tfkd.c_denoiser import c_sources
from tfkd.convert.run import write_c_files
from tfkd.released import released_folders


@pytest.mark.parametrize("name", sorted(released_folders()))
def test_released_c_files_are_regenerated_identically(name, tmp_path):
    folder = released_folders()[name]
    shutil.copy(folder / "model.tflite", tmp_path)
    write_c_files(tmp_path)
    for file in ("model_data.cc", "model_data.h", "model_ops.h", "memory.json"):
        assert (tmp_path / file).read_bytes() == (folder / file).read_bytes(), file


@pytest.mark.parametrize("name", sorted(released_folders()))
def test_released_c_code_is_regenerated_identically(name):
    folder = released_folders()[name]
    written = {path.name: path.read_text("utf-8") for path in (folder / "c").iterdir()}
    assert written == c_sources(folder / "model.tflite").files, (
        f"run: tfkd convert --tflite-micro {name} --emit-c -o tflite/{name}/c"
    )


@pytest.mark.parametrize(
    ("name", "limit_bytes"), [("micro", 40_000), ("tiny", 100_000), ("small", 200_000)]
)
def test_released_models_keep_their_size(name, limit_bytes):
    content = (released_folders()[name] / "model.tflite").read_bytes()
    assert len(content) <= limit_bytes
