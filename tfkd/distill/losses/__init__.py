"""Distillation losses, one file each; `LOSSES` maps the name in a configuration to the loss."""

from tfkd.config import DistillConfig
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


def configured_loss(distill: DistillConfig) -> DistillationLoss:
    """The loss that a configuration asks for.

    Raises:
        ConfigError: there is none of that name (the nearest is offered), or its weight leaves no
            supervised loss.
    """
    method = distill.method
    if method not in LOSSES:
        raise ConfigError(
            f"unknown distillation method '{method}'. Expected one of {', '.join(LOSSES)}."
            f"{nearest(method, LOSSES)}"
        )
    loss = LOSSES[method]
    if loss.blends and distill.weight >= 1.0:
        raise ConfigError(
            f"'{loss.name}' shares the loss with the supervised one, which a weight of 1 leaves "
            f"nothing of. Expected distill.weight below 1, such as 0.5. Received: "
            f"{distill.weight:g}."
        )
    return loss


__all__ = ["LOSSES", "DistillationLoss", "Outputs", "configured_loss"]
