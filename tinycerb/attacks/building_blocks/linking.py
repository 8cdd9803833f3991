"""Which answer of an image came from which head: answers of many images, sorted by head without knowing any.

Expectation maximisation over assignments. M-step: every head's mean answer over all images, or a student's answer to
the image. E-step: each image deals its distinct answers to the heads so that

    sum_h sum_k a_{s(h)}[k] log p_h[k]

is largest, a_s the image's answers and p_h what head h is expected to say. Heads that were trained to disagree on
foreign images favour different classes there, and that alone tells most of them apart.
"""

import itertools
from functools import lru_cache

import numpy as np

from tinycerb.attacks.base import FLOOR
from tinycerb.attacks.building_blocks.repeats import normalised

MOST_HEADS = 6
_STARTS = 8
_ROUNDS = 60


def distinct_answers(answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds the byte-distinct answers of every image.

    Args:
        answers: [repeats, N, classes].

    Returns:
        [N, slots, classes], as many slots as the image with the most answers has; rows of zeros where an image has
        fewer. And how many each image has, int64 [N].
    """
    found = [np.unique(answers[:, image], axis=0) for image in range(answers.shape[1])]
    counts = np.array([len(rows) for rows in found])
    slots = np.zeros((len(found), counts.max(), answers.shape[2]), np.float32)
    for image, rows in enumerate(found):
        slots[image, : len(rows)] = rows
    return slots, counts


@lru_cache(maxsize=64)
def deals(heads: int, count: int) -> np.ndarray:
    """Returns all ways to give `heads` heads `count` answers so that none is left over, int64 [ways, heads]."""
    ways = itertools.product(range(count), repeat=heads)
    return np.array([way for way in ways if len(set(way)) == count])


def deal(slots: np.ndarray, counts: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Deals every image's answers to the heads (E-step).

    Args:
        slots: [N, heads, classes], as `distinct_answers` returns.
        counts: [N].
        expected: posteriors [N or 1, heads, classes] that each head is expected to give.

    Returns:
        Slots int64 [N, heads]; by how much the best deal beats the second best, float [N]; the sum over all images.
    """
    heads = slots.shape[1]
    scores = np.einsum("nsk,nhk->nhs", slots, np.log(np.broadcast_to(expected, slots.shape)))
    chosen, margins, total = np.zeros((len(slots), heads), np.int64), np.zeros(len(slots)), 0.0
    for count in np.unique(counts):
        (rows,) = np.nonzero(counts == count)
        ways = deals(heads, int(count))
        sums = scores[rows][:, np.arange(heads), ways].sum(axis=2)
        chosen[rows] = ways[sums.argmax(axis=1)]
        ordered = np.sort(sums, axis=1)
        margins[rows] = ordered[:, -1] - ordered[:, -2] if len(ways) > 1 else np.inf
        total += float(ordered[:, -1].sum())
    return chosen, margins, total


def answers_of(slots: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Returns the answers by head, [N, heads, classes]."""
    return np.take_along_axis(slots, chosen[:, :, np.newaxis], axis=1)


def mean_answers(slots: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Returns the mean answer of every head, [1, heads, classes], nothing below half a code (M-step)."""
    return normalised(answers_of(slots, chosen).mean(axis=0, keepdims=True))


def link(slots: np.ndarray, counts: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Links heads across images by what they favour: the best of a few random starts.

    Returns:
        Slots int64 [N, heads] and margins float [N]; see `deal`.
    """
    rng = np.random.default_rng([seed, 17])
    heads = slots.shape[1]
    starts: list[tuple[np.ndarray, np.ndarray, float]] = []
    for _ in range(_STARTS):
        chosen = np.zeros((len(slots), heads), np.int64)
        for count in np.unique(counts):
            (rows,) = np.nonzero(counts == count)
            ways = deals(heads, int(count))
            chosen[rows] = ways[rng.integers(0, len(ways), len(rows))]
        for _ in range(_ROUNDS):
            before = chosen
            chosen, margins, total = deal(slots, counts, mean_answers(slots, before))
            if (chosen == before).all():
                break
        starts.append((chosen, margins, total))
    chosen, margins, _ = max(starts, key=lambda start: start[2])
    return chosen, margins


def relink(slots: np.ndarray, counts: np.ndarray, chosen: np.ndarray, students: np.ndarray):
    """Deals again by what students, [N, heads, classes], say to each image, and by what heads favour, half each."""
    return deal(slots, counts, np.maximum(0.5 * students + 0.5 * mean_answers(slots, chosen), FLOOR))
