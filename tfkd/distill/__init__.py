"""Knowledge distillation: the Distiller, its losses, the supervised loss."""

from tfkd.distill.distiller import Distiller
from tfkd.distill.losses import LOSSES, DistillationLoss, Outputs, find_loss

__all__ = ["LOSSES", "DistillationLoss", "Distiller", "Outputs", "find_loss"]
