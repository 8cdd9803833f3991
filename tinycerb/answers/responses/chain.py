"""Several responses as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.response import Response, ResponseStep


@dataclass(frozen=True)
class Combined:
    """Responses one after the other; every one sees what the one before has left."""

    parts: tuple[Response, ...]
    final = False

    @property
    def name(self) -> str:
        """All names."""
        return "+".join(part.name for part in self.parts)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Applies all of them."""
        for part in self.parts:
            codes = part(codes)
        return codes

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns all steps."""
        return tuple(step for part in self.parts for step in part.device(classes))
