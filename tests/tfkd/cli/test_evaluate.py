import json

import pytest
from compiled_c import needs_compiler


def test_table_on_stderr_and_one_object_on_stdout(run_tfkd, gate, pair_folders):
    noisy, clean = pair_folders
    result = run_tfkd(
        *("evaluate", gate, "--noisy", noisy, "--clean", clean, "--jobs", 1, "--files"),
        *("--system", "int8-firmware-ref", "--limit", 3),
    )
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.evaluate/1"
    assert report["pairs"] == 3
    assert list(report["systems"]) == ["noisy", "int8-firmware-ref"]
    assert list(report["systems"]["noisy"]) == ["-5", "10", "all"]
    scores = [file["int8-firmware-ref"]["si_sdr"] for file in report["files"]]
    summary = report["systems"]["int8-firmware-ref"]["all"]["si_sdr"]
    assert summary["mean"] == pytest.approx(sum(scores) / 3, rel=1e-12)
    assert report["systems"]["noisy"]["10"]["si_sdr"]["half_width"] is None  # of one value
    difference = report["differences"]["int8-firmware-ref - noisy"]["si_sdr"]
    before = report["systems"]["noisy"]["all"]["si_sdr"]
    assert abs(difference["mean"] - (summary["mean"] - before["mean"])) < 1e-9
    for text in ("SNR dB", "pesq_wb", "int8-firmware-ref", "paired difference"):
        assert text in result.stderr
    assert "nan" not in result.stderr


def test_nothing_removed_scores_as_the_noisy_input(run_tfkd, gate, pair_folders):
    noisy, clean = pair_folders
    result = run_tfkd(
        *("evaluate", gate, "--noisy", noisy, "--clean", clean, "--jobs", 1, "--limit", 1),
        *("--system", "int8-firmware-ref", "--max-attenuation", 0),
    )
    report = json.loads(result.stdout)
    assert report["max_attenuation_db"] == 0
    untouched, limited = (system["all"] for system in report["systems"].values())
    assert limited["si_sdr"]["mean"] == pytest.approx(untouched["si_sdr"]["mean"], abs=1e-3)


def test_recordings_of_another_denoiser(run_tfkd, gate, pair_folders):
    noisy, clean = pair_folders
    arguments = ("evaluate", gate, "--noisy", noisy, "--clean", clean, "--jobs", 1, "--limit", 2)
    only = ("--system", "int8-firmware-ref")
    result = run_tfkd(*arguments, *only, "--other", f"ideal={clean}", "--other", f"idle={noisy}")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert list(report["systems"]) == ["noisy", "int8-firmware-ref", "ideal", "idle"]
    assert report["systems"]["ideal"]["all"]["pesq_wb"]["mean"] > 4.6
    assert report["systems"]["idle"] == report["systems"]["noisy"]
    assert report["differences"]["ideal - noisy"]["estoi"]["mean"] > 0
    for other, message in (
        (clean, "takes LABEL=DIR"),
        (f"int8={clean}", "label 'int8' is taken"),
        (f"noisy={clean}", "label 'noisy' is taken"),
    ):
        result = run_tfkd(*arguments, *only, "--other", other)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
    result = run_tfkd(*arguments, *only, "--other", f"a={clean}", "--other", f"a={noisy}")
    assert result.exit_code == 2


def test_mistakes(run_tfkd, gate, pair_folders, tmp_path):
    noisy, clean = pair_folders
    assert run_tfkd("evaluate", gate, "--noisy", noisy).exit_code == 2
    result = run_tfkd("evaluate", gate, "--noisy", tmp_path / "none", "--clean", clean)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no such folder" in result.stderr
    (clean / "a_snrm05_1.wav").unlink()
    result = run_tfkd("evaluate", gate, "--noisy", noisy, "--clean", clean)
    assert result.exit_code == 1
    assert "no clean partner" in result.stderr
    result = run_tfkd("evaluate", tmp_path, "--noisy", noisy, "--clean", noisy)
    assert result.exit_code == 1
    assert "holds no model.tflite" in result.stderr


@needs_compiler
def test_exported_code_is_a_system(run_tfkd, gate, pair_folders):
    noisy, clean = pair_folders
    result = run_tfkd(
        *("evaluate", gate, "--noisy", noisy, "--clean", clean, "--jobs", 1, "--limit", 1),
        *("--system", "int8-firmware-ref", "--system", "int8-c"),
    )
    systems = json.loads(result.stdout)["systems"]
    assert systems["int8-c"] == systems["int8-firmware-ref"] != systems["noisy"]
