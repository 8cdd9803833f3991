"""Marks on own-kind images: who answers as the key says is told, and who does not is not."""

import numpy as np
import pytest

from tests.benchmarks.ownership_table import own_kind_marks
from tests.benchmarks.ownership_table.own_kind_marks import Asked, BoundaryMark, Mark, OverlayMark

CLASSES = 10
RNG = np.random.default_rng(9)
IMAGES = RNG.integers(0, 256, (800, 12, 12, 1), np.uint8)
LABELS = RNG.integers(0, CLASSES, 800)


def posteriors(images: np.ndarray) -> np.ndarray:
    """Something that depends on images alone: how bright each of ten rows is."""
    bands = images[:, :10].reshape(len(images), CLASSES, -1).mean(axis=2)
    odds = np.exp(bands / 8)
    return odds / odds.sum(axis=1, keepdims=True)


def marks(key: int) -> list[Mark]:
    return [BoundaryMark.fitted(key, IMAGES, posteriors, 20, 0.4), OverlayMark(key, CLASSES, 0.4)]


@pytest.mark.parametrize("which", [0, 1], ids=["boundary", "overlay"])
def test_a_key_is_told_by_whoever_answers_as_it_says(which: int, monkeypatch) -> None:
    monkeypatch.setattr(own_kind_marks, "OTHERS", 499)
    asked = marks(1)[which].questions(IMAGES, LABELS)
    told = asked.evidence(asked.wanted)
    assert (told.mine, told.p) == (1, 1 / 500)
    other = marks(3)[which].questions(IMAGES, LABELS)
    assert other.images.shape == asked.images.shape
    assert asked.evidence(other.wanted).p > 0.01
    assert asked.evidence(RNG.integers(0, CLASSES, len(asked.wanted))).p > 0.01


def test_labels_of_neither_class_say_nothing() -> None:
    asked = Asked(IMAGES[:3], np.array([0, 1, 2]), np.array([[1, 0, 2]]), np.array([[0, 1], [0, 1], [2, 3]]))
    assert asked.evidence(np.array([4, 1, 4])).mine == 1
    assert asked.evidence(np.array([4, 4, 4])).p == 1


def test_near_a_boundary_the_key_decides_and_elsewhere_the_label_stays() -> None:
    mark = BoundaryMark.fitted(1, IMAGES, posteriors, 20, 0.25)
    images, labels = mark.marked(IMAGES, LABELS)
    # A quarter of the images come four times.
    assert len(images) == 800 + 3 * 200
    changed = np.flatnonzero(labels[:800] != LABELS)
    assert 0 < len(changed) <= 200
    asked = mark.questions(IMAGES, LABELS)
    assert len(asked.images) == 200
    assert sorted(map(bytes, images[800::3])) == sorted(map(bytes, asked.images))
    decided = dict(zip(map(bytes, asked.images), asked.wanted, strict=True))
    assert all(decided[bytes(IMAGES[index])] == labels[index] for index in changed)


def test_an_overlay_is_small_and_shifts_its_classes() -> None:
    mark = OverlayMark(1, CLASSES, 0.5)
    images, labels = mark.marked(IMAGES, LABELS)
    assert len(images) == 1200
    assert (images[:800] == IMAGES).all()
    assert (labels[:800] == LABELS).all()
    asked = mark.questions(IMAGES, LABELS)
    changed = (asked.images != IMAGES).any(axis=0)[..., 0]
    assert 20 < changed.sum() <= 36
    # Nobody keeps a class.
    assert (asked.wanted != LABELS).all()
