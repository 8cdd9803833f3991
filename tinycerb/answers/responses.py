"""What happens to a posterior before it leaves the device: the response part of a defence.

A response stands in a file's metadata as text, `rounding,bits=3`, and can be put on an existing model without
retraining. Here is the host's integer reference; the device applies the same.
"""

from collections.abc import Callable
from dataclasses import Field, dataclass, fields
from typing import Any

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.errors import UsageError, suggest
from tinycerb.registry import Registry

# uint8 [N, classes], rows that sum to 256 -> uint8 [N, classes], no row all zero; the sum is restored afterwards.
Response = Callable[[np.ndarray], np.ndarray]
# A response is a frozen dataclass whose fields are its options.
RESPONSES: Registry[type] = Registry("response")


@RESPONSES.register("none")
@dataclass(frozen=True)
class Unchanged:
    """Answers with the posterior as it is."""

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns the codes."""
        return codes


@RESPONSES.register("top1")
@dataclass(frozen=True)
class LabelOnly:
    """Answers with the label alone."""

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns 255 for the first largest code of a row and 0 elsewhere."""
        return np.eye(codes.shape[1], dtype=np.uint8)[codes.argmax(axis=1)] * np.uint8(255)


@RESPONSES.register("rounding")
@dataclass(frozen=True)
class Rounding:
    """Rounds posteriors to a grid of 2^bits steps; classes that fall on the same step are tied, the label's too.

    Attributes:
        bits: 1 to 8; with 8 nothing is rounded.
    """

    bits: int = 2

    def __post_init__(self) -> None:
        """Checks the option."""
        if not 1 <= self.bits <= 8:
            raise UsageError(f"bits is {self.bits} in response 'rounding'; allowed: 1 to 8")

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns codes rounded to the nearest step, halves up; the largest code keeps one step at least."""
        step = 256 >> self.bits
        rounded = np.minimum((codes.astype(np.int64) + step // 2) // step * step, 255)
        rows = np.arange(len(codes))
        top = codes.argmax(axis=1)
        rounded[rows, top] = np.maximum(rounded[rows, top], min(step, 255))
        return rounded.astype(np.uint8)


def parse_response(text: str) -> Response:
    """Makes a response from `NAME` or `NAME,option=value,...`.

    Raises:
        UsageError: unknown name or option, or a value of another type.
    """
    name, *settings = text.split(",")
    kind = RESPONSES[name]
    known = {field.name: field for field in fields(kind)}
    options: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        if key not in known:
            allowed = ", ".join(known) or "none"
            raise UsageError(f"response {name!r} has no option {key!r}{suggest(key, known)}; its options: {allowed}")
        options[key] = _value(name, known[key], value)
    return kind(**options)


def _value(response: str, option: Field, text: str) -> Any:
    kind = {"int": int, "float": float}[str(getattr(option.type, "__name__", option.type))]
    try:
        return kind(text)
    except ValueError:
        raise UsageError(
            f"{option.name} is {text!r} in response {response!r}; expected a {kind.__name__}, e.g. "
            f"{option.name}={option.default}"
        ) from None


def respond(response: Response, codes: np.ndarray) -> np.ndarray:
    """Applies a response and restores the sum of 256; all responses pass the same normaliser.

    Args:
        response: what `parse_response` gives.
        codes: uint8 [N, classes], rows that sum to 256.
    """
    return normalise(response(codes))
