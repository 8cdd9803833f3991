"""Several responses as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.fitting import FittingContext
from tinycerb.answers.responses.response import Response, ResponseStep


@dataclass(frozen=True)
class Combined(Response):
    """Responses one after the other; every one sees what the one before has left."""

    parts: tuple[Response, ...]
    final = False

    @property
    def name(self) -> str:  # type: ignore[override]
        """All names."""
        return "+".join(part.name for part in self.parts)

    @property
    def files(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of all parts."""
        return tuple(name for part in self.parts for name in part.files)

    @property
    def uses_owner_key(self) -> bool:
        """Whether a part has a secret."""
        return any(part.uses_owner_key for part in self.parts)

    def fit(self, context: FittingContext) -> "Combined":
        """Fits all parts."""
        return Combined(tuple(part.fit(context) for part in self.parts))

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Applies all of them."""
        for part in self.parts:
            codes = part(codes)
        return codes

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns all steps."""
        return tuple(step for part in self.parts for step in part.device(classes))
