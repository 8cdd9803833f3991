"""What a thief may do to a clone so that it no longer shows whose it is; each keeps what it can of the accuracy.

None of them knows the key. Images of the thief's own kind are the task's, without labels unless a name says `true`.
"""

import numpy as np

from tinycerb.datasets.procedural import generate
from tinycerb.keras_models.legacy import keras
from tinycerb.verification.removals.thief import REMOVALS, Removal, Thief, fit, labels_of


def _tuned(count: int, true: bool) -> Removal:
    def remove(thief: Thief) -> keras.Model:
        labels = thief.true_labels if true else thief.victim_labels
        return fit(thief.clone, thief.own[:count], labels[:count], max(2, 4000 // count))

    remove.__doc__ = f"Fine-tunes on {count:,} own images with {'true labels' if true else 'the victim s labels'}."
    return remove


for _count in (100, 500, 5000):
    REMOVALS.register(f"tune-{_count}")(_tuned(_count, true=False))
    REMOVALS.register(f"tune-{_count}-true")(_tuned(_count, true=True))


def _alone(count: int) -> Removal:
    def remove(thief: Thief) -> keras.Model:
        return fit(thief.build(), thief.own[:count], thief.true_labels[:count], max(15, 20_000 // count), 1e-3)

    remove.__doc__ = f"No removal but its measure: a fresh student of {count:,} own images with true labels, no clone."
    return remove


for _count in (500, 5000):
    REMOVALS.register(f"alone-{_count}-true")(_alone(_count))


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
