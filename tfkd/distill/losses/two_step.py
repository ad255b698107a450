"""Two-step distillation: learn from the teacher alone first, then from the clean speech alone."""

from __future__ import annotations

from tfkd.distill.losses.loss import DistillationLoss
from tfkd.distill.losses.similarity_frame import similarity_frame_distance

PRETRAINING = 1 / 3  # of the float phase; our own choice
"""Formula: weight x similarity_frame_distance during the first third of the float phase, L_sup
during the rest and during quantisation-aware training (the two steps of Nathoo et al. 2023, arXiv
2309.08144, within one step budget). The first step trains the encoder only: no gradient reaches
what lies behind the latent."""

TWO_STEP = DistillationLoss("two_step", similarity_frame_distance, pretraining=PRETRAINING)
