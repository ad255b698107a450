"""Train a teacher or a student: the float phase, then quantisation-aware training."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfkd.config import Config
from tfkd.data import training_dataset, validation_dataset
from tfkd.distill import LOSSES, DistillationLoss, Distiller, configured_loss
from tfkd.distill.supervised import SupervisedLoss
from tfkd.errors import ConfigError, RunError
from tfkd.frontend_tf import band_features, frame_count
from tfkd.models.blocks import Form
from tfkd.models.dae import build_dae
from tfkd.models.folding import fold_batch_norm
from tfkd.models.int8_weights import read_int8_weights
from tfkd.models.teacher import Teacher, load_teacher
from tfkd.models.unfolding import unfold_batch_norm
from tfkd.models.weights import read_weights
from tfkd.quantize import (
    assign_weight_ranges,
    calibrate,
    quantization_aware,
    quantized_outputs,
    round_weights,
)
from tfkd.released import MODEL_FILE
from tfkd.train.phase import Schedule, adopt_projection, atomic_weights, fit_phase
from tfkd.train.run_directory import TEACHER, RunDirectory, resume_command
from tfkd.train.schedule import cosine_adamw
from tfkd.train.strategy import check_batch

log = logging.getLogger("tfkd.train")


def prepare(config: Config, threads: int = 0) -> None:
    """Set TensorFlow's threads and determinism; must run before anything else of TensorFlow.

    Args:
        config: its train section decides on determinism.
        threads: threads inside and between operators; 0: TensorFlow's choice.
    """
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(config.train.seed)
    if config.train.deterministic:
        tf.config.experimental.enable_op_determinism()


def train_teacher(
    run: RunDirectory,
    *,
    strategy: tf.distribute.Strategy | None = None,
    tensorboard: bool = False,
) -> None:
    """Train a teacher: the float phase alone, without distillation.

    Args:
        run: where everything goes.
        strategy: see `tfkd.train.strategy`; None: one device.
        tensorboard: also write logs for TensorBoard.

    Raises:
        ConfigError: a batch that the strategy's replicas cannot share.
    """
    strategy = strategy or tf.distribute.get_strategy()
    _float_phase(run, LOSSES["none"], None, strategy, tensorboard=tensorboard)
    run.set_state("finished")


def train_student(
    run: RunDirectory,
    *,
    strategy: tf.distribute.Strategy | None = None,
    tensorboard: bool = False,
) -> None:
    """Distil a student, then fine-tune it quantisation-aware under the same Distiller.

    The float phase follows the strategy; the short quantisation-aware phase runs on one device, the
    same on every worker. Args: see `train_teacher`.

    Raises:
        ConfigError: see `configured_loss`, or a batch that the strategy's replicas cannot share.
        RunError: the teacher's run cannot be used.
    """
    config = run.config
    loss = configured_loss(config.distill)
    if loss.pretraining and config.train.patience:
        raise ConfigError(
            f"early stopping watches the supervised loss, which '{loss.name}' does not train on at "
            f"first. Expected train.patience=0. Received: {config.train.patience}."
        )
    if (run.path / MODEL_FILE).is_file() and run.state() != "finished":
        (run.path / MODEL_FILE).unlink()
        log.info("removed %s, which was converted before the training's end", MODEL_FILE)
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():  # of the devices that train, each has a copy of the teacher too
        teacher = load_teacher(config.distill.teacher) if loss.uses_teacher else None
    _float_phase(run, loss, teacher, strategy, tensorboard=tensorboard)
    _quantized_phase(run, loss, teacher, tensorboard=tensorboard)
    run.set_state("finished")


def load_quantized(run: RunDirectory) -> keras.Model:
    """The quantisation-aware model of a run with its best weights.

    Raises:
        RunError: the quantisation-aware phase has made no checkpoint yet.
        ModelError: the weights are damaged.
    """
    if not run.qat_weights.is_file():
        raise RunError(
            f"{run.path}: has no quantisation-aware weights ({run.qat_weights.name}). Expected a "
            f"student whose training has finished; continue it with: {resume_command(run.path)}"
        )
    frames = _segment_frames(run.config)
    deployed = build_dae(run.config.model, Form.DEPLOYED, frames=frames)
    model = quantization_aware(deployed, dict.fromkeys(quantized_outputs(deployed), (-1.0, 1.0)))
    read_weights(model, run.qat_weights)
    assign_weight_ranges(model)
    round_weights(model)
    return model


def _quantized_phase(
    run: RunDirectory, loss: DistillationLoss, teacher: Teacher | None, *, tensorboard: bool
) -> None:
    """Fold, calibrate, fine-tune; with quantize.steps = 0 the calibrated model is the result."""
    config = run.config
    student = build_dae(config.model, Form.TRAINING)
    read_weights(student, run.float_weights)
    deployed = fold_batch_norm(student, config.model, _segment_frames(config))
    log.info("calibrating on %d batches", config.quantize.calibration_batches)
    ranges = calibrate(deployed, _calibration_features(config))
    model = quantization_aware(deployed, ranges)
    if config.quantize.steps == 0:
        with atomic_weights(run.qat_weights) as path:
            model.save_weights(path)
        return
    schedule = Schedule(config.quantize.steps, config.train.epoch_steps)
    distiller = _distiller(config, model, loss, teacher, ema=config.train.ema)
    distiller.compile(
        optimizer=cosine_adamw(
            steps=schedule.steps,
            learning_rate=config.quantize.learning_rate,
            clip_norm=config.train.clip_norm,
        )
    )
    adopt_projection(distiller, run, "float")
    log.info("quantisation-aware phase: %d steps", schedule.steps)
    offset = config.train.steps  # other mixtures than the float phase began with
    fit_phase(
        distiller,
        run,
        "qat",
        schedule,
        best_weights=run.qat_weights,
        training=lambda step: training_dataset(config, start_step=offset + step),
        validation=validation_dataset(config),
        tensorboard=tensorboard,
    )


def _calibration_features(config: Config) -> Iterator[tf.Tensor]:
    """Features of the first training mixtures, [batch, frames, bands, 1]."""
    batches = training_dataset(config).take(config.quantize.calibration_batches)
    for noisy, _ in batches:
        power = tf.square(tf.abs(noisy))
        yield band_features(power, config.model.frontend)[..., tf.newaxis]


def _segment_frames(config: Config) -> int:
    """Frames of one training example."""
    frontend = config.model.frontend
    return frame_count(round(config.data.segment_s * frontend.sample_rate), frontend)


def _float_phase(
    run: RunDirectory,
    loss: DistillationLoss,
    teacher: Teacher | None,
    strategy: tf.distribute.Strategy,
    *,
    tensorboard: bool,
) -> None:
    config = run.config
    check_batch(config.train.batch, strategy)
    schedule = Schedule(config.train.steps, config.train.epoch_steps, config.train.patience)
    initial = _initial_weights(run)
    # Loading a teacher has drawn from Keras' generator: start anew, so that every method begins
    # with the same student.
    keras.utils.set_random_seed(config.train.seed)
    with strategy.scope():
        student = build_dae(config.model, Form.TRAINING)
        if initial is not None:
            student.set_weights(initial)
        distiller = _distiller(
            config,
            student,
            loss,
            teacher,
            ema=config.train.ema,
            pretraining_steps=round(loss.pretraining * schedule.steps),
        )
        distiller.compile(
            optimizer=cosine_adamw(
                steps=schedule.steps,
                learning_rate=config.train.learning_rate,
                warmup_steps=config.train.warmup_steps,
                weight_decay=config.train.weight_decay,
                clip_norm=config.train.clip_norm,
            )
        )
    log.info("float phase: %d steps of %d examples", schedule.steps, config.train.batch)
    fit_phase(
        distiller,
        run,
        "float",
        schedule,
        best_weights=run.float_weights,
        training=lambda step: training_dataset(config, start_step=step),
        validation=validation_dataset(config),
        tensorboard=tensorboard,
    )


def _initial_weights(run: RunDirectory) -> list[np.ndarray] | None:
    """What a training form begins with; None: random weights, or a checkpoint that comes anyway.

    Raises:
        RunError: the run has lost what it was to begin with.
        ModelError: that is of another shape.
    """
    config = run.config
    if not config.train.init or tf.train.latest_checkpoint(str(run.checkpoints("float"))):
        return None
    if not run.initial_weights.is_file():
        raise RunError(
            f"{run.initial_weights}: is missing. Expected the weights of {config.train.init}, with "
            f"which this run was to begin. Begin it anew."
        )
    model = build_dae(config.model, Form.TRAINING)
    if run.kind == TEACHER:
        read_weights(model, run.initial_weights)
    else:
        deployed = build_dae(config.model, Form.DEPLOYED, frames=_segment_frames(config))
        read_int8_weights(deployed, run.initial_weights, config.train.init)
        unfold_batch_norm(deployed, model, _calibration_features(config))
    return list(model.get_weights())


def _distiller(
    config: Config,
    student: keras.Model,
    loss: DistillationLoss,
    teacher: Teacher | None,
    *,
    ema: float,
    pretraining_steps: int = 0,
) -> Distiller:
    return Distiller(
        student,
        config.model.frontend,
        loss,
        weight=config.distill.weight,
        axis=config.distill.axis,
        teacher=teacher.model if teacher else None,
        teacher_frontend=teacher.config.frontend if teacher else None,
        ema=ema,
        seed=config.train.seed,
        pretraining_steps=pretraining_steps,
        supervised=SupervisedLoss(config.loss, config.model.frontend),
    )
