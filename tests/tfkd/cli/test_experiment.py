"""The smallest study: two methods, one mismatch, one seed, from files to tables."""

import json

import pytest
from conftest import SMALL_MODEL

from tfkd.config_file import dump_config, load_config

pytestmark = pytest.mark.slow


def test_a_whole_study_then_resumed(tmp_path, small_corpus, pair_folders, run_tfkd):
    short = ["train.steps=2", "train.epoch_steps=2", "train.batch=2", "data.valid_examples=1"]
    short += ["data.segment_s=0.5", "quantize.steps=0", "quantize.calibration_batches=2"]
    short += [f"data.speech={small_corpus[1]}", f"data.noise={small_corpus[3]}"]
    (tmp_path / "small.toml").write_text(
        dump_config(load_config("micro", settings=[*SMALL_MODEL, *short]))
    )
    (tmp_path / "thin.toml").write_text("[model]\nlatent = 4\n")
    study = tmp_path / "study.toml"
    study.write_text(
        f'student = "micro"\nconfig = ["{tmp_path}/small.toml"]\n'
        f'methods = ["none", "cosine"]\nscenarios = ["{tmp_path}/thin.toml"]\nseeds = [3]\n'
        f'noisy = "{pair_folders[0]}"\nclean = "{pair_folders[1]}"\nlimit = 1\n'
    )
    done = run_tfkd("experiment", study, "-o", tmp_path / "out", "--jobs", 1)
    logs = "".join(path.read_text() for path in tmp_path.rglob("cell.log"))
    assert done.exit_code == 0, done.output + logs
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    assert result["schema"] == 1 and result["failed"] == []
    assert [(c["scenario"], c["method"], c["seed"]) for c in result["cells"]] == [
        ("thin", "none", 3),
        ("thin", "cosine", 3),
    ]
    metrics = {"pesq_wb", "stoi", "estoi", "si_sdr"}
    for cell in result["cells"]:
        assert metrics <= cell.keys() and metrics == cell["int8"].keys()
        # pystoi adds random numbers of the size of machine epsilon to what ESTOI compares
        assert cell["noisy"] == pytest.approx(result["cells"][0]["noisy"])
    assert "| thin | cosine | int8 | 1 |" in (tmp_path / "out" / "study.md").read_text()

    cells = sorted(tmp_path.rglob("cell.json"))
    written = [path.stat().st_mtime_ns for path in cells]
    refused = run_tfkd("experiment", study, "-o", tmp_path / "out")
    assert refused.exit_code == 1 and "--resume" in refused.output
    again = run_tfkd("experiment", study, "-o", tmp_path / "out", "--resume")
    assert again.exit_code == 0
    assert [path.stat().st_mtime_ns for path in cells] == written
    assert json.loads((tmp_path / "out" / "study.json").read_text()) == result
