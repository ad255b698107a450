"""Knowledge distillation: the Distiller, its losses, the supervised loss."""

from tfkd.distill.distiller import Distiller
from tfkd.distill.losses import LOSSES, DistillationLoss, Outputs

__all__ = ["LOSSES", "DistillationLoss", "Distiller", "Outputs"]
