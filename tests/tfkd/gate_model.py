"""The smallest real streaming model: a gate that opens in bands that have just been loud.

frame, state -> concatenate in time -> mean over three frames -> affine -> logistic -> mask
                                    -> the last two frames -> new state
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from model_builder import ModelBuilder

FRAME_SCALE = 1.0 / 127.0
MASK_SCALE = 1.0 / 256.0
FLOOR_DB = -60.0  # of the features that the threshold was chosen for


def gate_model(
    bands: int = 64,
    *,
    metadata: dict[str, Any] | None = None,
    new_state_scale: float = FRAME_SCALE,
    gain: float = 12.0,
    threshold: float = 0.1,
) -> bytes:
    """Build it; `metadata` replaces tfkd's entry, `new_state_scale` can break the contract."""
    model = ModelBuilder()
    graph = model.subgraph()
    frame = graph.tensor((1, 1, bands, 1), np.int8, scale=FRAME_SCALE, name="frame")
    state = graph.tensor((1, 2, bands, 1), np.int8, scale=FRAME_SCALE, name="state")
    history = graph.tensor((1, 3, bands, 1), np.int8, scale=FRAME_SCALE, name="history")
    graph.operator(
        "CONCATENATION", [state, frame], [history], options="ConcatenationOptions", axis=1
    )
    logit_scale = 0.1
    weight_scale = gain / 3.0 / 127.0
    weights = graph.tensor(
        (1, 3, 1, 1), np.int8, scale=weight_scale, data=np.full((1, 3, 1, 1), 127)
    )
    bias_scale = FRAME_SCALE * weight_scale
    bias = graph.tensor(
        (1,), np.int32, scale=bias_scale, data=[round(-gain * threshold / bias_scale)]
    )
    logits = graph.tensor((1, 1, bands, 1), np.int8, scale=logit_scale, name="logits")
    graph.operator(
        "CONV_2D",
        [history, weights, bias],
        [logits],
        options="Conv2DOptions",
        padding=1,
        strideH=1,
        strideW=1,
        dilationHFactor=1,
        dilationWFactor=1,
    )
    mask = graph.tensor((1, 1, bands, 1), np.int8, scale=MASK_SCALE, zero_point=-128, name="mask")
    graph.operator("LOGISTIC", [logits], [mask])
    new_state = graph.tensor((1, 2, bands, 1), np.int8, scale=new_state_scale, name="new_state")
    bounds = [
        graph.tensor((4,), np.int32, data=data)
        for data in ([0, 1, 0, 0], [1, 3, bands, 1], [1, 1, 1, 1])
    ]
    graph.operator("STRIDED_SLICE", [history, *bounds], [new_state], options="StridedSliceOptions")
    if metadata is None:
        metadata = {
            "schema": 1,
            "name": "gate",
            "version": "0",
            "frontend": {"bands": bands, "floor_db": FLOOR_DB},
        }
    if metadata:
        model.metadata("tfkd", json.dumps(metadata).encode())
    return model.build([frame, state], [mask, new_state])
