"""Reads a .tflite file into the IR, trusting nothing in it.

Every offset, index, count, shape and quantisation parameter is checked on the way, so whatever
takes a `Model` may rely on it. Both the old and the new place of the operator code are read
(TFLite's `GetBuiltinCode`: the larger of the two), and missing fields take the schema's defaults.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

from firmware_ref.errors import ModelError
from firmware_ref.flatbuffer import Flatbuffer, Table
from firmware_ref.model import Model, Operator, Signature, Subgraph
from firmware_ref.options import Options
from firmware_ref.schema import (
    BUILTIN_OPERATORS,
    BUILTIN_OPTIONS,
    CUSTOM,
    FILE_IDENTIFIER,
    SCHEMA_VERSION,
    Slot,
)
from firmware_ref.tensor_reader import read_tensor

MAX_FILE_BYTES = 2**31 - 1
"""Flatbuffer offsets are 32-bit and signed in places; no microcontroller has more flash."""


def read_model(source: str | os.PathLike[str] | bytes) -> Model:
    """Read a .tflite model.

    Args:
        source: path of the file, or its content.

    Raises:
        ModelError: the file cannot be read, is truncated or damaged, or contradicts itself.
    """
    content = source if isinstance(source, bytes) else _load(Path(source))
    root = Flatbuffer(content).root(FILE_IDENTIFIER)
    version = root.scalar(Slot.MODEL_VERSION, "uint32")
    if version != SCHEMA_VERSION:
        raise ModelError(f"the model has schema version {version}, expected {SCHEMA_VERSION}.")
    codes = [_operator_code(t) for t in root.tables(Slot.MODEL_OPERATOR_CODES, "operator code")]
    buffers = [_buffer(t) for t in root.tables(Slot.MODEL_BUFFERS, "buffer")]
    tables = root.tables(Slot.MODEL_SUBGRAPHS, "subgraph")
    if not tables:
        raise ModelError("the model has no subgraph, so there is nothing to run.")
    subgraphs = tuple(_subgraph(i, table, codes, buffers) for i, table in enumerate(tables))
    return Model(
        version=version,
        description=root.string(Slot.MODEL_DESCRIPTION),
        subgraphs=subgraphs,
        metadata=_metadata(root, buffers),
        signatures=_signatures(root, subgraphs),
        content_bytes=len(content),
    )


def _load(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ModelError(f"{path} has {size} bytes; a .tflite model has at most 2 GiB.")
        if not path.is_file():
            raise ModelError(f"{path} is not a file; expected a .tflite model.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}.") from error


def _operator_code(table: Table) -> tuple[str, int]:
    """Name and version of an operator code."""
    code = max(
        table.scalar(Slot.CODE_DEPRECATED_BUILTIN, "int8"),
        table.scalar(Slot.CODE_BUILTIN, "int32"),
    )
    version = table.scalar(Slot.CODE_VERSION, "int32", 1)
    if code == CUSTOM:
        return f"CUSTOM:{table.string(Slot.CODE_CUSTOM)}", version
    if not 0 <= code < len(BUILTIN_OPERATORS):
        raise ModelError(
            f"{table.what} is {code}, which names no operator. "
            f"Expected 0 to {len(BUILTIN_OPERATORS) - 1}."
        )
    return BUILTIN_OPERATORS[code], version


def _buffer(table: Table) -> memoryview:
    """Content of a buffer; ModelError where it lies behind the flatbuffer."""
    if table.scalar(Slot.BUFFER_OFFSET, "uint64") > 1:  # 0 and 1 are the schema's marks for "no"
        raise ModelError(
            f"{table.what} keeps its content behind the flatbuffer, as files over 2 GB do; TFLM "
            "does not read it. Convert the model without buffer offsets."
        )
    data = table.array(Slot.BUFFER_DATA, "uint8")
    return memoryview(b"" if data is None else data.data)


def _subgraph(
    index: int, table: Table, codes: list[tuple[str, int]], buffers: list[memoryview]
) -> Subgraph:
    what = f"subgraph {index}"
    tensors = tuple(
        read_tensor(i, t, buffers)
        for i, t in enumerate(table.tables(Slot.SUBGRAPH_TENSORS, f"{what} tensor"))
    )
    count = len(tensors)
    inputs = table.integers(Slot.SUBGRAPH_INPUTS)
    outputs = table.integers(Slot.SUBGRAPH_OUTPUTS)
    _check_indices(inputs, count, f"the inputs of {what}")
    _check_indices(outputs, count, f"the outputs of {what}")
    operators = tuple(
        _operator(i, t, codes, count)
        for i, t in enumerate(table.tables(Slot.SUBGRAPH_OPERATORS, f"{what} operator"))
    )
    subgraph = Subgraph(
        index, table.string(Slot.SUBGRAPH_NAME), tensors, inputs, outputs, operators
    )
    _check_dataflow(subgraph)
    return subgraph


def _operator(
    index: int, table: Table, codes: list[tuple[str, int]], tensor_count: int
) -> Operator:
    code = table.scalar(Slot.OPERATOR_CODE_INDEX, "uint32")
    if code >= len(codes):
        raise ModelError(
            f"{table.what} has the operator code {code}, but the model lists {len(codes)}."
        )
    inputs = table.integers(Slot.OPERATOR_INPUTS)
    outputs = table.integers(Slot.OPERATOR_OUTPUTS)
    intermediates = table.integers(Slot.OPERATOR_INTERMEDIATES)
    _check_indices(inputs, tensor_count, f"the inputs of {table.what}", lowest=-1)
    _check_indices(outputs, tensor_count, f"the outputs of {table.what}")
    _check_indices(intermediates, tensor_count, f"the intermediates of {table.what}")
    custom = table.array(Slot.OPERATOR_CUSTOM_OPTIONS, "uint8")
    return Operator(
        index=index,
        name=codes[code][0],
        version=codes[code][1],
        inputs=inputs,
        outputs=outputs,
        intermediates=intermediates,
        options=_options(table),
        custom_options=b"" if custom is None else custom.tobytes(),
    )


def _options(operator: Table) -> Options | None:
    """Builtin options; None when absent or when no kernel reads any field of their table."""
    kind = BUILTIN_OPTIONS.get(operator.scalar(Slot.OPERATOR_OPTIONS_TYPE, "uint8"))
    table = operator.table(Slot.OPERATOR_OPTIONS, f"the options of {operator.what}")
    if kind is None or table is None:
        return None
    values: dict[str, object] = {}
    for slot, field in enumerate(fields(kind), kind.first_slot):
        stored = field.metadata["kind"]
        if stored == "int32[]":
            values[field.name] = table.integers(slot)
        elif stored == "string":
            values[field.name] = table.string(slot)
        else:
            values[field.name] = table.scalar(slot, stored, field.default)
        if enum := field.metadata.get("enum"):
            try:
                values[field.name] = enum(values[field.name])
            except ValueError as error:
                raise ModelError(
                    f"{table.what}: {field.name} is {values[field.name]}, "
                    f"expected one of {', '.join(f'{e.value} ({e.name})' for e in enum)}."
                ) from error
    return kind(**values)


def _check_indices(indices: tuple[int, ...], count: int, what: str, lowest: int = 0) -> None:
    for index in indices:
        if not lowest <= index < count:
            raise ModelError(
                f"{what} name tensor {index}, expected {lowest} to {count - 1}. "
                "The file is damaged."
            )


def _check_dataflow(subgraph: Subgraph) -> None:
    """Every operator reads only what has been written, and writes neither that nor a constant."""
    written = {
        t.index for t in subgraph.tensors if t.is_constant or t.is_variable or t.elements == 0
    }
    written.update(subgraph.inputs)
    what = f"subgraph {subgraph.index}"
    for operator in subgraph.operators:
        for index in operator.inputs:
            if index >= 0 and index not in written:
                raise ModelError(
                    f"{what} operator {operator.index} ({operator.name}) reads tensor {index} "
                    f"({subgraph.tensors[index].name!r}), which nothing has written yet."
                )
        for index in operator.outputs:
            if subgraph.tensors[index].is_constant:
                raise ModelError(
                    f"{what} operator {operator.index} ({operator.name}) writes tensor {index} "
                    f"({subgraph.tensors[index].name!r}), which is a constant of the file."
                )
            if index in operator.inputs:
                raise ModelError(
                    f"{what} operator {operator.index} ({operator.name}) writes tensor {index} "
                    f"({subgraph.tensors[index].name!r}) while it reads it. What comes of that "
                    "depends on the loops of TFLM's kernel: give the result a tensor of its own."
                )
        written.update(operator.outputs)
    for index in subgraph.outputs:
        if index not in written:
            raise ModelError(f"{what}: nothing writes the output tensor {index}.")


def _metadata(root: Table, buffers: list[memoryview]) -> MappingProxyType[str, bytes]:
    found: dict[str, bytes] = {}
    for table in root.tables(Slot.MODEL_METADATA, "metadata"):
        index = table.scalar(Slot.METADATA_BUFFER, "uint32")
        if index >= len(buffers):
            raise ModelError(
                f"{table.what} names buffer {index}, but the model has {len(buffers)}."
            )
        found.setdefault(table.string(Slot.METADATA_NAME), bytes(buffers[index]))
    return MappingProxyType(found)


def _signatures(root: Table, subgraphs: tuple[Subgraph, ...]) -> tuple[Signature, ...]:
    signatures = []
    for table in root.tables(Slot.MODEL_SIGNATURE_DEFS, "signature"):
        index = table.scalar(Slot.SIGNATURE_SUBGRAPH, "uint32")
        if index >= len(subgraphs):
            raise ModelError(
                f"{table.what} names subgraph {index}, but the model has {len(subgraphs)}."
            )
        count = len(subgraphs[index].tensors)
        signatures.append(
            Signature(
                table.string(Slot.SIGNATURE_KEY),
                index,
                _tensor_map(table, Slot.SIGNATURE_INPUTS, "input", count),
                _tensor_map(table, Slot.SIGNATURE_OUTPUTS, "output", count),
            )
        )
    return tuple(signatures)


def _tensor_map(signature: Table, slot: int, role: str, count: int) -> MappingProxyType[str, int]:
    found: dict[str, int] = {}
    for table in signature.tables(slot, f"{signature.what} {role}"):
        index = table.scalar(Slot.TENSOR_MAP_INDEX, "uint32")
        _check_indices((index,), count, f"the {role}s of {signature.what}")
        found[table.string(Slot.TENSOR_MAP_NAME)] = index
    return MappingProxyType(found)
