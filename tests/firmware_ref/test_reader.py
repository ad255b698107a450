"""Reading .tflite files: what is in them, and what happens when they are damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from damage import damage
from hypothesis import given, settings
from hypothesis import strategies as st
from model_builder import schema

from firmware_ref.errors import FirmwareRefError, ModelError
from firmware_ref.interpreter import Interpreter
from firmware_ref.model import TensorType
from firmware_ref.options import Activation, Conv2DOptions, Padding
from firmware_ref.reader import read_model

MODELS = Path(__file__).parent / "models"
STREAM = (MODELS / "stream.tflite").read_bytes()
VARIABLE = (MODELS / "stream_variable.tflite").read_bytes()
ALL = [path.read_bytes() for path in sorted(MODELS.glob("*.tflite"))]


def test_reads_tensors_operators_and_options():
    graph = read_model(MODELS / "stream.tflite").subgraphs[0]
    conv = graph.operators[0]
    assert (conv.name, len(conv.inputs)) == ("CONV_2D", 3)
    assert conv.options == Conv2DOptions(
        padding=Padding.VALID,
        stride_w=2,
        stride_h=1,
        fused_activation_function=Activation.RELU6,
    )
    weights = graph.tensors[conv.inputs[1]]
    assert (weights.shape, weights.type) == ((6, 1, 4, 1), TensorType.INT8)
    assert weights.quantization is not None and weights.quantization.scales.shape == (6,)
    assert weights.data is not None and not weights.data.flags.writeable
    assert weights.bytes == 24
    frame = graph.tensors[conv.inputs[0]]
    assert frame.data is None and frame.scale > 0 and frame.index in graph.inputs


def test_reads_subgraphs_variables_metadata_and_signatures():
    model = read_model(VARIABLE)
    assert model.content_bytes == len(VARIABLE)
    assert [graph.index for graph in model.subgraphs] == [0, 1]
    assert model.subgraphs[0].operators[0].name == "CALL_ONCE"
    assert "min_runtime_version" in model.metadata
    handles = [op for op in model.subgraphs[0].operators if op.name == "VAR_HANDLE"]
    assert len({op.options for op in handles}) == 2  # two shared names
    [signature] = read_model(MODELS / "cnn.tflite").signatures or [None]
    assert signature is None or signature.subgraph_index == 0


def test_float_models_read_too():
    types = {t.type for t in read_model(MODELS / "cnn_float_io.tflite").subgraphs[0].tensors}
    assert TensorType.FLOAT32 in types


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too short to be a .tflite model: 0 bytes"),
        (STREAM[:7], "too short"),
        (b"PK\x03\x04" + bytes(60), "expected the identifier b'TFL3'"),
        (struct.pack("<I", 2**31) + STREAM[4:], "points outside the file"),
        (STREAM[: len(STREAM) // 2], "outside the file"),
    ],
    ids=["empty", "seven bytes", "zip", "root offset", "half"],
)
def test_names_what_is_wrong(content, message):
    with pytest.raises(ModelError, match=message):
        read_model(content)


def test_names_missing_files_and_folders(tmp_path):
    with pytest.raises(ModelError, match=r"cannot read the model .*none\.tflite: No such file"):
        read_model(tmp_path / "none.tflite")
    with pytest.raises(ModelError, match="is not a file"):
        read_model(tmp_path)


def test_content_behind_the_flatbuffer_is_refused():
    """As TFLite writes files over 2 GB; TFLM would take such a weight for an activation."""
    model = schema().ModelT.InitFromPackedBuf(STREAM, 0)
    weights = model.buffers[-1]
    weights.data, weights.offset, weights.size = None, len(STREAM), 16
    packer = flatbuffers.Builder(1024)
    packer.Finish(model.Pack(packer), file_identifier=b"TFL3")
    with pytest.raises(ModelError, match="behind the flatbuffer.*TFLM does not read it"):
        read_model(bytes(packer.Output()) + bytes(4096))


def test_every_prefix_is_refused_or_read():
    for size in range(0, len(STREAM), 7):
        try:
            read_model(STREAM[:size])
        except ModelError:
            continue
        # What lies behind the last flatbuffer table is padding.
        assert size > len(STREAM) - 64


def test_overlapping_references_cannot_expand_a_file():
    """2,000 times one subgraph of 2,000 times one tensor: 4 million tensors in 16 kB."""
    count = 2_000

    def references(target: int, here: int) -> bytes:
        return b"".join(struct.pack("<I", target - here - 4 * i) for i in range(count))

    subgraph = 36 + 4 * count + 8
    tensor = subgraph + 12 + 4 * count + 4
    content = b"".join(
        [
            struct.pack("<I4s", 20, b"TFL3"),
            struct.pack("<HHHHHxx", 10, 12, 4, 0, 8),  # vtable of the model, at 8
            struct.pack("<iII", 12, 3, 4),  # model at 20: version 3, subgraphs at 32
            struct.pack("<I", count),
            references(subgraph, 36),
            struct.pack("<HHHxx", 6, 8, 4),  # vtable of the subgraph, 8 bytes before it
            struct.pack("<iI", 8, 4),  # subgraph: its tensors follow
            struct.pack("<I", count),
            references(tensor, subgraph + 12),
            struct.pack("<HH", 4, 4),  # vtable of the tensor: no field
            struct.pack("<i", 4),
        ]
    )
    with pytest.raises(ModelError, match="expand to more than 8 times its file"):
        read_model(content)


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutants_raise_model_errors_only(count):
    rng = np.random.default_rng(count)
    read = 0
    for i in range(count):
        try:
            read_model(damage(ALL[i % len(ALL)], rng))
            read += 1
        except ModelError as error:
            assert str(error)
    # Damage to weights and names is invisible: many mutants are valid models.
    assert count // 20 < read < count


@settings(max_examples=100)
@given(
    st.sampled_from([STREAM, VARIABLE]),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_overwritten_bytes_raise_model_errors_only(content, edits):
    damaged = bytearray(content)
    for position, value in edits:
        damaged[position % len(damaged)] = value
    try:
        read_model(bytes(damaged))
    except ModelError:
        pass


@settings(max_examples=100)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(noise):
    with pytest.raises(ModelError):
        read_model(b"\x1c\x00\x00\x00TFL3" + noise)


def test_mutants_run_or_are_refused():
    """What the reader lets through must not break planner, prepare steps or kernels either."""
    rng = np.random.default_rng(5)
    for i in range(300):
        content = damage(ALL[i % len(ALL)], rng)
        try:
            interpreter = Interpreter(model_content=content)
            interpreter.allocate_tensors()
            interpreter.invoke()
        except FirmwareRefError as error:
            assert str(error)
