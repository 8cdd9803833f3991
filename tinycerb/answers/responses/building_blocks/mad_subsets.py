"""MAD's oracle that keeps the label: the best mean of a set of classes that holds it."""

import itertools

import numpy as np

from tinycerb.answers.normalise import TOTAL, normalise

EXHAUSTIVE_CLASSES = 10
_MOST_EVALUATIONS = 1024


def best_subsets(codes: np.ndarray, surrogate: np.ndarray) -> np.ndarray:
    """Finds y* for every posterior, by trying.

    Up to ten classes all 2^(K-1) sets are tried; beyond, sets grow by the class that helps most until none helps or
    1024 sets were tried, as in the paper's code. Ties: the set that is tried first, classes in order.

    Args:
        codes: uint8 [N, classes].
        surrogate: int64 [N, classes], the surrogate's posterior in any unit.

    Returns:
        uint8 [N, classes], evenly spread over the best set, what does not divide on the label first.
    """
    search = _exhaustive if codes.shape[1] <= EXHAUSTIVE_CLASSES else _greedy
    found = np.zeros(codes.shape, np.int64)
    for row, (code, weights) in enumerate(zip(codes, surrogate, strict=True)):
        top = int(code.argmax())
        found[row] = search(code / TOTAL, weights / weights.sum(), top)
        # A little more on the label: it gets the units that do not divide.
        found[row] = found[row] * 100 + (np.arange(len(code)) == top)
    return normalise(found)


def objective(points: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Returns || (y* - p) / ||y* - p|| - (y - p) / ||y - p|| ||^2 for points [M, classes]; 0 where one is p itself."""
    towards, honest = points - p, y - p
    norms = np.sqrt((towards**2).sum(axis=1) * (honest**2).sum())
    cosine = np.divide(towards @ honest, norms, out=np.ones(len(points)), where=norms > 1e-12)
    return 2 - 2 * cosine


def sets_with(top: int, classes: int) -> np.ndarray:
    """Returns all sets of classes that hold `top`, bool [2^(classes - 1), classes]."""
    others = np.array(list(itertools.product((False, True), repeat=classes - 1)))
    return np.insert(others, top, True, axis=1)


def _exhaustive(y: np.ndarray, p: np.ndarray, top: int) -> np.ndarray:
    sets = sets_with(top, len(y))
    return sets[objective(sets / sets.sum(axis=1, keepdims=True), y, p).argmax()]


def _greedy(y: np.ndarray, p: np.ndarray, top: int) -> np.ndarray:
    chosen = np.arange(len(y)) == top
    best, tried = -1.0, 0
    while not chosen.all() and tried < _MOST_EVALUATIONS:
        sets = chosen | np.eye(len(y), dtype=bool)[~chosen]
        values = objective(sets / sets.sum(axis=1, keepdims=True), y, p)
        tried += len(sets)
        if values.max() <= best:
            break
        best, chosen = float(values.max()), sets[values.argmax()]
    return chosen
