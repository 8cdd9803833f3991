"""Options of responses: fields of frozen dataclasses that know their ranges and explain themselves."""

from dataclasses import field, fields
from typing import Any

from tinycerb.errors import UsageError, suggest


def option(
    default: Any,
    meaning: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple = (),
    local: bool = False,
) -> Any:
    """Declares an option.

    Args:
        default: its value where none is given.
        meaning: one line for people.
        low: smallest allowed number.
        high: largest allowed number.
        choices: allowed words.
        local: it is a path, which no model's file may name.
    """
    metadata = {"meaning": meaning, "low": low, "high": high, "choices": choices, "local": local}
    return field(default=default, metadata=metadata)


def allowed(metadata: Any) -> str:
    """Returns what an option's metadata allow, in words."""
    if metadata.get("choices"):
        return ", ".join(metadata["choices"])
    low, high = metadata.get("low"), metadata.get("high")
    if low is None:
        return "any"
    return f"{low:g} to {high:g}" if high is not None else f"{low:g} or more"


def check_options(response: Any) -> None:
    """Checks every option of a response against its declaration.

    Raises:
        UsageError: out of range or no choice; the message names the option and what is allowed.
    """
    for each in fields(response):
        value, limits = getattr(response, each.name), each.metadata
        choices, low, high = limits.get("choices"), limits.get("low"), limits.get("high")
        wrong = choices and value not in choices
        # A comparison that NaN fails, too.
        if low is not None and not (value >= low and (high is None or value <= high)):
            wrong = True
        if wrong:
            near = suggest(value, choices) if choices else ""
            raise UsageError(
                f"{each.name} is {value!r} in response {response.name!r}{near}; allowed: {allowed(limits)}"
            )
