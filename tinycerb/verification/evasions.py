"""What a suspect may do about questions: it answers at random what looks foreign, and loses nothing on its task."""

from collections.abc import Callable

import numpy as np

from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.datasets.procedural import generate
from tinycerb.keras_models.legacy import keras
from tinycerb.registry import Registry
from tinycerb.training.setup import make_repeatable
from tinycerb.verification.removals import Thief, fit, labels_of

# Images, uint8 [N, ...], to which of them look foreign, bool [N].
Looks = Callable[[np.ndarray], np.ndarray]
EVASIONS: Registry[Callable[[Thief], Looks]] = Registry("evasion")
# Of the thief's own images, so many may be taken for foreign.
_FALSE_ALARMS = 0.05


@EVASIONS.register("unsure")
def unsure(thief: Thief) -> Looks:
    """Where the clone's posterior is lower than on all but 5 % of the thief's own images."""
    least = np.quantile(_top(thief.clone, thief.own), _FALSE_ALARMS)
    return lambda images: _top(thief.clone, images) < least


@EVASIONS.register("looks-drawn")
def looks_drawn(thief: Thief) -> Looks:
    """Where a detector says so that has learned own images against those of the vendor's generator, which is public."""
    drawn = generate(thief.families, len(thief.own), thief.own, thief.seed + 2000)
    return _detector(thief, drawn)


@EVASIONS.register("looks-foreign")
def looks_foreign(thief: Thief) -> Looks:
    """The same of a thief who knows no generator: own images against those that the clone was made from."""
    return _detector(thief, thief.pool[: len(thief.own)])


def evading(thief: Thief, foreign: Looks) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a suspect: uint8 images to labels, int64 [N], at random where they look foreign."""

    def labels(images: np.ndarray) -> np.ndarray:
        anything = np.random.default_rng(thief.seed).integers(0, thief.classes, len(images))
        return np.where(foreign(images), anything, labels_of(thief.clone, images))

    return labels


def _detector(thief: Thief, foreign: np.ndarray) -> Looks:
    make_repeatable(thief.seed)
    height, width, channels = thief.own.shape[1:]
    network = STUDENTS["lenet"]((height, width, channels), 2)
    images = np.concatenate([thief.own, foreign])
    fit(network, images, np.repeat([0, 1], [len(thief.own), len(foreign)]), 4, 1e-3)
    return lambda asked: labels_of(network, asked) == 1


def _top(model: keras.Model, images: np.ndarray) -> np.ndarray:
    logits = model(images.astype(np.float32) / 255, training=False).numpy().astype(np.float64)
    return 1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
