import pytest

from tfkd.config_file import load_config
from tfkd.errors import RunError
from tfkd.report.curves import read_curves
from tfkd.train.run_directory import RunDirectory

HEADER = "epoch,distillation_loss,loss,supervised_loss,val_distillation_loss,val_supervised_loss\n"


@pytest.fixture
def run(tmp_path):
    config = load_config("tiny", settings=["train.epoch_steps=100", "quantize.steps=50"])
    return RunDirectory.create(tmp_path, config, "student")


def test_phases_follow_each_other(run):
    run.history("float").write_text(HEADER + "0,.8,.1,.1,.9,.2\n1,.4,.1,.05,.5,.1\n")
    run.history("qat").write_text(HEADER + "0,.3,.1,.04,.4,.08\n")
    supervised, distilled = read_curves(run)
    assert (supervised.title, distilled.title) == ("Supervised loss", "Distillation loss (cosine)")
    assert (supervised.x.low, supervised.x.high) == (0.0, 250.0)
    assert supervised.qat_from == 80.0
    assert supervised.y.high == 0.2
    assert supervised.train == ("M40 50L80 75", "M100 80")
    assert supervised.last == "0.0800"


def test_a_run_without_distillation_has_one_curve(run):
    run.history("float").write_text(HEADER + "0,0,.1,.1,0,.2\n")
    assert [curve.title for curve in read_curves(run)] == ["Supervised loss"]
    assert read_curves(run)[0].qat_from is None


def test_a_cosine_may_begin_below_zero(run):
    run.history("float").write_text("epoch,latent_cosine\n0,-.013\n")
    (cosine,) = read_curves(run)
    assert cosine.y.low < -0.013 and cosine.y.high == 0.0
    assert 0.0 < float(cosine.train[0].split()[1]) <= 100.0


def test_nothing_yet(run):
    assert read_curves(run) == []


def test_a_damaged_history_is_named(run):
    run.history("float").write_text(HEADER + "0,what,.1,.1,0,.2\n")
    with pytest.raises(RunError, match="history.csv: cannot be read as a training history"):
        read_curves(run)
