"""What a model costs: parameters, multiply-accumulates, receptive field, state, latency.

Counted on the deployed form, layer by layer: the figures are those of the graph on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass

import tf_keras as keras

from tfkd.config import ModelConfig
from tfkd.models.blocks import Form
from tfkd.models.dae import build_dae


@dataclass(frozen=True)
class LayerCost:
    """Cost of one layer for one frame."""

    name: str
    output_shape: tuple[int, int]  # (bands, channels)
    parameters: int
    macs: int
    state_bytes: int  # int8 history that streaming keeps in front of this layer


@dataclass(frozen=True)
class Budget:
    """Cost of a model; MACs per second follow from the hop."""

    layers: tuple[LayerCost, ...]
    parameters: int
    macs_per_frame: int
    macs_per_second: float
    receptive_field_frames: int
    state_bytes: int
    hop_ms: float
    latency_ms: float


def budget(config: ModelConfig) -> Budget:
    """Count what one hop of the deployed model costs."""
    model = build_dae(config, Form.DEPLOYED, frames=receptive_field_frames(config))
    rows = []
    for layer in model.layers:
        macs = state_bytes = 0
        shape = layer.output_shape if not isinstance(layer.output_shape, list) else (0,) * 4
        bands, channels = (shape[2], shape[3]) if len(shape) == 4 else (1, 1)
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            macs = bands * channels * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, keras.layers.Conv2D):
            macs = bands * channels * layer.kernel_size[1] * layer.input_shape[3]
        elif isinstance(layer, keras.layers.ZeroPadding2D):
            state_bytes = layer.padding[0][0] * layer.input_shape[2] * layer.input_shape[3]
        rows.append(
            LayerCost(layer.name, (bands, channels), layer.count_params(), macs, state_bytes)
        )
    macs_per_frame = sum(row.macs for row in rows)
    frontend = config.frontend
    return Budget(
        layers=tuple(rows),
        parameters=model.count_params(),
        macs_per_frame=macs_per_frame,
        macs_per_second=macs_per_frame * 1000.0 / frontend.hop_ms,
        receptive_field_frames=receptive_field_frames(config),
        state_bytes=sum(row.state_bytes for row in rows),
        hop_ms=frontend.hop_ms,
        latency_ms=frontend.latency_ms,
    )


def receptive_field_frames(config: ModelConfig) -> int:
    """Frames that a mask depends on, its own among them: 1 + the sum of (kernel - 1) x dilation."""
    encoder = sum(kernel - 1 for kernel in config.time_kernels if kernel)
    body = sum((config.time_kernel - 1) * dilation for dilation in config.dilations)
    decoder = len(config.channels) * (config.decoder_time_kernel - 1)
    return 1 + encoder + body + decoder
