"""Distillation losses, one file each; `LOSSES` maps the name in a configuration to the loss."""

from tfkd.distill.losses.cosine import COSINE
from tfkd.distill.losses.hint import HINT
from tfkd.distill.losses.loss import DistillationLoss, Outputs
from tfkd.distill.losses.none import NONE
from tfkd.distill.losses.output import OUTPUT

LOSSES: dict[str, DistillationLoss] = {loss.name: loss for loss in (NONE, OUTPUT, HINT, COSINE)}

__all__ = ["LOSSES", "DistillationLoss", "Outputs"]
