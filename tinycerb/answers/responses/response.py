"""What a response is, on the host and for the device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.converters.c_model.response import ResponseStep
from tinycerb.errors import UsageError
from tinycerb.registry import Registry

if TYPE_CHECKING:
    from tinycerb.answers.responses.fitting import FittingContext

# The quantized images that a file was asked about, int8 [N, ...] -> what a network beside it says to them.
Network = Callable[[np.ndarray], np.ndarray]
# (quantized images or None where nothing looks at them, uint8 codes [N, classes]) -> uint8 codes [N, classes]
Answer = Callable[[np.ndarray | None, np.ndarray], np.ndarray]

# Rows at a time: intermediate results stay in the processor's cache.
_BLOCK = 4096


class Response(ABC):
    """The response part of a defence: a frozen dataclass below this class, whose fields are its options.

    Attributes:
        name: as it is registered.
        final: whether it leaves so little that nothing may follow it.
        strength: the option that makes it stronger as it grows, "" for none.
        files: what `fit` leaves beside the victim's model.
        random_heads: heads with drawn weights that it wants beside a trained one.
    """

    name: ClassVar[str]
    final: ClassVar[bool] = False
    strength: ClassVar[str] = ""
    files: ClassVar[tuple[str, ...]] = ()
    random_heads: ClassVar[int] = 0

    @property
    def uses_owner_key(self) -> bool:
        """Whether something in it is secret and comes from the owner key."""
        return False

    def fit(self, context: FittingContext) -> Response:
        """Learns what it has to learn of a trained victim, leaves `files`, and returns the response that answers."""
        return self

    def opened(self, network: Callable[[str], Network]) -> Answer:
        """Returns what answers on the host.

        Args:
            network: opens one of `files`.
        """
        return lambda images, codes: respond(self, codes)

    @abstractmethod
    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns uint8 [N, classes] whose rows sum to 256, for such codes; a pure function but where it says so."""

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the same for the device's C runtime.

        Raises:
            UsageError: it cannot be deployed, and why.
        """
        raise host_only(self, "it has no part in C")


# Classes of responses by name.
RESPONSES: Registry[Any] = Registry("response", ("name", "__call__", "device"))


def respond(response: Response, codes: np.ndarray) -> np.ndarray:
    """Applies a response.

    Args:
        response: what `parse_response` gives.
        codes: uint8 [N, classes], rows that sum to 256, as `normalise` makes them.

    Returns:
        uint8 [N, classes], rows that sum to 256.

    Raises:
        UsageError: no codes of two classes or more, or a response that is made for another number of classes.
    """
    check_codes(codes)
    answers = np.empty_like(codes)
    for start in range(0, len(codes), _BLOCK):
        answers[start : start + _BLOCK] = response(codes[start : start + _BLOCK])
    return answers


def check_codes(codes: np.ndarray) -> None:
    """Checks that an array holds posterior codes.

    Raises:
        UsageError: it does not; the message says what it holds instead.
    """
    if np.issubdtype(codes.dtype, np.floating):
        broken = np.flatnonzero(~np.isfinite(codes).reshape(len(codes), -1).all(axis=1))
        found = f"row {broken[0]} of the posteriors is not finite" if broken.size else f"posteriors are {codes.dtype}"
        raise UsageError(
            f"{found}; expected uint8 codes k/256, e.g. of tinycerb.converters.integer_softmax.softmax_codes"
        )
    if codes.dtype != np.uint8 or codes.ndim != 2 or not 2 <= codes.shape[1] <= TOTAL:
        raise UsageError(f"codes are {codes.dtype} {codes.shape}; expected uint8 (N, classes) with 2 to 256 classes")
    wrong = np.flatnonzero(codes.sum(axis=1, dtype=np.int64) != TOTAL)
    if wrong.size:
        total = codes[wrong[0]].sum(dtype=np.int64)
        raise UsageError(f"row {wrong[0]} of the codes sums to {total}; expected {TOTAL}: pass it through normalise")


def host_only(response: Response, reason: str) -> UsageError:
    """Returns the error of a response that no microcontroller can run."""
    return UsageError(
        f"response {response.name!r} is not deployable: {reason}. It answers on the host only; for a device choose "
        f"another one, see docs/responses.md"
    )
