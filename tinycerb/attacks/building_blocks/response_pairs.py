"""Posteriors that a victim might give, and what a known response makes of them: what restoring answers starts from."""

from collections.abc import Callable

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import parse_response, respond
from tinycerb.attacks.base import FLOOR
from tinycerb.errors import UsageError

_SHARPNESS = 8.0


def plausible_codes(count: int, classes: int, seed: int) -> np.ndarray:
    """Returns posterior codes of every kind, flat to sure: uint8 [count, classes], rows that sum to 256.

    Half are Dirichlet draws, half softmax of normal logits, each with a concentration or scale of its own.
    """
    rng = np.random.default_rng([seed, 19])
    half = count // 2
    gamma = rng.standard_gamma(np.exp(rng.uniform(np.log(0.03), np.log(2), (half, 1))) * np.ones((1, classes))) + 1e-20
    logits = rng.normal(0, 1, (count - half, classes)) * rng.uniform(0.5, 6, (count - half, 1))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return to_codes(np.concatenate([gamma, exponentials]))


def codes_around(centres: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Returns Dirichlet(K c y) draws around posteriors y, float [N, K], with c = 8 (D-DAE+): uint8 [count, K]."""
    rng = np.random.default_rng([seed, 23])
    chosen = centres[rng.integers(0, len(centres), count)]
    return to_codes(rng.standard_gamma(_SHARPNESS * chosen.shape[1] * np.maximum(chosen, FLOOR / 4)) + 1e-20)


def in_rounds(undo: Callable[[np.ndarray], np.ndarray], rounds: int, pairs: int, classes: int, seed: int) -> np.ndarray:
    """Undoes a response from general pairs first, then also from pairs around what the round before has found.

    Args:
        undo: from clean codes, uint8 [pairs, classes], to what the victim's answers were before the response, float32
            [N, classes].
        rounds: 1 or more.
        pairs: codes in each round.
        classes: of the victim.
        seed: of the draws.

    Returns:
        What the last round has found.
    """
    found = undo(plausible_codes(pairs, classes, seed))
    for index in range(1, rounds):
        half = pairs // 2
        general = plausible_codes(pairs, classes, seed)[: pairs - half]
        found = undo(np.concatenate([general, codes_around(found, half, seed + index)]))
    return found


def to_codes(weights: np.ndarray) -> np.ndarray:
    """Returns non-negative weights [N, classes] as codes, uint8, rows that sum to 256."""
    return normalise(np.rint(weights / weights.max(axis=1, keepdims=True) * 2048).astype(np.int64))


def answers_to(response: str, codes: np.ndarray) -> np.ndarray:
    """Returns what a response makes of codes, float32 [N, classes] in steps of 1/256."""
    return respond(parse_response(response), codes).astype(np.float32) / 256


def can_simulate(response: str, classes: int) -> bool:
    """Whether a response can be played with posteriors alone.

    Those that read further heads, a second network or a matrix that the vendor has learned cannot: an attacker who
    knows the recipe does not have these.
    """
    try:
        answers_to(response, plausible_codes(2, classes, 0))
    except UsageError:
        return False
    return True


def mean_of_nearest(answers: np.ndarray, table: np.ndarray, values: np.ndarray, nearest: int) -> tuple:
    """Looks answers up in a table of answers.

    Args:
        answers: float [N, classes].
        table: float [M, classes].
        values: float [M, classes], what stands beside each.
        nearest: how many neighbours (squared distance) are averaged, the nearer the more.

    Returns:
        Means float32 [N, classes], and the distance of the nearest neighbour, float [N].
    """
    found, distances = np.empty(answers.shape, np.float32), np.empty(len(answers))
    squares = (table**2).sum(axis=1)
    nearest = min(nearest, len(table))
    for start in range(0, len(answers), 200):
        block = answers[start : start + 200]
        scores = squares - 2 * (block @ table.T)
        chosen = np.argpartition(scores, nearest - 1, axis=1)[:, :nearest]
        square = np.take_along_axis(scores, chosen, axis=1) + (block**2).sum(axis=1, keepdims=True)
        square = np.maximum(square, 0)
        least = square.min(axis=1, keepdims=True)
        # A neighbour that is one code further in two classes counts a third as much.
        weights = np.exp((least - square) / (2 / 256**2))
        weights /= weights.sum(axis=1, keepdims=True)
        found[start : start + 200] = (weights[:, :, np.newaxis] * values[chosen]).sum(axis=1)
        distances[start : start + 200] = np.sqrt(least[:, 0])
    return found, distances
