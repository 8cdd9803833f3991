"""Options as text: `NAME,key=value,...`, several parts joined by `+`."""

import re
from collections.abc import Mapping, Sequence

from tinycerb.errors import UsageError, suggest
from tinycerb.options.declaration import Option, options_of, text_of
from tinycerb.registry import Registry

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_EXPECTED = {int: "a whole number", float: "a number"}
# A + stands between parts where a name follows: the one of 1e+3 is part of a number.
_JOINT = re.compile(r"\+(?=\s*(?:[A-Za-z]|$))")


def split_parts(text: str, *registries: Registry) -> list[str]:
    """Splits `NAME,key=value+OTHER,key=value` into its parts.

    Args:
        text: parts joined by `+`.
        registries: where their names are known. A piece of no known name belongs to the option before it, if that one's
            own values are joined by `+`.
    """
    parts: list[str] = []
    for piece in map(str.strip, _JOINT.split(text)):
        known = any(_name(piece) in registry for registry in registries)
        if parts and not known and _ends_joined(parts[-1], registries):
            parts[-1] += f"+{piece}"
        else:
            parts.append(piece)
    return parts


def parse_part(text: str, registry: Registry) -> tuple[str, dict[str, object]]:
    """Reads `NAME,key=value,...`, the one form in which options stand on a command line or in a model's file.

    Args:
        text: one part; truth is `true`, `1`, `yes`, `false`, `0` or `no`.
        registry: where the name is looked up; its entries are dataclasses.

    Returns:
        The name, and the options that are given, each of its option's type. Their ranges are for `check_options`.

    Raises:
        UsageError: unknown name or option, one that is given twice, or a value of another type.
    """
    name, *settings = (piece.strip() for piece in text.split(","))
    known, called = options_of(registry[name]), f"{registry.kind} {name!r}"
    values: dict[str, object] = {}
    for setting in settings:
        key, _, value = (piece.strip() for piece in setting.partition("="))
        if key not in known:
            allowed = ", ".join(known) or "none"
            raise UsageError(f"{called} has no option {key!r}{suggest(key, known)}; its options: {allowed}")
        if key in values:
            raise UsageError(f"{called} has {key!r} twice; give it once")
        values[key] = _value(called, known[key], value)
    return name, values


def part_text(name: str, values: Mapping[str, object]) -> str:
    """Returns the text that `parse_part` reads the same name and options from."""
    return ",".join([name, *(f"{key}={text_of(value)}" for key, value in values.items())])


def _value(called: str, known: Option, text: str) -> object:
    if known.kind is bool:
        if text.lower() not in _TRUTH:
            raise UsageError(f"{called}: option {known.name} is {text!r}; allowed: true, false")
        return _TRUTH[text.lower()]
    try:
        return known.kind(text)
    except ValueError:
        raise UsageError(
            f"{called}: option {known.name} is {text!r}; expected {_EXPECTED[known.kind]}, e.g. "
            f"{known.name}={text_of(known.default)}"
        ) from None


def _name(part: str) -> str:
    return part.split(",")[0].strip()


def _ends_joined(part: str, registries: Sequence[Registry]) -> bool:
    last = part.split(",")[-1].partition("=")[0].strip()
    kinds = [registry[_name(part)] for registry in registries if _name(part) in registry]
    return any(last in (known := options_of(kind)) and known[last].limits.joined for kind in kinds)
