"""TOML and JSON of unknown origin: numbers that fit a machine word, nested no deeper than people write."""

import tomllib

from tinycerb.errors import UsageError

_DEEPEST = 16
_MOST_DIGITS = 20
_WORD = 2**63


def parse_toml(text: str, where: str) -> dict[str, object]:
    """Parses TOML.

    Args:
        text: what stands in the file.
        where: what to call it in messages.

    Raises:
        UsageError: no TOML, too deep, or a number beyond 64 bits.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not valid TOML: {error}") from error
    except RecursionError:
        raise _too_deep(where) from None
    except ValueError as error:
        # Python's word for a number of thousands of digits.
        raise UsageError(f"{where} is not valid TOML: {error}") from error
    check_values(table, where)
    return table


def check_values(table: object, where: str) -> None:
    """Checks what was parsed; others print, copy and compare it, which must not overflow.

    Raises:
        UsageError: too deep, or a number beyond 64 bits.
    """
    level: list[object] = [table]
    for _ in range(_DEEPEST):
        following: list[object] = []
        for value in level:
            if isinstance(value, dict | list):
                following += value.values() if isinstance(value, dict) else value
            elif isinstance(value, int) and not -_WORD <= value < _WORD:
                raise UsageError(f"{where} holds a number of {value.bit_length()} bits; allowed: up to 64")
        level = following
    if level:
        raise _too_deep(where)


def parse_whole_number(text: str) -> int:
    """For `json.loads`, as `parse_int`.

    Raises:
        ValueError: it has more digits than a machine word.
    """
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits; allowed: up to {_MOST_DIGITS}")
    return int(text)


def _too_deep(where: str) -> UsageError:
    return UsageError(f"{where} is nested too deep; allowed: {_DEEPEST} levels")
