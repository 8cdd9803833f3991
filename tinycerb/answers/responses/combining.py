"""Responses that make one posterior of all heads of a file: none of these heads answers alone.

All heads are computed for every question, so that instructions do not depend on what they say. Such a response stands
first in a chain, and in files that were trained for it alone; their metadata name it under `combined_by`.
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from tinycerb.answers.responses.chain import Combined
from tinycerb.answers.responses.response import Response
from tinycerb.answers.responses.unchanged import Unchanged
from tinycerb.errors import UsageError


class Combiner(Response):
    """A response that reads all heads.

    Attributes:
        heads: how many it reads.
        trained_by: what `--defense` takes to make a file for it.
    """

    heads: ClassVar[int]
    trained_by: ClassVar[str]

    @abstractmethod
    def combine(self, logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Makes one posterior of all heads.

        Args:
            logits: int8 [N, heads, classes].
            codes: uint8 [N, heads, classes], their posteriors; rows sum to 256.

        Returns:
            uint8 [N, classes], rows that sum to 256.
        """


def combiner_of(response: Response) -> Combiner | None:
    """Returns the response that reads all heads, or None where heads answer alone."""
    first = response.parts[0] if isinstance(response, Combined) else response
    return first if isinstance(first, Combiner) else None


def after_combiner(response: Response) -> Response:
    """Returns what is done to the posterior that the heads have been made into."""
    if combiner_of(response) is None:
        return response
    parts = response.parts[1:] if isinstance(response, Combined) else ()
    return Combined(parts) if parts else Unchanged()


def check_heads(response: Response, heads: int, combined_by: str) -> None:
    """Checks that a response fits a file's heads.

    Args:
        response: the whole response.
        heads: of the file.
        combined_by: name of the response that its heads are trained for, or "" where each answers alone.

    Raises:
        UsageError: it does not fit; the message says how to make a file that it fits.
    """
    combiner = combiner_of(response)
    name = combiner.name if combiner else ""
    if name != combined_by and combined_by:
        raise UsageError(
            f"this file's {heads} heads are trained for {combined_by!r}, which makes one answer of them; the response "
            f"is {response.name!r}: let it begin with {combined_by!r}, as in {combined_by}+rounding"
        )
    if combiner is not None and (name != combined_by or combiner.heads != heads):
        raise UsageError(
            f"response {name!r} makes one answer of {combiner.heads} heads that are trained for it; this file has "
            f"{heads}{'' if combined_by else ' that answer alone'}. Train such a file: --defense {combiner.trained_by}"
        )


def alone(response: Combiner) -> UsageError:
    """Returns the error of such a response where there is a single posterior."""
    return UsageError(
        f"response {response.name!r} reads {response.heads} heads of a file that is trained for it; there is one "
        f"posterior here. Train such a file: --defense {response.trained_by}"
    )
