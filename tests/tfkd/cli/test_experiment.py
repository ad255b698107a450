"""A study killed, resumed and finished; what the command refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import SMALL_MODEL
from small_run import small_teacher

from tfkd.experiment.study import dump_study, read_study, with_pairs

METRICS = {"pesq_wb", "stoi", "estoi", "si_sdr"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_study_survives_a_kill(tmp_path, monkeypatch, run_tfkd, small_corpus, pair_folders):
    """The built-in one with the smallest models and one seed; the README's test runs it whole."""
    monkeypatch.chdir(tmp_path)
    teacher = small_teacher(tmp_path / "teachers").path
    settings = [*SMALL_MODEL, "quantize.steps=0", f"distill.teacher={teacher}"]
    plan = with_pairs(read_study("smallest", settings), *map(str, pair_folders))
    Path("short.toml").write_text(dump_study(plan.model_copy(update={"seeds": (0,)})))
    command = [sys.executable, "-m", "tfkd", "experiment", "short.toml", "--jobs", "2"]
    command += small_corpus
    process = subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE)
    folder = tmp_path / "studies" / "short"
    deadline = time.monotonic() + 900
    try:
        while not list(folder.glob("cells/*/*/*/checkpoints/float/ckpt-1.index")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline, "no cell has come to its first checkpoint"
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finished = {path: path.stat().st_mtime_ns for path in folder.rglob("cell.json")}
    assert len([path for path in finished if "tuning" in path.parts]) == 2

    refused = run_tfkd("experiment", "short.toml")
    assert refused.exit_code == 1 and "--resume studies/short" in refused.output
    done = run_tfkd("experiment", "--resume", "studies/short", "--jobs", "2")
    logs = "".join(path.read_text() for path in tmp_path.rglob("cell.log"))
    assert done.exit_code == 0, done.output + logs
    assert done.stdout == "studies/short/study.json\n"
    assert all(path.stat().st_mtime_ns == written for path, written in finished.items())
    assert "[4/4] cells/width/" in done.stderr and "done; 0 s left" in done.stderr

    result = json.loads((folder / "study.json").read_text())
    assert result["schema"] == 1 and result["failed"] == []
    assert result["weights"]["cosine"] in (0.1, 1.0)
    assert [(c["scenario"], c["seed"], c["method"]) for c in result["cells"]] == [
        ("width", 0, method) for method in ("none", "cosine")
    ]
    for cell in result["cells"]:
        assert cell.keys() >= METRICS and cell["int8"].keys() == METRICS
        assert cell["history"]["step"] == [20, 40]  # of both, whoever was killed
        # pystoi adds random numbers of the size of machine epsilon to what ESTOI compares
        assert cell["noisy"] == pytest.approx(result["cells"][0]["noisy"])
        assert all(cell[metric] != cell["noisy"][metric] for metric in METRICS)
    cosine = [c["history"].get("latent_cosine") for c in result["cells"]]
    assert cosine[0] is None and cosine[1][-1] > 0
    text = (folder / "study.md").read_text()
    assert "2 methods x 1 scenario x 1 seed: 2 of 2 cells finished." in text
    assert (folder / "latent_cosine.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ([], 2, "give either a STUDY or --resume DIR"),
        (["smallest", "--resume", "x"], 2, "give either a STUDY or --resume DIR"),
        (["--resume", "x", "--speech", "y"], 2, "drop the rest"),
        (["--resume", "x"], 1, "x/study.toml: cannot be read"),
        (["smallst"], 1, "Did you mean 'smallest'?"),
        (["smallest", "--noisy", "x"], 1, "test pairs are two folders"),
        (["smallest", "--set", "train.stepz=3"], 1, "Did you mean 'train.steps'?"),
        (["wrong.toml"], 1, "unknown distillation method 'cosin'"),
        (["alone.toml"], 1, "Expected distill.weight below 1"),
    ],
)
def test_what_it_refuses(tmp_path, monkeypatch, run_tfkd, arguments, exit_code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.toml").write_text('methods = ["none", "cosin"]\n')
    (tmp_path / "alone.toml").write_text('methods = ["output"]\n')
    refused = run_tfkd("experiment", *arguments)
    assert refused.exit_code == exit_code and message in refused.output
    assert not (tmp_path / "studies").exists()


def test_paths_become_part_of_the_plan(tmp_path, monkeypatch, run_tfkd):
    monkeypatch.chdir(tmp_path)
    from tfkd.cli import experiment

    plans = []
    monkeypatch.setattr(experiment, "_run", lambda plan, folder, runner: plans.append(plan))
    data = ["--speech", "my speech", "--noise", "n", "--noisy", "a", "--clean", "b"]
    assert run_tfkd("experiment", "smallest", *data, "-o", "out").exit_code == 0
    assert run_tfkd("experiment", "--resume", "out").exit_code == 0
    assert plans[0] == plans[1]
    assert plans[0].settings == ('data.speech="my speech"', 'data.noise="n"')
    assert (plans[0].test.noisy, plans[0].test.clean, plans[0].test.limit) == ("a", "b", 4)
