"""Convert a run: quantisation-aware weights -> streaming graph -> slim .tflite -> C files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import tf_keras as keras

import tfkd
from firmware_ref.arena import plan_arena
from firmware_ref.reader import read_model
from tfkd.atomic import atomic_path
from tfkd.config import ModelConfig
from tfkd.convert.c_array import header, source
from tfkd.convert.checks import check_fully_int8
from tfkd.convert.op_resolver import resolver_snippet
from tfkd.convert.slim import slim_tflite
from tfkd.convert.tflite import convert_streaming
from tfkd.engines.streaming_model import METADATA_NAME, METADATA_SCHEMA, read_streaming_model
from tfkd.streaming import streaming_step
from tfkd.train.run_directory import RunDirectory
from tfkd.train.session import load_quantized

FILES = ("model.tflite", "model_data.cc", "model_data.h", "model_ops.h", "memory.json")


def convert_run(run: RunDirectory, output: Path | None = None) -> Path:
    """Write the FILES of a trained student.

    Args:
        run: a run whose quantisation-aware phase has made at least one checkpoint.
        output: folder for the files; default: the run itself.

    Returns:
        The folder.

    Raises:
        RunError: the run has no quantisation-aware weights.
        ConversionError: the converted graph is not what TFLite Micro runs.
    """
    folder = output or run.path
    content = streaming_tflite(load_quantized(run), run.config.model)
    model = read_model(content)
    check_fully_int8(model)
    _write(folder / "model.tflite", lambda path: path.write_bytes(content))
    write_c_files(folder)
    return folder


def streaming_tflite(quantized: keras.Model, config: ModelConfig) -> bytes:
    """The streaming int8 .tflite of a quantisation-aware model, front end included."""
    metadata = {METADATA_NAME: _metadata(config).encode()}
    return slim_tflite(convert_streaming(streaming_step(quantized)), metadata)


def write_c_files(folder: Path) -> None:
    """Write the C array, the resolver and the memory report beside a folder's model.tflite."""
    streaming = read_streaming_model(folder / "model.tflite")
    model = read_model(streaming.content)
    states = [
        (state.size, zero_point)
        for state, zero_point in zip(
            streaming.initial_states_q(), streaming.state_zero_points, strict=True
        )
    ]
    operators = [operator.name for operator in model.subgraphs[0].operators]
    texts = {
        "model_data.h": header(streaming.name, states),
        "model_data.cc": source(streaming.name, streaming.content, states),
        "model_ops.h": resolver_snippet(operators),
        "memory.json": json.dumps(_memory(streaming.content), indent=2) + "\n",
    }
    for name, text in texts.items():
        _write(folder / name, lambda path, text=text: path.write_text(text, "utf-8"))


def _memory(content: bytes) -> dict[str, object]:
    """Arena of both ABIs: what TFLite Micro uses, and the smallest arena that works."""
    report: dict[str, object] = {"schema": 1, "file_bytes": len(content)}
    model = read_model(content)
    for abi in ("cortex-m", "x86_64-wheel"):
        plan = plan_arena(model, abi=abi)
        report[abi] = {
            "total_bytes": plan.total_bytes,
            "head_bytes": plan.head_bytes,
            "tail_bytes": plan.tail_bytes,
            "min_bytes": plan.min_bytes,
        }
    return report


def _metadata(model: ModelConfig) -> str:
    return json.dumps(
        {
            "schema": METADATA_SCHEMA,
            "name": model.name,
            "version": tfkd.__version__,
            "frontend": model.frontend.model_dump(),
        },
        separators=(",", ":"),
    )


def _write(path: Path, write: Callable[[Path], object]) -> None:
    with atomic_path(path) as temporary:
        write(temporary)
