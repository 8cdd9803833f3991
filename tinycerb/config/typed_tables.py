"""Plain tables (from TOML or JSON) to frozen dataclasses, checked key by key and type by type."""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from tinycerb.errors import UsageError, suggest

Built = TypeVar("Built")


def build(kind: type[Built], table: Mapping[str, Any], where: str) -> Built:
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


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin: Any = typing.get_origin(hint) or hint
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        _expect(isinstance(value, Mapping), where, "a table", value)
        return build(hint, value, where)
    if origin is tuple:
        _expect(isinstance(value, list | tuple), where, "a list", value)
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, item, f"{where}[{index}]") for index, item in enumerate(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _expect(isinstance(value, Mapping), where, "a table", value)
        return dict(value)
    if origin is types.UnionType:
        raise TypeError(f"{where}: unions are not supported in configuration dataclasses")
    if hint is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), where, "a number", value)
        _expect(math.isfinite(value), where, "a finite number", value)
        return float(value)
    if hint is int:
        _expect(isinstance(value, int) and not isinstance(value, bool), where, "a whole number", value)
        return value
    _expect(isinstance(value, hint), where, {str: "a string", bool: "true or false"}[hint], value)
    return value


def _expect(condition: bool, where: str, wanted: str, value: Any) -> None:
    if not condition:
        raise UsageError(f"{where} is {value!r:.200}; expected {wanted}")
