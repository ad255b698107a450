import json

import pytest
from small_run import small_run


def test_a_page_about_a_model(run_tfkd, gate, pair_folders, tmp_path):
    noisy, clean = pair_folders
    page = tmp_path / "new" / "gate.html"
    result = run_tfkd(
        *("report", gate, "-o", page, "--noisy", noisy, "--clean", clean, "--jobs", 1),
        *("--limit", 3, "--target", "nano33ble"),
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{page}\n"
    text = page.read_text()
    assert "nano33ble" in text
    assert f"tfkd report {gate} -o {page} --noisy {noisy}" in text
    assert "--limit 3" in text
    assert [path.name for path in page.parent.iterdir()] == ["gate.html"]


@pytest.mark.slow
def test_a_page_about_a_run_has_every_part(run_tfkd, pair_folders, tmp_path):
    noisy, clean = pair_folders
    run = small_run(tmp_path / "runs")
    page = tmp_path / "run.html"
    result = run_tfkd(
        *("report", run.path, "-o", page, "--noisy", noisy, "--clean", clean, "--jobs", 1),
        *("--limit", 2, "--json"),
    )
    assert result.exit_code == 0, result.stderr
    assert "is not converted; its int8 model was made for this page alone" in result.stderr
    summary = json.loads(result.stdout)
    assert summary["schema"] == "tfkd.report/1"
    assert summary["bytes"] == page.stat().st_size
    assert list(summary["systems"]) == ["noisy", "float", "int8"]
    assert summary["examples"] == ["a_snrm05_1", "b_snrm05_2"]
    assert summary["target"] is summary["fits"] is None
    text = page.read_text()
    for part in (
        "Supervised loss",
        "latent_depthwise",
        "int8 \N{MINUS SIGN} float",
        "channels = [",
    ):
        assert part in text
    assert not (run.path / "model.tflite").exists()
    run.qat_weights.unlink()  # as before the second phase has begun
    result = run_tfkd(
        *("report", run.path, "-o", page, "--noisy", noisy, "--clean", clean, "--jobs", 1),
        *("--limit", 1, "--json"),
    )
    assert result.exit_code == 0, result.stderr
    assert list(json.loads(result.stdout)["systems"]) == ["noisy", "float"]
    assert "There is no int8 model yet, and so no arena." in page.read_text()


def test_mistakes(run_tfkd, gate, pair_folders, tmp_path):
    noisy, clean = pair_folders
    page = tmp_path / "page.html"
    pairs = ("--noisy", noisy, "--clean", clean)
    (tmp_path / "folder.html").mkdir()
    assert run_tfkd("report", gate, "-o", page, "--noisy", noisy).exit_code == 2
    assert run_tfkd("report", gate).exit_code == 2
    chip = run_tfkd("report", gate, "-o", page, *pairs, "--target", "nano33")
    assert chip.exit_code == 2 and "Did you mean nano33ble" in chip.stderr
    for arguments, message in (
        (("report", gate, "-o", tmp_path / "page.pdf", *pairs), "a name that ends in .html"),
        (("report", gate, "-o", tmp_path / "folder.html", *pairs), "is a folder"),
        (("report", gate, "-o", noisy / "a_snrm05_1.flac" / "page.html", *pairs), "a_snrm05_1"),
        (("report", "tinny", "-o", page, *pairs), "Did you mean 'tiny'"),
        (("report", tmp_path, "-o", page, *pairs), "holds no model.tflite"),
        (("report", gate, "-o", page, "--noisy", tmp_path / "x", "--clean", clean), "no such"),
    ):
        result = run_tfkd(*arguments)
        assert (result.exit_code, result.stdout) == (1, ""), arguments
        assert message in result.stderr
    assert not page.exists()
