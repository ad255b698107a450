"""A study killed, resumed and finished; what the command refuses."""

import hashlib
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

from tfkd.experiment.lock import sole_user
from tfkd.experiment.study import dump_study, read_study, with_pairs

METRICS = {"pesq_wb", "stoi", "estoi", "si_sdr"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_study_survives_a_kill(tmp_path, monkeypatch, run_tfkd, small_corpus, pair_folders):
    """The built-in one with the smallest models, no mismatch and one seed."""
    monkeypatch.chdir(tmp_path)
    teacher = small_teacher(tmp_path / "teachers").path
    settings = [*SMALL_MODEL, "quantize.steps=0", f"distill.teacher={teacher}"]
    shorter = {"scenarios": ("base",), "seeds": (0,)}
    plan = with_pairs(read_study("smallest", settings), *map(str, pair_folders))
    Path("short.toml").write_text(dump_study(plan.model_copy(update=shorter)))
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
    assert "[4/4] cells/base/" in done.stderr and "done; 0 s left" in done.stderr

    result = json.loads((folder / "study.json").read_text())
    assert result["schema"] == 1 and result["failed"] == []
    assert result["weights"]["cosine"] in (0.1, 1.0)
    weights = (teacher / "float.weights.h5").read_bytes()
    assert result["made_with"]["teacher_sha256"] == hashlib.sha256(weights).hexdigest()
    assert result["made_with"]["plan"]["methods"] == ["none", "cosine"]
    assert "tensorflow" in result["made_with"]["environment"]["packages"]
    assert [(c["scenario"], c["seed"], c["method"]) for c in result["cells"]] == [
        ("base", 0, method) for method in ("none", "cosine")
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
        (["untested.toml"], 1, "no/noisy: "),
        (["smallest", "--set", "train.patience=2"], 1, "Expected train.patience=0. Received: 2"),
        (
            [
                "smallest",
                *("--set", "model.frontend.hop=128", "--set", "model.frontend.window=256"),
            ],
            1,
            "Received: student 16000/256/128, teacher 16000/512/256",
        ),
    ],
)
def test_what_it_refuses(tmp_path, monkeypatch, run_tfkd, arguments, exit_code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.toml").write_text('methods = ["none", "cosin"]\n')
    (tmp_path / "alone.toml").write_text('methods = ["output"]\n')
    (tmp_path / "untested.toml").write_text(
        'methods = ["none"]\n[test]\nnoisy = "no/noisy"\nclean = "no/clean"\n'
    )
    refused = run_tfkd("experiment", *arguments)
    assert refused.exit_code == exit_code and message in refused.output
    assert not (tmp_path / "studies").exists()


def test_paths_become_part_of_the_plan(tmp_path, monkeypatch, run_tfkd, pair_folders):
    monkeypatch.chdir(tmp_path)
    from tfkd.cli import experiment

    plans = []
    monkeypatch.setattr(experiment, "_run", lambda plan, folder, runner: plans.append(plan))
    data = ["--speech", "my Gespräche", "--noise", "n", "--noisy", "noisy", "--clean", "clean"]
    assert run_tfkd("experiment", "smallest", *data, "-o", "out").exit_code == 0
    assert run_tfkd("experiment", "--resume", "out").exit_code == 0
    assert plans[0] == plans[1]
    assert plans[0].settings == ('data.speech="my Gespräche"', 'data.noise="n"')
    assert (plans[0].test.noisy, plans[0].test.clean, plans[0].test.limit) == ("noisy", "clean", 4)
    (tmp_path / "out" / "study.toml").write_text('methods = ["cosin"]\n')
    edited = run_tfkd("experiment", "--resume", "out")
    assert edited.exit_code == 1 and "unknown distillation method 'cosin'" in edited.output


def test_one_command_at_a_time_works_on_a_study(tmp_path, run_tfkd):
    (tmp_path / "study.toml").write_text('methods = ["none"]\n')
    with sole_user(tmp_path):
        second = run_tfkd("experiment", "--resume", tmp_path)
    assert second.exit_code == 1 and "another `tfkd experiment` works on this" in second.output
    assert [file.name for file in tmp_path.iterdir()] == ["study.toml"]
    with sole_user(tmp_path):
        pass


class OneCandidateFails:
    """A runner that trains nothing, and not at all with lambda = 0.1."""

    slots = 1

    def run(self, command, log_file):
        given = json.loads(command[-1])
        if log_file.parent.name == "0.1":
            log_file.write_text("Error: out of luck\n")
            return 1
        scores = dict.fromkeys(METRICS, 1.0)
        result = {
            **{"pairs": {key: given[key] for key in ("noisy", "clean", "limit")}},
            **{"valid_supervised_loss": 1.0, "history": {"step": [1]}, "parameters": 3},
            **dict.fromkeys(("float", "int8", "noisy"), scores),
        }
        Path(given["folder"], "cell.json").write_text(json.dumps(result))
        return 0


def test_a_failed_candidate_of_lambda_is_reported_too(
    tmp_path, monkeypatch, run_tfkd, pair_folders
):
    from tfkd.cli import experiment

    monkeypatch.setattr(experiment, "_runner", lambda jobs, address: OneCandidateFails())
    noisy, clean = pair_folders
    pairs = ["--noisy", noisy, "--clean", clean]
    done = run_tfkd("experiment", "smallest", *pairs, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "1 of 6 trainings failed; the first: tuning/cosine/0.1, exit code 1" in done.output
    assert json.loads((tmp_path / "out" / "study.json").read_text())["weights"] == {"cosine": 1.0}
