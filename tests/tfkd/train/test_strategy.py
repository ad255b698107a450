"""Two workers train as one does on the same global batches."""

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from shared_training import interrupted_training

from tfkd.errors import ConfigError
from tfkd.train.strategy import agreed_minimum, check_batch, make_strategy

HERE = Path(__file__).parent


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def start_worker(folder, cluster, index):
    config = {"cluster": {"worker": cluster}, "task": {"type": "worker", "index": index}}
    paths = os.pathsep.join(map(str, (HERE.parents[2], HERE.parent)))
    environment = os.environ | {"TF_CONFIG": json.dumps(config), "PYTHONPATH": paths}
    return subprocess.Popen(
        [sys.executable, HERE.parent / "shared_training.py", folder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def weights(folder):
    arrays = {}
    with h5py.File(folder / "float.weights.h5") as file:
        file.visititems(
            lambda name, node: (
                arrays.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None
            )
        )
    return arrays


@pytest.mark.slow
def test_two_workers_train_as_one(tmp_path):
    cluster = [f"127.0.0.1:{port}" for port in free_ports(2)]
    workers = [start_worker(tmp_path / str(i), cluster, i) for i in range(2)]
    try:
        interrupted_training(tmp_path / "alone", make_strategy(None), loses=False)
        for worker in workers:
            said, _ = worker.communicate(timeout=500)
            assert worker.returncode == 0, said
    finally:
        for worker in workers:
            worker.kill()
    alone, first, second = (history(tmp_path / name) for name in ("alone", "0", "1"))
    assert first == second and [row["epoch"] for row in first] == [0.0, 1.0, 2.0]
    # Training: the same sums in another order. float32 rounds each to 6e-8, and six steps of a
    # network of twenty layers pass that on; batch norms of half the batch would differ by percents.
    # Validation: Keras' synchronised batch norm keeps the variance of n samples without the factor
    # n / (n - 1) of the plain one, and n is as small as 48 here.
    for ours, theirs in zip(first, alone, strict=True):
        for key, value in ours.items():
            assert value == pytest.approx(
                theirs[key], rel=2e-2 if "val_" in key else 1e-4, abs=1e-5
            )
    assert alone[-1]["loss"] < 0.99 * alone[0]["loss"]
    expected, got, other = (weights(tmp_path / name) for name in ("alone", "0", "1"))
    assert expected.keys() == got.keys() == other.keys() and expected
    for name, array in expected.items():
        np.testing.assert_array_equal(got[name], other[name], err_msg=name)
        if array.ndim > 1:  # of the kernels; moving variances see above
            np.testing.assert_allclose(got[name], array, rtol=1e-3, atol=1e-5, err_msg=name)


def test_one_device_is_the_default():
    alone = make_strategy(None)
    assert alone is tf.distribute.get_strategy() and alone.num_replicas_in_sync == 1
    assert agreed_minimum(7, alone) == 7
    check_batch(3, alone)


class Replicas:
    num_replicas_in_sync = 2


def test_a_batch_that_cannot_be_shared():
    check_batch(4, Replicas())
    with pytest.raises(ConfigError, match=r"Received: train.batch=3, 2 replicas"):
        check_batch(3, Replicas())


def test_what_is_no_strategy(monkeypatch):
    with pytest.raises(ConfigError, match="unknown strategy 'horovod'. Expected one of mirrored"):
        make_strategy("horovod")

    def refuse():
        raise RuntimeError("Collective ops must be configured at program startup")

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", refuse)
    with pytest.raises(ConfigError, match="program startup Expected TF_CONFIG like"):
        make_strategy("multiworker")
