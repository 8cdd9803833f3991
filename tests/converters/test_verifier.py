"""Hostile files: each trick is refused by name, at once."""

import struct
import time
from pathlib import Path

import pytest

from tinycerb.converters.model_file import parse_model
from tinycerb.converters.verifier import ModelFileError, verify

TINY = (Path(__file__).parents[2] / "tinycerb/doctor/tiny.tflite").read_bytes()


def table(*fields: tuple[int, bytes]) -> bytes:
    """A lone flatbuffer table of 4-byte fields behind its field list."""
    slots = max((slot for slot, _ in fields), default=-1) + 1
    offsets = [0] * slots
    body = b""
    for slot, value in fields:
        offsets[slot] = 4 + len(body)
        body += value
    fields_list = struct.pack(f"<HH{slots}H", 4 + 2 * slots, 4 + len(body), *offsets)
    fields_list += b"\0" * (-len(fields_list) % 4)
    return fields_list + struct.pack("<i", len(fields_list)) + body


def file_with(root: bytes, root_table: int, tail: bytes = b"") -> bytes:
    return struct.pack("<I4s", 8 + root_table, b"TFL3") + root + tail


def test_the_bundled_model_passes() -> None:
    verify(TINY)
    assert parse_model(TINY).operators[0].name == "FULLY_CONNECTED"


@pytest.mark.parametrize("keep", range(0, len(TINY), 7))
def test_every_truncation_is_refused(keep: int) -> None:
    with pytest.raises(ModelFileError):
        parse_model(TINY[:keep])


def test_a_vector_that_claims_four_billion_items_is_refused() -> None:
    root = table((2, struct.pack("<I", 4)))
    content = file_with(root, len(root) - 8, struct.pack("<I", 0xFFFFFFFF))
    with pytest.raises(ModelFileError, match=r"Model, field 2 claims 4,294,967,295 items"):
        verify(content)


def test_shared_parts_do_not_unfold_without_bound() -> None:
    """Ten thousand subgraphs that are all the same one with ten thousand tensors: a bomb of 80 KB."""
    count = 10_000
    # Layout: header 8, field list 12, table 8, then the vector of subgraphs.
    root = table((2, struct.pack("<I", 4)))
    table_at = 8 + len(root) - 8
    vector_at = table_at + 8
    assert file_with(root, len(root) - 8)[table_at:vector_at] == root[-8:]
    graph = table((0, struct.pack("<I", 4)))
    graph_at = vector_at + 4 + 4 * count + len(graph) - 8
    vector = struct.pack("<I", count) + b"".join(
        struct.pack("<I", graph_at - (vector_at + 4 + 4 * index)) for index in range(count)
    )
    tensors_at = graph_at + 8
    tensor = table()
    tensor_at = tensors_at + 4 + 4 * count + len(tensor) - 4
    tensors = struct.pack("<I", count) + b"".join(
        struct.pack("<I", tensor_at - (tensors_at + 4 + 4 * index)) for index in range(count)
    )
    content = file_with(root, len(root) - 8, vector + graph + tensors + tensor)
    assert len(content) < 100_000
    start = time.process_time()
    with pytest.raises(ModelFileError, match=r"overlap too often|more than 20,000 tables"):
        verify(content)
    assert time.process_time() - start < 2


def test_an_offset_to_itself_is_refused() -> None:
    root = table((1, struct.pack("<I", 0)))
    with pytest.raises(ModelFileError, match="points to itself"):
        verify(file_with(root, len(root) - 8))


def test_a_negative_tensor_index_is_refused() -> None:
    """Python would take -2 as the last but one."""
    model = parse_model(TINY)
    index = model.operators[0].outputs[0].index
    needle, messages = struct.pack("<Ii", 1, index), []
    # A list of one index looks like other numbers of the file: every place is tried.
    for place in range(0, len(TINY), 4):
        if TINY[place : place + 8] == needle:
            with pytest.raises(ModelFileError) as caught:
                parse_model(TINY[: place + 4] + struct.pack("<i", -2) + TINY[place + 8 :])
            messages.append(str(caught.value))
    assert any("names tensor -2" in message for message in messages), messages


def test_a_file_with_no_graph_is_refused() -> None:
    root = table()
    with pytest.raises(ModelFileError, match="no subgraph"):
        parse_model(file_with(root, len(root) - 4))
