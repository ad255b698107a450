"""The reader's own tables against the generated schema that the TFLM wheel ships."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from model_builder import schema
from oracle import needs_oracle

from firmware_ref.model import TensorType
from firmware_ref.options import Activation, Padding, WeightsFormat
from firmware_ref.schema import BUILTIN_OPERATORS, BUILTIN_OPTIONS, CUSTOM, SCHEMA_VERSION, Slot

pytestmark = needs_oracle


def _members(name: str) -> dict[str, int]:
    return {k: v for k, v in vars(getattr(schema(), name)).items() if not k.startswith("_")}


def _slots(table: str) -> dict[str, int]:
    """Field name in upper snake case -> slot, read off the generated `AddX` functions."""
    found = {}
    for name, function in vars(schema()).items():
        match = re.fullmatch(f"{table}Add(\\w+)", name)
        if match:
            snake = re.sub(r"(?<!^)(?=[A-Z])", "_", match[1]).upper()
            # PrependXSlot(slot, value, default): the slot is the first constant after None.
            constants = [c for c in function.__code__.co_consts if isinstance(c, int)]
            found[snake] = constants[0]
    return found


def test_operator_names_are_the_schemas():
    assert {name: i for i, name in enumerate(BUILTIN_OPERATORS)} == _members("BuiltinOperator")
    assert BUILTIN_OPERATORS[CUSTOM] == "CUSTOM"
    assert SCHEMA_VERSION == 3


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TensorType, "TensorType"),
        (Padding, "Padding"),
        (Activation, "ActivationFunctionType"),
        (WeightsFormat, "FullyConnectedOptionsWeightsFormat"),
    ],
)
def test_enums_are_the_schemas(ours, theirs):
    assert {member.name: member.value for member in ours} == _members(theirs)


@pytest.mark.parametrize(("number", "kind"), BUILTIN_OPTIONS.items())
def test_options_have_the_schemas_fields_in_order(number, kind):
    name = {v: k for k, v in _members("BuiltinOptions").items()}[number]
    assert kind.__name__ == name
    slots = sorted(_slots(name).items(), key=lambda item: item[1])
    ours = [field.name.upper() for field in fields(kind)]
    assert [field for field, _ in slots][: len(ours)] == ours
    assert [slot for _, slot in slots] == list(range(kind.first_slot, kind.first_slot + len(slots)))


@pytest.mark.parametrize(("number", "kind"), BUILTIN_OPTIONS.items())
def test_options_have_the_schemas_defaults(number, kind):
    theirs = getattr(schema(), kind.__name__ + "T")()
    for field in fields(kind):
        camel = re.sub(r"_(\w)", lambda m: m[1].upper(), field.name)
        default = getattr(theirs, camel)
        assert field.default == ({str: "", tuple: ()}.get(type(field.default), default)), field.name


@pytest.mark.parametrize(
    ("prefix", "table", "renamed"),
    [
        ("MODEL", "Model", {}),
        ("CODE", "OperatorCode", {"DEPRECATED_BUILTIN": "DEPRECATED_BUILTIN_CODE",
                                  "CUSTOM": "CUSTOM_CODE", "BUILTIN": "BUILTIN_CODE"}),
        ("SUBGRAPH", "SubGraph", {}),
        ("TENSOR", "Tensor", {}),
        ("QUANTIZATION", "QuantizationParameters", {"AXIS": "QUANTIZED_DIMENSION"}),
        ("OPERATOR", "Operator", {"CODE_INDEX": "OPCODE_INDEX",
                                  "OPTIONS_TYPE": "BUILTIN_OPTIONS_TYPE",
                                  "OPTIONS": "BUILTIN_OPTIONS"}),
        ("BUFFER", "Buffer", {}),
        ("METADATA", "Metadata", {}),
        ("SIGNATURE", "SignatureDef", {"KEY": "SIGNATURE_KEY", "SUBGRAPH": "SUBGRAPH_INDEX"}),
        ("TENSOR_MAP", "TensorMap", {"INDEX": "TENSOR_INDEX"}),
    ],
)  # fmt: skip
def test_slots_are_the_schemas(prefix, table, renamed):
    theirs = _slots(table)
    for name, slot in vars(Slot).items():
        if not name.startswith(prefix + "_") or (prefix == "TENSOR" and "MAP" in name):
            continue
        field = name.removeprefix(prefix + "_")
        assert theirs[renamed.get(field, field)] == slot, name
