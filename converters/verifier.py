"""Checks the structure of a .tflite file before anything reads it.

A .tflite is a flatbuffer: offsets that lead from table to table, trusted by every reader. One wrong offset makes a
reader crash, walk in circles or take strings of gigabytes. Here every offset, length and count is checked against
the file first, and the total amount of what a reader would see is bounded: shared parts count as often as they are
used, since readers unfold them.
"""

import struct
from dataclasses import dataclass, field

MOST_BYTES = 128 * 2**20
# Many times what models for microcontrollers have; reading as many takes about a second.
_MOST_TABLES = 20_000
# Names, shapes, scales and index lists together, without contents of tensors. Honest files share almost nothing.
_MOST_UNFOLDING = 8
_MOST_UNFOLDED_BYTES = 8 * 2**20
ITEM_BYTES = {"i8": 1, "u8": 1, "bool": 1, "i32": 4, "u32": 4, "f32": 4, "i64": 8, "u64": 8}

# The parts of TensorFlow Lite's schema that anybody reads here: per table, slot -> kind. A kind is a scalar, `string`,
# `[scalar]`, `[Table]`, `Table`, or `any` for a table of an operator's options, whose fields depend on the operator.
SCHEMA: dict[str, dict[int, str]] = {
    "Model": {
        0: "u32",
        1: "[OperatorCode]",
        2: "[SubGraph]",
        3: "string",
        4: "[Buffer]",
        5: "[i32]",
        6: "[Metadata]",
        7: "[SignatureDef]",
    },
    "OperatorCode": {0: "i8", 1: "string", 2: "i32", 3: "i32"},
    "SubGraph": {0: "[Tensor]", 1: "[i32]", 2: "[i32]", 3: "[Operator]", 4: "string"},
    "Tensor": {0: "[i32]", 1: "i8", 2: "u32", 3: "string", 4: "Quantization", 5: "bool", 6: "any", 7: "[i32]"},
    "Quantization": {0: "[f32]", 1: "[f32]", 2: "[f32]", 3: "[i64]", 4: "u8", 5: "any", 6: "i32"},
    "Operator": {
        0: "u32",
        1: "[i32]",
        2: "[i32]",
        3: "u8",
        4: "any",
        5: "[u8]",
        6: "i8",
        7: "[bool]",
        8: "[i32]",
        9: "u64",
        10: "u64",
        11: "u8",
        12: "any",
    },
    "Buffer": {0: "[bytes]", 1: "u64", 2: "u64"},
    "Metadata": {0: "string", 1: "u32"},
    "SignatureDef": {0: "[TensorMap]", 1: "[TensorMap]", 2: "string", 4: "u32"},
    "TensorMap": {0: "string", 1: "u32"},
    # Options of the operators that TinyCerb's own runtime has; `verify_table` checks one when it is asked for.
    "Conv2DOptions": {0: "i8", 1: "i32", 2: "i32", 3: "i8", 4: "i32", 5: "i32"},
    "DepthwiseConv2DOptions": {0: "i8", 1: "i32", 2: "i32", 3: "i32", 4: "i8", 5: "i32", 6: "i32"},
    "Pool2DOptions": {0: "i8", 1: "i32", 2: "i32", 3: "i32", 4: "i32", 5: "i8"},
    "FullyConnectedOptions": {0: "i8", 1: "i8", 2: "bool", 3: "bool"},
    "ReducerOptions": {0: "bool"},
    "StridedSliceOptions": {0: "i32", 1: "i32", 2: "i32", 3: "i32", 4: "i32", 5: "bool"},
    "GatherOptions": {0: "i32", 1: "i32"},
    "ConcatenationOptions": {0: "i32", 1: "i8"},
    "ReshapeOptions": {0: "[i32]"},
    "SqueezeOptions": {0: "[i32]"},
    "AddOptions": {0: "i8", 1: "bool"},
    "MulOptions": {0: "i8"},
    "SoftmaxOptions": {0: "f32"},
}


class ModelFileError(ValueError):
    """The bytes are no .tflite model that can be read."""


def verify(content: bytes) -> None:
    """Checks that every offset and length of the file stays inside it and that reading it takes bounded work.

    Raises:
        ModelFileError: no .tflite file, truncated, or damaged; the message names the table and the field.
    """
    if len(content) > MOST_BYTES:
        raise ModelFileError(f"the file has {len(content):,} bytes; allowed: up to {MOST_BYTES:,}")
    if len(content) < 8 or content[4:8] != b"TFL3":
        raise ModelFileError(f"no .tflite file: its identifier is {content[4:8]!r}, expected b'TFL3'")
    walk = _Walk(content, min(_MOST_UNFOLDING * len(content) + 65536, _MOST_UNFOLDED_BYTES))
    walk.table(walk.offset(0, "the root"), "Model")


