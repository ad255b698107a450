"""A killed run resumes to the same weights, bit for bit."""

import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from conftest import SMALL_RUN
from small_run import small_teacher

from tfkd.train.run_directory import RunDirectory

pytestmark = pytest.mark.slow

# Two steps an epoch: the last epoch of both phases is a shorter one.
EPOCHS = ["--steps", "7", "--set", "quantize.steps=3", "--deterministic"]


def start(*args):
    command = [sys.executable, "-m", "tfkd", "train", *(str(arg) for arg in args)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    return stdout.strip()


def weights(path):
    """Every array of a Keras weights file, by name."""
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, node: (
                arrays.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None
            )
        )
    return arrays


def assert_same_run(one, other):
    for name in ("float.weights.h5", "qat.weights.h5"):
        expected, got = weights(one / name), weights(other / name)
        assert expected.keys() == got.keys() and expected
        for key in expected:
            np.testing.assert_array_equal(expected[key], got[key], err_msg=f"{name}: {key}")
    for name in ("history.csv", "history_qat.csv"):
        assert (one / name).read_text() == (other / name).read_text()


def wait_for(path, process, seconds=600):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.02)


@pytest.mark.timeout(1800)
def test_kill_and_resume_in_both_phases(tmp_path, small_corpus):
    teacher = small_teacher(tmp_path / "teachers").path
    options = [*SMALL_RUN, *small_corpus, *EPOCHS, "--method", "cosine", "--teacher", teacher]
    whole = RunDirectory.open(finish(start(*options, "--runs", tmp_path / "whole"))).path
    for history, epochs in (("history.csv", 4), ("history_qat.csv", 2)):
        assert len((whole / history).read_text().splitlines()) == 1 + epochs

    process = start(*options, "--runs", tmp_path / "killed")
    try:
        wait_for(tmp_path / "killed" / "latest", process)
        killed = (tmp_path / "killed" / "latest").resolve()
        for checkpoint in ("float/ckpt-2.index", "qat/ckpt-1.index"):
            wait_for(killed / "checkpoints" / checkpoint, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            process = start("--resume", killed)
        assert finish(process) == str(killed)
    finally:
        process.kill()
    assert_same_run(whole, killed)
