"""What a cell reports beside its scores."""

from math import isnan, nan
from pathlib import Path

import pytest

from tfkd.config_file import load_config
from tfkd.evaluate import Evaluation, Pair, PairScores
from tfkd.experiment.cell import common_mean, spread, validation
from tfkd.train.run_directory import RunDirectory


def test_limited_pairs_are_spread():
    pairs = list("abcdefghij")
    assert spread(pairs, 4) == ["a", "c", "f", "h"]
    assert spread(pairs, None) == spread(pairs, 10) == spread(pairs, 99) == pairs


@pytest.mark.parametrize("method", ["none", "cosine"])
def test_validation_curves(tmp_path, method):
    config = load_config("micro", settings=["train.epoch_steps=20", "train.steps=50"])
    run = RunDirectory.create_at(tmp_path / "run", config, "student")
    extra = method == "cosine"
    run.history("float").write_text(
        "epoch,val_latent_cosine,val_supervised_loss\n0,0.25,0.5\n1,0.5,0.25\n2,0.75,nan\n"
        if extra
        else "epoch,val_supervised_loss\n0,0.5\n1,0.25\n2,nan\n"
    )
    found = validation(run)
    assert found["valid_supervised_loss"] == 0.25
    assert found["history"]["step"] == [20, 40, 50]
    assert found["history"].get("latent_cosine") == ([0.25, 0.5, 0.75] if extra else None)


def scored(**by_system):
    """An evaluation of PESQ-WB: system -> a value per pair."""
    pairs = [Pair(str(i), Path(f"{i}.wav"), Path(f"{i}.wav"), None) for i in range(3)]
    return Evaluation(
        tuple(by_system),
        tuple(
            PairScores(pair, {name: {"pesq_wb": values[i]} for name, values in by_system.items()})
            for i, pair in enumerate(pairs)
        ),
    )


def test_means_of_all_cells_are_over_the_same_recordings():
    found = scored(noisy=(1.0, nan, 2.0), float=(1.5, 9.0, 2.5), int8=(nan, 9.0, 2.5))
    assert common_mean(found, "noisy", "pesq_wb") == 1.5
    assert common_mean(found, "float", "pesq_wb") == 2.0
    assert isnan(common_mean(found, "int8", "pesq_wb"))
    assert isnan(common_mean(scored(noisy=(nan,) * 3), "noisy", "pesq_wb"))