def verify_table(content: bytes, position: int, kind: str) -> None:
    """Checks that a table of a verified file is one of `kind`, for tables whose kind depends on another field.

    Raises:
        ModelFileError: a field lies outside of the table, or what it points to outside of the file.
    """
    _Walk(content, _MOST_UNFOLDED_BYTES).table(position, kind)


@dataclass
class _Walk:
    """What is left to spend while walking through a file."""

    content: bytes
    bytes_left: int
    tables_left: int = field(default=_MOST_TABLES)

    def _read(self, form: str, position: int, size: int, where: str) -> int:
        if not 0 <= position <= len(self.content) - size:
            raise ModelFileError(
                f"the .tflite file is damaged or truncated: {where} lies at byte {position:,} of {len(self.content):,}"
            )
        return struct.unpack_from(form, self.content, position)[0]

    def offset(self, position: int, where: str) -> int:
        """Follows an unsigned offset."""
        distance = self._read("<I", position, 4, where)
        if distance == 0:
            raise ModelFileError(f"the .tflite file is damaged: {where} points to itself")
        return position + distance

    def _spend(self, size: int, where: str) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise ModelFileError(f"the .tflite file is damaged: its parts overlap too often ({where})")

    def _vector(self, position: int, item_bytes: int, where: str) -> int:
        """Checks that a vector lies inside the file; returns its length."""
        length = self._read("<I", position, 4, f"the length of {where}")
        if length * item_bytes > len(self.content) - position - 4:
            raise ModelFileError(
                f"the .tflite file is damaged or truncated: {where} claims {length:,} items of {item_bytes} byte(s), "
                f"more than the file has left"
            )
        return length

    def _string(self, position: int, where: str) -> None:
        length = self._vector(position, 1, where)
        self._spend(length, where)

    def table(self, position: int, kind: str) -> None:
        """Checks a table and everything below it; the schema has no cycles, so this ends."""
        self.tables_left -= 1
        if self.tables_left < 0:
            raise ModelFileError(f"the .tflite file has more than {_MOST_TABLES:,} tables")
        vtable = position - self._read("<i", position, 4, f"a table {kind}")
        vtable_bytes = self._read("<H", vtable, 2, f"the field list of a table {kind}")
        table_bytes = self._read("<H", vtable + 2, 2, f"the field list of a table {kind}")
        if vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > len(self.content):
            raise ModelFileError(
                f"the .tflite file is damaged: a table {kind} has a field list of {vtable_bytes} bytes"
            )
        if table_bytes < 4 or position + table_bytes > len(self.content):
            raise ModelFileError(f"the .tflite file is damaged: a table {kind} of {table_bytes} bytes leaves the file")
        self._spend(vtable_bytes, kind)
        slots = struct.unpack_from(f"<{vtable_bytes // 2 - 2}H", self.content, vtable + 4)
        if any(slot >= table_bytes or 0 < slot < 4 for slot in slots):
            raise ModelFileError(f"the .tflite file is damaged: a field of a table {kind} lies outside of it")
        for slot, field_kind in SCHEMA.get(kind, {}).items():
            if slot < len(slots) and slots[slot]:
                self._field(position + slots[slot], position + table_bytes, field_kind, f"{kind}, field {slot}")

    def _field(self, position: int, end: int, kind: str, where: str) -> None:
        if position + ITEM_BYTES.get(kind, 4) > end:
            raise ModelFileError(f"the .tflite file is damaged: {where} lies outside of its table")
        if kind in ITEM_BYTES:
            return
        target = self.offset(position, where)
        if kind == "string":
            self._string(target, where)
        elif kind == "[bytes]":
            # A buffer's content is never unfolded by reading the model.
            self._vector(target, 1, where)
        elif kind.startswith("["):
            self._items(target, kind[1:-1], where)
        else:
            self.table(target, kind)

    def _items(self, position: int, kind: str, where: str) -> None:
        item_bytes = ITEM_BYTES.get(kind, 4)
        length = self._vector(position, item_bytes, where)
        self._spend(length * item_bytes, where)
        if kind in SCHEMA:
            for index in range(length):
                self.table(self.offset(position + 4 + 4 * index, f"{where}[{index}]"), kind)
