"""Plain tables (from TOML or JSON) to frozen dataclasses, checked key by key and type by type."""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from tinycerb.errors import UsageError, suggest

Built = TypeVar("Built")


def build(kind: type[Built], table: Mapping[str, object], where: str) -> Built:
    """Builds the dataclass `kind` from `table`.

    Args:
        kind: a dataclass whose fields are str, int, float, bool, a mapping, a dataclass or a tuple of these.
        table: the values; keys that are left out take the dataclass's defaults.
        where: what to call the table in messages.

    Raises:
        UsageError: unknown or missing key, or a value of the wrong type.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    for key in table:
        if key not in fields:
            raise UsageError(f"{where}: unknown key {key!r}{suggest(key, fields)}; allowed: {', '.join(fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in table:
            raise UsageError(f"{where}: the key {name!r} is missing")
    values = {key: _convert(hints[key], value, f"{where}.{key}") for key, value in table.items()}
    return kind(**values)


def _convert(hint: Any, value: object, where: str) -> object:
    origin: Any = typing.get_origin(hint) or hint
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return build(hint, _table(value, where), where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(where, "a list", value)
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, item, f"{where}[{index}]") for index, item in enumerate(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict(_table(value, where))
    if origin is types.UnionType:
        raise TypeError(f"{where}: unions are not supported in configuration dataclasses")
    if hint is float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong(where, "a number", value)
        if not math.isfinite(value):
            raise _wrong(where, "a finite number", value)
        return float(value)
    if (hint is int and isinstance(value, bool)) or not isinstance(value, hint):
        raise _wrong(where, {int: "a whole number", str: "a string", bool: "true or false"}[hint], value)
    return value


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _wrong(where, "a table", value)
    return value


def _wrong(where: str, wanted: str, value: object) -> UsageError:
    return UsageError(f"{where} is {value!r:.200}; expected {wanted}")
