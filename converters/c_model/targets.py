"""How weights are packed for each family of cores, and what working memory its kernels need."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Target:
    """A family of cores.

    Attributes:
        name: what it is called.
        kernels: its folder under `firmware_stub/kernels`.
        pointer_bytes: size of a pointer.
        pack: int8 [rows, depth] weights to the order in which the kernels read them.
        column_bytes: (columns, depth) to working memory that multiplying them needs.
        cmsis_nn: convolutions, dense layers and pools go to the user's CMSIS-NN tree.
        overlaps: outputs of sliding windows may lie over inputs; kernels write nothing beyond a pixel's channels.
        widens: columns are copied there before anything is written, so that a 1x1 convolution can work in place.
    """

    name: str
    kernels: str
    pointer_bytes: int
    pack: Callable[[np.ndarray], np.ndarray]
    column_bytes: Callable[[int, int], int]
    widens: bool = False
    overlaps: bool = False
    cmsis_nn: bool = False


def _plain(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1)


def _interleaved(rows: np.ndarray, together: int, chunk: int) -> np.ndarray:
    """Groups of `together` rows, `chunk` weights of each in turn (a shorter last chunk too); leftover rows follow."""
    count, depth = rows.shape
    grouped = count // together * together
    parts = []
    for first in range(0, grouped, together):
        group = rows[first : first + together]
        parts += [group[:, start : start + chunk].reshape(-1) for start in range(0, depth, chunk)]
    return np.concatenate([*parts, rows[grouped:].reshape(-1)]) if len(rows) else rows.reshape(-1)


def _paired(rows: np.ndarray) -> np.ndarray:
    """Eight rows at a time, two weights of each in turn; what is missing is zero."""
    whole = np.pad(rows, ((0, -rows.shape[0] % 8), (0, rows.shape[1] % 2)))
    return whole.reshape(len(whole) // 8, 8, -1, 2).transpose(0, 2, 1, 3).reshape(-1)


def _padded(rows: np.ndarray, multiple: int) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % multiple)))


_OWN = {
    target.name: target
    for target in (
        # This computer, with and without the vector instructions of x86-64 computers since 2013.
        Target("host", "portable", 8, _plain, lambda columns, depth: 0),
        Target("host-avx2", "avx2", 8, _paired, lambda columns, depth: 2 * columns * (depth + depth % 2), True),
        Target("portable", "portable", 4, _plain, lambda columns, depth: 0, overlaps=True),
        # Two rows, four weights of each in turn: one double-word load serves both. Depth padded to eight.
        Target(
            "dsp",
            "dsp",
            4,
            lambda rows: _interleaved(_padded(rows, 8), 2, 4),
            lambda columns, depth: 2 * columns * (depth + (-depth % 8)),
            True,
            overlaps=True,
        ),
        # Four rows, sixteen weights of each in turn: one vector register per load.
        Target("mve", "mve", 4, lambda rows: _interleaved(rows, 4, 16), lambda columns, depth: 0, overlaps=True),
    )
}

TARGETS = _OWN | {
    f"{name}+cmsis-nn": replace(_OWN[name], name=f"{name}+cmsis-nn", cmsis_nn=True)
    for name in ("portable", "dsp", "mve")
}
