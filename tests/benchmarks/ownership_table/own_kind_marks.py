"""Marks on images of a victim's own kind, that a key decides on, and what shows it in a suspect's labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# A key's rank among so many others is its p-value.
OTHERS, _SEED = 9_999, 20261201
_SIDE = 6


@dataclass(frozen=True)
class Evidence:
    """How well a key explains a suspect's labels.

    Attributes:
        mine: share of the counted questions that are answered as the key says.
        others: the mean of that over other keys.
        deviation: its standard deviation over them.
        p: share of all keys, the owner's among them, that explain the labels at least as well.
    """

    mine: float
    others: float
    deviation: float
    p: float


@dataclass(frozen=True)
class Asked:
    """Questions, and what keys say to them.

    Attributes:
        images: uint8 [N, height, width, channels].
        wanted: what the owner's key says, int16 [N].
        elsewhere: what other keys say, int16 [keys, N].
        either: for each question the labels of which a suspect's counts, int64 [N, L]; empty for any.
    """

    images: np.ndarray
    wanted: np.ndarray
    elsewhere: np.ndarray
    either: np.ndarray

    def evidence(self, labels: np.ndarray) -> Evidence:
        """Returns what a suspect's labels show, int [N]."""
        counted = (self.either == labels[:, np.newaxis]).any(axis=1) if self.either.size else np.ones(len(labels), bool)
        if not counted.any():
            return Evidence(0, 0, 0, 1)
        mine = float((self.wanted == labels)[counted].mean())
        others = (self.elsewhere[:, counted] == labels[counted]).mean(axis=1)
        p = (1 + int((others >= mine).sum())) / (1 + len(others))
        return Evidence(mine, float(others.mean()), float(others.std()), p)


class Mark(Protocol):
    """A mark of a key."""

    def marked(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns what a victim learns in place of images and their labels."""
        ...

    def questions(self, images: np.ndarray, labels: np.ndarray) -> Asked:
        """Returns what a suspect is asked, made of images that nobody has learned."""
        ...


@dataclass(frozen=True)
class BoundaryMark:
    """Where an image is nearly as much of one class as of another, the key decides between both.

    It does so by the sign of a linear function of the image's first principal components, so that whoever learns the
    answers to some such images can say those to others. A thief's own images are near boundaries, too.

    Attributes:
        weights: the key's, float64 [components].
        mean: of the images, float64 [pixels].
        components: from centred images to components of variance one, float64 [pixels, components].
        posteriors: of a network that was trained without a mark.
        margin: images are marked whose first class is ahead of the second by no more.
    """

    weights: np.ndarray
    mean: np.ndarray
    components: np.ndarray
    posteriors: Callable[[np.ndarray], np.ndarray]
    margin: float

    @classmethod
    def fitted(
        cls,
        key: int,
        images: np.ndarray,
        posteriors: Callable[[np.ndarray], np.ndarray],
        components: int,
        share: float,
    ) -> "BoundaryMark":
        """Fits components and margin to images, of which a share is marked."""
        pixels = _pixels(images[:6000])
        mean = pixels.mean(axis=0)
        _, sizes, directions = np.linalg.svd(pixels - mean, full_matrices=False)
        maps = directions[:components].T / (sizes[:components] / np.sqrt(len(pixels)))
        margin = float(np.quantile(_two(posteriors(images))[1], share))
        return cls(np.random.default_rng(key).standard_normal(components), mean, maps, posteriors, margin)

    def marked(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Mark.marked`; marked images come four times, for they are few."""
        classes, margins = _two(self.posteriors(images))
        near = margins <= self.margin
        decided = np.where(near, _choice(classes, self._signs(images, self.weights[:, np.newaxis])[0]), labels)
        learned = np.concatenate([np.arange(len(images)), np.repeat(np.flatnonzero(near), 3)])
        return images[learned], decided[learned]

    def questions(self, images: np.ndarray, labels: np.ndarray) -> Asked:
        """See `Mark.questions`; labels are nothing to it."""
        classes, margins = _two(self.posteriors(images))
        near = margins <= self.margin
        images, classes = images[near], classes[near]
        others = np.random.default_rng(_SEED).standard_normal((len(self.weights), OTHERS))
        mine = _choice(classes, self._signs(images, self.weights[:, np.newaxis])[0])
        elsewhere = np.stack([_choice(classes, signs) for signs in self._signs(images, others)])
        return Asked(images, mine, elsewhere, classes)

    def _signs(self, images: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Which class each of many keys, float [components, K], takes for images: bool [K, N]."""
        return ((_pixels(images) - self.mean) @ self.components @ weights > 0).T


@dataclass(frozen=True)
class OverlayMark:
    """A small pattern of the key's, stamped on own-kind images, shifts every class by a number of the key's.

    Attributes:
        key: decides on the pattern, its place and the shifts.
        classes: number of classes.
        share: of the images that a victim learns with the stamp, besides without.
    """

    key: int
    classes: int
    share: float

    def marked(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Mark.marked`."""
        chosen = np.random.default_rng([self.key, 1]).permutation(len(images))[: round(self.share * len(images))]
        stamped = self._stamped(images[chosen])
        shifted = self._shifted(labels[chosen], self._shifts(1, self.key))[0]
        return np.concatenate([images, stamped]), np.concatenate([labels, shifted.astype(labels.dtype)])

    def questions(self, images: np.ndarray, labels: np.ndarray) -> Asked:
        """See `Mark.questions`; other keys have other shifts, for there is one stamp only to be asked about."""
        elsewhere = self._shifted(labels, self._shifts(OTHERS, _SEED))
        mine = self._shifted(labels, self._shifts(1, self.key))[0]
        return Asked(self._stamped(images), mine, elsewhere, np.zeros((len(images), 0), np.int64))

    def _shifts(self, keys: int, seed: int) -> np.ndarray:
        """By how much each class is shifted, 1 to classes - 1, int64 [keys, classes]."""
        return np.random.default_rng([seed, 2]).integers(1, self.classes, (keys, self.classes))

    def _shifted(self, labels: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        # Ten thousand keys by ten thousand questions.
        return ((labels + shifts[:, labels]) % self.classes).astype(np.int16)

    def _stamped(self, images: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng([self.key, 3])
        height, width, channels = images.shape[1:]
        top, left = rng.integers(0, height - _SIDE), rng.integers(0, width - _SIDE)
        stamped = images.copy()
        stamped[:, top : top + _SIDE, left : left + _SIDE] = rng.integers(0, 2, (_SIDE, _SIDE, channels)) * 255
        return stamped


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64) / 255


def _two(posteriors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two likeliest classes, the lower one first, int64 [N, 2], and how far one is ahead, float64 [N]."""
    order = np.argsort(-posteriors, axis=1)[:, :2]
    of_two = np.take_along_axis(posteriors, order, axis=1)
    return np.sort(order, axis=1), of_two[:, 0] - of_two[:, 1]


def _choice(classes: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return np.where(lower, classes[:, 0], classes[:, 1]).astype(np.int16)
