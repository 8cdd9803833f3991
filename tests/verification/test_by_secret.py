"""The rank of the owner's teacher: by hand, uniform for whoever is independent, and of no help to a constant."""

import numpy as np

from tinycerb.verification.by_secret import explanation

KINDS = np.arange(60) % 3


def teachers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Labels that differ in how often they say each class, as random teachers' do."""
    weights = rng.dirichlet(np.full(5, 0.5), (count, 3))
    chosen = np.stack([[rng.choice(5, 20, p=weights[teacher, kind]) for kind in range(3)] for teacher in range(count)])
    return chosen.transpose(0, 2, 1).reshape(count, 60)


def test_a_rank_by_hand() -> None:
    """Four questions of one family; the owner's teacher explains three, the others two, none, four and three."""
    labels = np.array([0, 1, 2, 0])
    mine = np.array([0, 1, 2, 1])
    others = np.array([[0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 2, 0], [0, 1, 1, 0]])
    found = explanation(labels, mine, others, np.zeros(4, int))
    assert (found.p, found.teachers, found.bound) == (3 / 5, 4, 1 / 5)
    assert (found.explained, found.others) == (3 / 4, (2 + 0 + 4 + 3) / 16)


def test_families_count_by_how_unlike_teachers_are_there() -> None:
    """One more agreement weighs more where all teachers agree alike than where they do not."""
    kinds = np.array([0] * 4 + [1] * 4)
    labels = np.zeros(8, int)
    # Agreements per family: mine 1 and 2; the other ones of (0, 4) and (0, 0), twenty of (0, 2).
    rows = [([1], [2]), ([0], [4]), ([0], [0]), *[([0], [2])] * 20]
    said = np.array(
        [[0] * first + [1] * (4 - first) + [0] * second + [1] * (4 - second) for (first,), (second,) in rows]
    )
    assert explanation(labels, said[0], said[1:], kinds).p == 1 / 23
    # Without families the teacher of four agreements would be ahead.
    assert explanation(labels, said[0], said[1:], np.zeros(8, int)).p == 2 / 23


def test_for_an_independent_suspect_the_rank_is_uniform() -> None:
    """2,000 independent suspects against 99 teachers: every level as often as it says, and no more."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(100):
        drawn = teachers(rng, 100)
        for labels in teachers(rng, 20):
            at = int(rng.integers(100))
            found.append(explanation(labels, drawn[at], np.delete(drawn, at, axis=0), KINDS).p)
    p = np.array(found)
    for level in (0.5, 0.2, 0.05, 0.01):
        # Suspects share their teachers: the spread is that of 100 groups.
        assert (p <= level).mean() <= level + 4 * np.sqrt(level / 100) / 2
    assert 0.01 <= (p <= 0.05).mean() <= 0.08


def test_a_clone_is_explained_and_noise_does_not_hide_it() -> None:
    rng = np.random.default_rng(2)
    drawn = teachers(rng, 500)
    for kept in (1.0, 0.6):
        labels = np.where(rng.random(60) < kept, drawn[0], rng.integers(0, 5, 60))
        found = explanation(labels, drawn[0], drawn[1:], KINDS)
        assert found.p <= 2 * found.bound


def test_who_answers_nothing_is_explained_by_all() -> None:
    rng = np.random.default_rng(2)
    drawn = teachers(rng, 50)
    assert explanation(np.full(60, -1), drawn[0], drawn[1:], KINDS).p == 1
