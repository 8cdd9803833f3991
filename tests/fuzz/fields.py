"""Finds every field of a .tflite file, and changes some: what comes out is a sound file that says something else.

Damage by bytes mostly breaks the file's structure, which the verifier refuses. Here the structure stays.
"""

import random
import struct
from dataclasses import dataclass

import tflite

from tinycerb.converters.verifier import SCHEMA

_FORMS = {"i8": "<b", "u8": "<B", "bool": "<B", "i32": "<i", "u32": "<I", "f32": "<f", "i64": "<q", "u64": "<Q"}
_OPTIONS = {value: name for name, value in vars(tflite.BuiltinOptions).items() if isinstance(value, int)}
LENGTH, CONTENT = "length", "content"


@dataclass(frozen=True)
class Field:
    """A place in a file.

    Attributes:
        name: table and slot, such as `Tensor.0`.
        owner: places in the lists that lead there; (0, 5) for tensor 5 of graph 0.
        kind: a scalar kind of the schema, `length` of a list, or `content` of a buffer.
        position: of its first byte.
        size: bytes of a content.
    """

    name: str
    owner: tuple[int, ...]
    kind: str
    position: int
    size: int = 0

    def read(self, content: bytes | bytearray) -> int | float:
        """Returns a scalar's value."""
        return struct.unpack_from(_FORMS.get(self.kind, "<I"), content, self.position)[0]

    def write(self, content: bytearray, value: float) -> None:
        """Writes a scalar; whole numbers wrap around."""
        form = _FORMS.get(self.kind, "<I")
        if self.kind == "f32":
            struct.pack_into(form, content, self.position, value)
            return
        bits = 8 * struct.calcsize(form)
        raw = int(value) & ((1 << bits) - 1)
        content[self.position : self.position + bits // 8] = raw.to_bytes(bits // 8, "little")


def fields_of(content: bytes | bytearray) -> list[Field]:
    """Returns all fields of a file that the verifier accepts; fields at their default may not be there."""
    found: list[Field] = []
    _table(content, struct.unpack_from("<I", content)[0], "Model", (), found)
    return found


def _table(content: bytes | bytearray, position: int, kind: str, owner: tuple[int, ...], found: list[Field]) -> None:
    vtable = position - struct.unpack_from("<i", content, position)[0]
    slots = struct.unpack_from(f"<{struct.unpack_from('<H', content, vtable)[0] // 2 - 2}H", content, vtable + 4)
    for slot, field_kind in SCHEMA.get(kind, {}).items():
        if slot >= len(slots) or not slots[slot]:
            continue
        place = position + slots[slot]
        if field_kind == "any":
            chosen = content[position + slots[3]] if kind == "Operator" and slot == 4 and slots[3] else 0
            _field(content, place, f"{kind}.{slot}", _OPTIONS.get(chosen, ""), owner, found)
        else:
            _field(content, place, f"{kind}.{slot}", field_kind, owner, found)


def _field(
    content: bytes | bytearray, place: int, name: str, kind: str, owner: tuple[int, ...], found: list[Field]
) -> None:
    if kind in _FORMS:
        found.append(Field(name, owner, kind, place))
        return
    target = place + struct.unpack_from("<I", content, place)[0]
    if kind in SCHEMA:
        _table(content, target, kind, owner, found)
    elif kind.startswith("["):
        (length,) = struct.unpack_from("<I", content, target)
        found.append(Field(name, owner, LENGTH, target))
        item = kind[1:-1]
        if item == "bytes":
            found.append(Field(name, owner, CONTENT, target + 4, length))
        for index in range(length if item != "bytes" else 0):
            at = target + 4 + index * (struct.calcsize(_FORMS[item]) if item in _FORMS else 4)
            _field(content, at, name, item, (*owner, index), found)


def change_fields(content: bytes, rng: random.Random, count: int) -> bytes:
    """Returns a copy with `count` changed fields."""
    changed = bytearray(content)
    by_name: dict[str, list[Field]] = {}
    for field in fields_of(content):
        by_name.setdefault(f"{field.name} {field.kind}", []).append(field)
    for _ in range(count):
        # Every kind of field as often as any other, however often it stands there; but of lists, few survive it.
        names = sorted(by_name) if rng.random() < 0.3 else sorted(name for name in by_name if LENGTH not in name)
        like = by_name[rng.choice(names)]
        field = rng.choice(like)
        if field.kind == CONTENT:
            _change_content(changed, field, rng)
        elif field.kind == LENGTH:
            field.write(changed, max(0, int(field.read(changed)) + rng.choice((-1, -1, -1, 1, -2, 100))))
        elif field.kind == "f32":
            field.write(changed, _other_number(float(field.read(changed)), rng))
        else:
            other = int(rng.choice(like).read(changed))
            field.write(changed, _other_integer(int(field.read(changed)), other, rng))
    return bytes(changed)


def _other_number(value: float, rng: random.Random) -> float:
    extremes = (0.0, -value, 1e-45, 1e-38, 1e-9, 1.0, 1e9, 3e38, float("inf"), float("nan"))
    if rng.random() < 0.3:
        return rng.choice(extremes)
    scaled = value * rng.choice((rng.uniform(0.5, 2), 2 ** rng.uniform(-12, 12), 0.5, 2))
    return scaled if abs(scaled) < 3e38 else value


def _other_integer(value: int, other: int, rng: random.Random) -> int:
    near = (value + 1, value - 1, value * 2, value // 2, value + rng.randint(-3, 3), rng.randint(0, 4), other)
    far = (0, -1, -2, rng.randint(-128, 127), 127, 128, 255, 4096, 65536, 2**30, 2**31 - 1, 2**31, 2**32 - 1)
    return rng.choice(near if rng.random() < 0.7 else far)


def _change_content(content: bytearray, field: Field, rng: random.Random) -> None:
    if not field.size:
        return
    first = rng.randrange(field.size)
    last = min(field.size, first + rng.choice((1, 4, 16, field.size)))
    kind = rng.randrange(4)
    for place in range(field.position + first, field.position + last):
        content[place] = (0, 0x80, 0x7F, rng.randrange(256))[kind]
