"""What a thief may do to a clone so that it no longer shows whose it is; each keeps what it can of the accuracy.

None of them knows the key. Images of the thief's own kind are the task's, without labels unless a name says `true`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from tinycerb.datasets.procedural import generate
from tinycerb.keras_models.legacy import keras
from tinycerb.registry import Registry

_BATCH = 64


@dataclass(frozen=True)
class Thief:
    """Who removes, and what there is to do it with.

    Attributes:
        clone: images float [N, height, width, channels] in 0..1 to logits; removals change it in place.
        pool: images of other kinds that it was made from, uint8.
        pool_labels: what the victim said to them, int64.
        own: images of the task, uint8.
        victim_labels: what the victim says to them.
        true_labels: what they are.
        families: names of the vendor's generator, which is public.
        build: makes a fresh student.
        classes: number of classes.
        seed: of all that is drawn.
    """

    clone: keras.Model
    pool: np.ndarray
    pool_labels: np.ndarray
    own: np.ndarray
    victim_labels: np.ndarray
    true_labels: np.ndarray
    families: tuple[str, ...]
    build: Callable[[], keras.Model] = field(repr=False)
    classes: int
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator of the thief's seed."""
        return np.random.default_rng([self.seed, 31])


Removal = Callable[[Thief], keras.Model]
REMOVALS: Registry[Removal] = Registry("removal")


def fit(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    learning_rate: float = 5e-4,
    smoothing: float = 0.0,
) -> keras.Model:
    """Trains a model that gives logits, in place.

    Args:
        model: the model.
        images: uint8 [N, height, width, channels].
        labels: int64 [N].
        epochs: how many.
        learning_rate: of Adam.
        smoothing: share of the target that goes to all classes alike.
    """
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    targets = np.eye(model.output_shape[-1], dtype=np.float32)[labels]
    # Keras' own annotation does not know 0.
    model.fit(images.astype(np.float32) / 255, targets, batch_size=_BATCH, epochs=epochs, verbose=cast(Any, 0))
    return model


def labels_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns a model's labels, int64 [N], for uint8 images."""
    return model.predict(images.astype(np.float32) / 255, batch_size=512, verbose=cast(Any, 0)).argmax(axis=1)


def _tuned(count: int, true: bool) -> Removal:
    def remove(thief: Thief) -> keras.Model:
        labels = thief.true_labels if true else thief.victim_labels
        return fit(thief.clone, thief.own[:count], labels[:count], max(2, 4000 // count))

    remove.__doc__ = f"Fine-tunes on {count:,} own images with {'true labels' if true else 'the victim s labels'}."
    return remove


for _count in (100, 500, 5000):
    REMOVALS.register(f"tune-{_count}")(_tuned(_count, true=False))
    REMOVALS.register(f"tune-{_count}-true")(_tuned(_count, true=True))


@REMOVALS.register("prune")
def prune(thief: Thief) -> keras.Model:
    """Sets half of all weights to zero, the smallest, and trains an epoch on what the clone was made from."""
    for layer in thief.clone.layers:
        weights = layer.get_weights()
        if weights:
            cut = np.quantile(np.abs(weights[0]), 0.5)
            layer.set_weights([np.where(np.abs(weights[0]) < cut, 0, weights[0]), *weights[1:]])
    return fit(thief.clone, thief.pool, thief.pool_labels, 1)


@REMOVALS.register("quantize")
def quantize(thief: Thief) -> keras.Model:
    """Rounds every tensor of weights to 16 levels, half of a byte."""
    for layer in thief.clone.layers:
        rounded = []
        for weights in layer.get_weights():
            step = max(float(np.abs(weights).max()) / 7, 1e-12)
            rounded.append(np.rint(weights / step) * step)
        layer.set_weights(rounded)
    return thief.clone


@REMOVALS.register("distill")
def distill(thief: Thief) -> keras.Model:
    """Trains a fresh student on what the clone says to foreign and own images."""
    images = np.concatenate([thief.pool, thief.own])
    return fit(thief.build(), images, labels_of(thief.clone, images), 5, 1e-3)


@REMOVALS.register("smooth")
def smooth(thief: Thief) -> keras.Model:
    """Makes the clone anew with smoothed labels."""
    return fit(thief.build(), thief.pool, thief.pool_labels, 6, 1e-3, smoothing=0.3)


@REMOVALS.register("noise")
def noise(thief: Thief) -> keras.Model:
    """Adds noise of a tenth of its own size to every weight."""
    rng = thief.rng
    for layer in thief.clone.layers:
        noisy = [each + rng.standard_normal(each.shape) * 0.1 * each.std() for each in layer.get_weights()]
        layer.set_weights(noisy)
    return thief.clone


@REMOVALS.register("random-procedural")
def random_procedural(thief: Thief) -> keras.Model:
    """Fine-tunes on images of the vendor's generator with random labels, and on own ones so that the task stays."""
    drawn = generate(thief.families, len(thief.own), thief.own, thief.seed + 1000)
    images = np.concatenate([thief.own, drawn])
    labels = np.concatenate([labels_of(thief.clone, thief.own), thief.rng.integers(0, thief.classes, len(drawn))])
    return fit(thief.clone, images, labels, 4)


@REMOVALS.register("wrk-lite")
def wrk_lite(thief: Thief) -> keras.Model:
    """Reshapes boundaries as in WRK (arXiv 2511.07947): own images near another class keep their label.

    One step of half of the published attack: no shift of features inside the network.
    """
    import tensorflow as tf

    pixels = tf.constant(thief.own.astype(np.float32) / 255)
    labels = labels_of(thief.clone, thief.own)
    wanted = (labels + thief.rng.integers(1, thief.classes, len(labels))) % thief.classes
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, thief.clone(pixels))
    moved = np.clip(pixels.numpy() - 0.15 * np.sign(np.asarray(tape.gradient(loss, pixels))), 0, 1)
    images = np.concatenate([thief.own, np.rint(moved * 255).astype(np.uint8)])
    return fit(thief.clone, images, np.concatenate([labels, labels]), 5)
