"""Distillation losses, one file each; `LOSSES` maps the name in a configuration to the loss."""

from tfkd.distill.losses.attention import ATTENTION
from tfkd.distill.losses.cka import CKA
from tfkd.distill.losses.cosine import COSINE
from tfkd.distill.losses.hint import HINT
from tfkd.distill.losses.loss import DistillationLoss, Outputs
from tfkd.distill.losses.none import NONE
from tfkd.distill.losses.output import OUTPUT
from tfkd.distill.losses.similarity_batch import SIMILARITY_BATCH
from tfkd.distill.losses.similarity_frame import SIMILARITY_FRAME
from tfkd.distill.losses.two_step import TWO_STEP
from tfkd.errors import ConfigError, nearest

LOSSES: dict[str, DistillationLoss] = {
    loss.name: loss
    for loss in (
        NONE,
        OUTPUT,
        HINT,
        COSINE,
        ATTENTION,
        SIMILARITY_BATCH,
        SIMILARITY_FRAME,
        TWO_STEP,
        CKA,
    )
}


def find_loss(method: str) -> DistillationLoss:
    """The loss of a name in a configuration.

    Raises:
        ConfigError: there is none; names the nearest.
    """
    if method not in LOSSES:
        raise ConfigError(
            f"unknown distillation method '{method}'. Expected one of {', '.join(LOSSES)}."
            f"{nearest(method, LOSSES)}"
        )
    return LOSSES[method]


__all__ = ["LOSSES", "DistillationLoss", "Outputs", "find_loss"]
