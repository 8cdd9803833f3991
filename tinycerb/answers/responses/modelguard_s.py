"""ModelGuard-S: one stored posterior for everything near it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep, host_only
from tinycerb.options import check_options, option


@RESPONSES.register("modelguard_s")
@dataclass(frozen=True)
class OrderedQuantizer(Response):
    """Answers with the first stored posterior of the same label within epsilon (Tang et al., USENIX Security 2024).

    If there is none, the posterior is stored and returned as it is. The order of storing makes repeats consistent.
    The official code's table grows without end; here each label has `capacity` places, and when they are taken, the
    nearest stored posterior answers (ties: the one stored first), beyond epsilon if need be.

    Unlike the other responses this one remembers: an object answers differently after other questions.
    """

    name = "modelguard_s"
    final = True

    epsilon: float = option(1.0, "largest L1 distance to a stored posterior", 0, 2)
    capacity: int = option(256, "stored posteriors per label", 1, 2**16)
    _stored: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False, compare=False)
    _counts: dict[int, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns stored posteriors, one after the other."""
        return np.array([self._answer(row) for row in codes], np.uint8).reshape(codes.shape)

    def _answer(self, code: np.ndarray) -> np.ndarray:
        label = int(code.argmax())
        count = self._counts.get(label, 0)
        table = self._stored.setdefault(label, np.empty((self.capacity, len(code)), np.int16))
        distances = np.abs(table[:count] - code).sum(axis=1)
        near = distances <= self.epsilon * TOTAL
        if near.any():
            return table[near.argmax()]
        if count < self.capacity:
            table[count] = code
            self._counts[label] = count + 1
            return code
        return table[distances.argmin()]

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Raises that its table does not fit."""
        raise host_only(
            self, f"its table takes up to {classes} x {self.capacity} x {classes} bytes of RAM, lost at every reset"
        )
