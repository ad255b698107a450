"""The optimiser of both training phases: AdamW, linear warm-up, cosine decay to zero."""

from __future__ import annotations

import tf_keras as keras


def cosine_adamw(
    *,
    steps: int,
    learning_rate: float,
    warmup_steps: int = 0,
    weight_decay: float = 0.0,
    clip_norm: float = 1.0,
) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) whose rate rises linearly, then falls to 0 on a half
    cosine.

    Biases and batch-norm parameters are not decayed; gradients are clipped by their global norm.
    """
    warmup_steps = min(warmup_steps, steps // 2)
    decay = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else learning_rate,
        decay_steps=steps - warmup_steps,
        warmup_target=learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(
        learning_rate=decay, weight_decay=weight_decay, beta_2=0.99, global_clipnorm=clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer
