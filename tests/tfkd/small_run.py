"""Run directories of a student and a teacher as if trained: seeded weights, no data needed."""

from __future__ import annotations

from pathlib import Path

from conftest import SMALL_MODEL
from small_dae import features, random_dae

from tfkd.config_file import load_config
from tfkd.models.folding import fold_batch_norm
from tfkd.quantize import calibrate, quantization_aware
from tfkd.train.run_directory import RunDirectory

HISTORY = "epoch,distillation_loss,supervised_loss,val_distillation_loss,val_supervised_loss\n"
FRAMES = 33  # of half a second


def small_run(runs: Path, seed: int = 0) -> RunDirectory:
    """Make a student's below `runs`, calibrated; another seed gives other weights."""
    config = load_config("micro", settings=[*SMALL_MODEL, "data.segment_s=0.5"])
    run = RunDirectory.create(runs, config, "student")
    student = random_dae(config.model, seed)
    student.save_weights(run.float_weights)
    deployed = fold_batch_norm(student, config.model, FRAMES)
    ranges = calibrate(deployed, [features(FRAMES, batch=4, seed=seed)])
    quantization_aware(deployed, ranges).save_weights(run.qat_weights)
    run.history("float").write_text(HISTORY + "0,.8,.1,.9,.2\n1,.4,.05,.5,.1\n")
    run.history("qat").write_text(HISTORY + "0,.3,.04,.4,.08\n")
    run.set_state("finished")
    return run


def small_teacher(runs: Path) -> RunDirectory:
    """Make a teacher's below `runs`, a little larger than the student."""
    settings = [*SMALL_MODEL, "model.hidden=24", "model.latent=12"]
    run = RunDirectory.create(runs, load_config("teacher", settings=settings), "teacher")
    random_dae(run.config.model).save_weights(run.float_weights)
    return run
