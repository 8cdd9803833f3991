"""JSON objects of unknown origin as frozen dataclasses, and back: the fields are the keys, their types what is allowed.

A field that has no default must be there, and is written even where it is null. A field whose default is None is left
out where it is None. Numbers stay as they are, so that what is read is written again byte for byte.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import TypeVar

from tinycerb.errors import suggest

Built = TypeVar("Built")
_WORDS: Mapping[object, str] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    object: "any value",
    str: "a text",
    type(None): "null",
}


def from_json(kind: type[Built], content: object, where: str, refuse: Callable[[str], Exception]) -> Built:
    """Builds a dataclass from what `json.loads` gives.

    Args:
        kind: a dataclass of str, int, float, bool, object, dataclasses, and tuples, mappings and `| None` of these.
        content: what stands in the file.
        where: what to call it in messages; "" for the file itself.
        refuse: makes the exception of a message that names the field, its value and what is allowed.
    """
    if not isinstance(content, Mapping):
        raise refuse(f"{where or 'the content'} is {content!r:.60}; expected an object with {', '.join(_keys(kind))}")
    hints = typing.get_type_hints(kind)
    for key in content:
        if key not in hints:
            raise refuse(f"{_inside(where, key)} is unknown{suggest(key, hints)}; allowed: {', '.join(hints)}")
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in content:
            place = _inside(where, field.name)
            values[field.name] = _convert(hints[field.name], content[field.name], place, refuse)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise refuse(f"{_inside(where, field.name)} is missing; expected {_wanted(hints[field.name])}")
    return kind(**values)


def to_json(value: object) -> dict[str, object]:
    """Returns a dataclass as `from_json` reads it: keys in the order of the fields, lists for tuples."""
    return {
        field.name: _plain(getattr(value, field.name))
        for field in dataclasses.fields(value)  # type: ignore[arg-type]
        if getattr(value, field.name) is not None or field.default is not None
    }


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return to_json(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _convert(hint: object, value: object, where: str, refuse: Callable[[str], Exception]) -> object:
    arguments = typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return _convert(inner, value, where, refuse)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value, where, refuse)
    if typing.get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_convert(arguments[0], item, f"{where}[{at}]", refuse) for at, item in enumerate(value))
    if typing.get_origin(hint) is not None and isinstance(value, Mapping):
        return {key: _convert(arguments[1], item, _inside(where, key), refuse) for key, item in value.items()}
    if not _is_a(hint, value):
        raise refuse(f"{where} is {value!r:.60}; expected {_wanted(hint)}")
    return value


def _is_a(hint: object, value: object) -> bool:
    if hint is object:
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return hint in (bool, int, str) and type(value) is hint


def _wanted(hint: object) -> str:
    arguments = typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        return " or ".join(map(_wanted, arguments))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return f"an object with {', '.join(_keys(hint))}"
    if typing.get_origin(hint) is tuple:
        return f"a list, each item {_wanted(arguments[0])}"
    return _WORDS.get(hint) or f"an object, each value {_wanted(arguments[1])}"


def _keys(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _inside(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)
