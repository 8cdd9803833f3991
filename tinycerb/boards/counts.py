"""From ticks of a board's clock to counts that add up: an inference, its layers, and what is beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.boards.board import Board
from tinycerb.errors import HardwareError

# Emulated boards that serve run at 2^6 ns per instruction.
SHIFT = 6
# Most ticks that one reading of the clock between two layers can take.
_READING = 500
# A real core's caches make two runs of the same layers differ; an emulator counts exactly.
_SPREAD = 0.01


@dataclass(frozen=True)
class Counts:
    """What one question costs: instructions executed in an emulator, ticks of the core's clock on a real board.

    Attributes:
        draw: of the head.
        inference: of the model.
        answer: from logits to codes.
        layers: of each layer of the inference; the first one's holds the copy of the image.
    """

    draw: int
    inference: int
    answer: int
    layers: tuple[int, ...]

    @property
    def rest(self) -> int:
        """Of the inference, what its layers leave: the copy of the output, and calls."""
        return self.inference - sum(self.layers)


def instructions_from_ticks(ticks: np.ndarray, board: Board, shift: int) -> np.ndarray:
    """Instructions of 2^shift ns each, from ticks of SysTick."""
    return np.rint(ticks.astype(np.float64) * 1e9 / board.systick_hz / 2**shift).astype(np.int64)


def profile_counts(ticks: np.ndarray, board: Board) -> Counts:
    """Reads what a device counts (`Device.profile`).

    Raises:
        HardwareError: a clock that stands still, and as `layer_counts`.
    """
    if not ticks.any():
        raise HardwareError(
            "the board's clock stands still; cores without a cycle counter need ticks = \"systick\" in the board's file"
        )
    counts = instructions_from_ticks(ticks, board, SHIFT) if board.emulated else ticks
    draw, inference, answer, *ends = (int(count) for count in counts)
    return Counts(draw, inference, answer, layer_counts(inference, ends, board))


def layer_counts(inference: int, ends: Sequence[int] | np.ndarray, board: Board) -> tuple[int, ...]:
    """Splits an inference into its layers.

    Args:
        inference: count of an inference during which nobody read the clock.
        ends: counts from the begin of another one to the end of each layer, where the clock was read, and to its own
            end. The readings are the only difference between the two, so that it is shared out among the layers.
        board: where they were counted.

    Returns:
        One count per layer. Their sum and the inference differ by what is beside the layers.

    Raises:
        HardwareError: the layers sum to more than the whole: the clock cannot be trusted.
    """
    *each, whole = (int(end) for end in ends)
    reading = min(max((whole - inference) / len(each), 0.0), _READING)
    marks = np.rint(np.array(each) - reading * np.arange(1, len(each) + 1)).astype(np.int64)
    if marks[-1] > (inference if board.emulated else inference * (1 + _SPREAD)):
        raise HardwareError(
            f"the layers' counts sum to {marks[-1]:,}, more than the {inference:,} of the whole inference: "
            f"{board.name} lost ticks of its clock, and none of its counts can be right; put the firmware there again "
            "with: tinycerb flash"
        )
    return tuple(np.diff(marks, prepend=0).tolist())
