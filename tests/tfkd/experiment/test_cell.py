"""What a cell reports beside its scores."""

import pytest

from tfkd.config_file import load_config
from tfkd.experiment.cell import spread, validation
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
