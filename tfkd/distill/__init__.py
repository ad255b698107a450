"""Knowledge distillation: the Distiller, its losses, the supervised loss."""

from tfkd.distill.distiller import Distiller
from tfkd.distill.losses import LOSSES, DistillationLoss, Outputs, configured_loss

__all__ = ["LOSSES", "DistillationLoss", "Distiller", "Outputs", "configured_loss"]
