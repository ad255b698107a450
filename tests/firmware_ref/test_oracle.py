"""The oracle itself: what it returns, and how it reports that TFLM refuses or aborts."""

from __future__ import annotations

import numpy as np
import pytest
from model_builder import ModelBuilder
from oracle import OracleError, needs_oracle, run, run_in_subprocess

pytestmark = needs_oracle


def logistic(zero_point: int = -128) -> bytes:
    model = ModelBuilder()
    graph = model.subgraph()
    x = graph.tensor((1, 2), np.int8, scale=0.1)
    y = graph.tensor((1, 2), np.int8, scale=1 / 256, zero_point=zero_point)
    graph.operator("LOGISTIC", [x], [y])
    return model.build([x], [y])


FRAME = [np.array([[0, 127]], np.int8)]


@pytest.mark.parametrize("runner", [run, run_in_subprocess])
def test_every_tensor_of_every_frame_is_returned(runner) -> None:
    frames = runner(logistic(), [FRAME, [-FRAME[0]]])
    assert [sorted(frame) for frame in frames] == [[(0, 0), (0, 1)]] * 2
    assert frames[0][0, 0].tolist() == [[0, 127]]
    assert frames[0][0, 1].tolist() == [[0, 127]]
    assert frames[1][0, 1].tolist() == [[0, -128]]


def test_a_refusal_carries_tflms_words() -> None:
    with pytest.raises(OracleError, match="output->params.zero_point"):
        run(logistic(zero_point=0), [FRAME])


def test_an_abort_of_tflm_is_an_error() -> None:
    with pytest.raises(OracleError, match="exit code -"):
        run_in_subprocess(logistic(), [FRAME], arena_bytes=100)
