"""Metadata is added behind a new root; the old file stays byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
from known_models import KNOWN_MODELS
from model_builder import ModelBuilder, schema
from oracle import AVAILABLE

from firmware_ref.errors import ModelError
from firmware_ref.metadata_writer import with_metadata
from firmware_ref.reader import read_model


def model_with_metadata() -> bytes:
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = graph.tensor([1, 4], np.int8, scale=0.1), graph.tensor([1, 4], np.int8, scale=0.1)
    graph.operator("RELU", [x], [y])
    model.metadata("first", b"one")
    model.metadata("second", b"two")
    return model.build([x], [y])


def test_an_entry_is_added() -> None:
    content = KNOWN_MODELS["hello_world"]()
    changed = with_metadata(content, "name", b"\1\2\3")
    assert read_model(changed).metadata == {"name": b"\1\2\3"}
    assert changed.endswith(content)
    assert (len(changed) - len(content)) % 64 == 0


def test_entries_are_kept_and_the_one_of_that_name_is_replaced() -> None:
    changed = with_metadata(model_with_metadata(), "first", b"new")
    assert read_model(changed).metadata == {"second": b"two", "first": b"new"}
    again = with_metadata(changed, "third", b"")
    assert read_model(again).metadata == {"second": b"two", "first": b"new", "third": b""}


@pytest.mark.skipif(not AVAILABLE, reason="the official schema comes with the tflite-micro wheel")
def test_the_official_schema_reads_the_same_model() -> None:
    content = model_with_metadata()
    value = bytes(range(40))
    old, new = (
        schema().ModelT.InitFromPackedBuf(c, 0)
        for c in (content, with_metadata(content, "x", value))
    )
    assert (new.version, new.description) == (old.version, old.description)
    assert len(new.operatorCodes) == len(old.operatorCodes)
    assert [len(s.tensors) for s in new.subgraphs] == [len(s.tensors) for s in old.subgraphs]
    assert [m.name for m in new.metadata] == [b"first", b"second", b"x"]
    added = new.buffers[new.metadata[-1].buffer].data
    assert np.asarray(added, np.uint8).tobytes() == value
    kept = zip(old.buffers, new.buffers[:-1], strict=True)
    assert all(np.array_equal(a.data, b.data) for a, b in kept)


def test_the_added_data_is_aligned_as_the_schema_asks() -> None:
    value = b"\x5a" * 37
    changed = with_metadata(KNOWN_MODELS["hello_world"](), "name", value)
    assert changed.index(value) % 16 == 0


def test_damaged_files_are_refused() -> None:
    with pytest.raises(ModelError, match="too short"):
        with_metadata(b"", "name", b"")
    with pytest.raises(ModelError, match="expected the identifier"):
        with_metadata(b"\0" * 64, "name", b"")
