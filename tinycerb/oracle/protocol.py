"""All that an attack ever sees of its victim."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class OracleSpec:
    """What stands behind an oracle.

    Attributes:
        model: path of the `.tflite` file.
        output: `probs` for posteriors, `top1` for the label alone, `rounded` for posteriors of one decimal.
        selection: a registered head selection, or `mean` for the exact average over all heads: no device
            answers so; it shows what is left once an attacker has averaged the randomness away.
        seed: seeds the head draws, so that an evaluation can be repeated.
    """

    model: str
    output: str
    selection: str
    seed: int


class Oracle(Protocol):
    """All that an attack ever sees of its victim."""

    @property
    def charged(self) -> int:
        """Images asked so far, repeats included."""
        ...

    def query(self, images: np.ndarray) -> np.ndarray:
        """Asks about images.

        Args:
            images: uint8 [N, height, width, channels].

        Returns:
            float32 [N, classes] posteriors in steps of 1/256; for label-only oracles, one-hot rows.
        """
        ...

    def reset(self) -> None:
        """Switches the device off and on; costs no question.

        A true random source draws on, a generator with a constant seed starts again, and a response that remembers
        what it has answered forgets it.
        """
        ...
