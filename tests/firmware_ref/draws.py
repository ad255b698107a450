"""Random quantisation and values for one-op models, with the edges drawn often."""

from __future__ import annotations

from typing import Any

import numpy as np
from model_builder import SubgraphBuilder
from numpy.typing import DTypeLike, NDArray

Rng = np.random.Generator
Array = NDArray[Any]


def scale(rng: Rng, low: float = 2.0**-12, high: float = 2.0**3) -> np.float32:
    """Log-uniform; one in eight is a power of two, one in eight an end of the range."""
    kind = rng.integers(8)
    if kind == 0:
        return np.float32(2.0 ** rng.integers(np.ceil(np.log2(low)), np.floor(np.log2(high)) + 1))
    if kind == 1:
        return np.float32(rng.choice([low, high]))
    return np.float32(np.exp(rng.uniform(np.log(low), np.log(high))))


def zero_point(rng: Rng, dtype: DTypeLike) -> int:
    """Of int8: anywhere, often at the ends or 0. Other types are symmetric: 0."""
    if np.dtype(dtype) != np.int8:
        return 0
    kind = rng.integers(4)
    return int(rng.choice([-128, 127, 0]) if kind == 0 else rng.integers(-128, 128))


def values(rng: Rng, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Of an integer type: uniform, near one value, or only the ends of the range (saturation)."""
    dtype = np.dtype(dtype)
    if dtype == np.float32:
        return (rng.standard_normal(shape) * 10.0 ** rng.uniform(-3, 3)).astype(np.float32)
    info = np.iinfo(dtype)
    kind = rng.integers(4)
    if kind == 0:
        return rng.choice(np.array([info.min, info.max], dtype), size=shape).astype(dtype)
    if kind == 1:
        centre, spread = rng.integers(info.min, info.max), (info.max - info.min) / 16
        drawn = np.rint(rng.normal(float(centre), spread, shape))
        return np.clip(drawn, info.min, info.max).astype(dtype)
    return rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)


def uniform(rng: Rng, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Of an integer type: uniform over all values; float32: normal, of a drawn size."""
    if np.dtype(dtype) == np.float32:
        return (rng.standard_normal(shape) * 10.0 ** rng.uniform(-1, 2)).astype(np.float32)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, size=shape, dtype=np.dtype(dtype), endpoint=True)


def sizes(rng: Rng, count: int, low: int = 1, high: int = 8) -> tuple[int, ...]:
    """`count` dimensions, each in [low, high]."""
    return tuple(int(n) for n in rng.integers(low, high + 1, size=count))


def activation(rng: Rng) -> int:
    """A fused activation that integer kernels support: NONE, RELU, RELU_N1_TO_1, RELU6."""
    return int(rng.integers(4))


def quantised(
    graph: SubgraphBuilder,
    rng: Rng,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    *,
    of_scale: float | None = None,
    of_zero_point: int | None = None,
    data: Array | None = None,
    is_variable: bool = False,
) -> int:
    """A tensor with drawn quantisation, except where it is given."""
    return graph.tensor(
        shape,
        dtype,
        scale=scale(rng) if of_scale is None else of_scale,
        zero_point=zero_point(rng, dtype) if of_zero_point is None else of_zero_point,
        data=data,
        is_variable=is_variable,
    )


def scale_of(graph: SubgraphBuilder, tensor: int) -> float:
    """The per-tensor scale of a tensor already added, as float32 holds it."""
    return float(np.float32(graph.tensors[tensor].quantization.scale[0]))


def zero_point_of(graph: SubgraphBuilder, tensor: int) -> int:
    """The per-tensor zero point of a tensor already added."""
    return int(graph.tensors[tensor].quantization.zeroPoint[0])
