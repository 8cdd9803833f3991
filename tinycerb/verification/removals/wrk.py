"""WRK, the removal of marks that survive stealing (Xiao et al., AAAI 2026, arXiv 2511.07947)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.options import check_options, option
from tinycerb.verification.removals.thief import REMOVALS, WITH_OPTIONS, Thief, fit, labels_of

_BATCH, _MOMENTUM = 32, 0.9
_LABELS: dict[str, Callable[[Thief], np.ndarray]] = {
    "clone": lambda thief: labels_of(thief.clone, thief.own),
    "victim": lambda thief: thief.victim_labels,
    "true": lambda thief: thief.true_labels,
}


@WITH_OPTIONS.register("wrk")
@dataclass(frozen=True)
class Wrk:
    """Reshapes boundaries and shifts features, in one training.

    Boundaries: own images are moved towards a class, one that is drawn for each batch of 32, by one large step along
    the sign of its logit's gradient, x' = clip(x + step sign(dz_t/dx), 0, 1), and get a label that is drawn from all
    but their own: what lies between classes is written over, and with it marks that were made from samples there.
    Features: the last dense layer is drawn anew, uniform in +-1/sqrt(inputs), and the whole network is trained on own
    and moved images to minimise cross-entropy + away sum(W W_before), so that its features turn away from the
    directions that the old classifier W_before read. SGD with momentum 0.9, its rate falling to 0 along a cosine.

    Published for CIFAR-10: 2,500 own images with true labels, 100 moved ones, away 0.01 to 0.1, a learning rate of
    0.001, 10 epochs; its step is 1 to 3 standard deviations of an image's pixels.
    """

    own: int = option(0, "how many own images there are", 0, 10**7, zero="all")
    labels: str = option("true", "whose labels own images have", choices=tuple(_LABELS))
    moved: int = option(500, "how many own images are moved", 1, 10**7)
    step: float = option(0.5, "step of every pixel, in units of the whole range", 1 / 255, 1)
    away: float = option(0.01, "weight of turning away from the old classifier", 0, 100)
    learning_rate: float = option(0.01, "of SGD, at first", 1e-6, 10)
    epochs: int = option(10, "how many", 1, 10000)

    def __post_init__(self) -> None:
        check_options(self)

    def __call__(self, thief: Thief) -> keras.Model:
        """Removes, in place.

        Raises:
            UsageError: the clone has no dense layer.
        """
        own, labels = thief.own[: self.own or None], _LABELS[self.labels](thief)[: self.own or None]
        rng = thief.rng
        images, drawn = self.moved_images(thief, own, labels, rng)
        classifier = last_dense(thief.clone)
        before = classifier.get_weights()[0]
        limit = 1 / np.sqrt(len(before))
        classifier.set_weights([rng.uniform(-limit, limit, each.shape) for each in classifier.get_weights()])
        self._train(thief, classifier, before, np.concatenate([own, images]), np.concatenate([labels, drawn]))
        return thief.clone

    def moved_images(
        self, thief: Thief, own: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns moved images, uint8 [M, height, width, channels], and labels other than their own, int64 [M].

        Args:
            thief: whose clone.
            own: images of the task, uint8 [N, height, width, channels].
            labels: theirs, int64 [N].
            rng: what chooses images, classes and labels.
        """
        chosen = rng.permutation(len(own))[: self.moved]
        # One for each batch of 32.
        towards = rng.integers(0, thief.classes, -(-len(chosen) // _BATCH)).repeat(_BATCH)[: len(chosen)]
        pixels = own[chosen].astype(np.float32) / 255
        moved = np.clip(pixels + self.step * np.sign(_slopes(thief.clone, pixels, towards)), 0, 1)
        others = (labels[chosen] + rng.integers(1, thief.classes, len(chosen))) % thief.classes
        return np.rint(moved * 255).astype(np.uint8), others

    def _train(
        self, thief: Thief, classifier: keras.layers.Dense, before: np.ndarray, images: np.ndarray, labels: np.ndarray
    ) -> None:
        import tensorflow as tf

        cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        def loss(wanted, logits):
            return cross_entropy(wanted, logits) + self.away * tf.reduce_sum(classifier.kernel * before)

        steps = self.epochs * -(-len(images) // _BATCH)
        rate = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        # Keras' own annotations know neither schedules nor 0.
        thief.clone.compile(keras.optimizers.SGD(cast(Any, rate), _MOMENTUM), loss)
        pixels = images.astype(np.float32) / 255
        thief.clone.fit(pixels, labels, batch_size=_BATCH, epochs=self.epochs, verbose=cast(Any, 0))


REMOVALS.register("wrk")(Wrk())


def last_dense(model: keras.Model) -> keras.layers.Dense:
    """Returns the layer that gives a network's logits.

    Raises:
        UsageError: it has no dense layer.
    """
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    if not dense:
        raise UsageError(f"removal 'wrk': {model.name} has no dense layer; allowed: students that end in one")
    return dense[-1]


def _slopes(model: keras.Model, pixels: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Returns the gradients of one logit of each image, float32 [N, height, width, channels]."""
    import tensorflow as tf

    images = tf.constant(pixels)
    with tf.GradientTape() as tape:
        tape.watch(images)
        wanted = tf.gather(model(images, training=False), towards, axis=1, batch_dims=1)
    return np.asarray(tape.gradient(wanted, images))


@REMOVALS.register("wrk-lite")
def wrk_lite(thief: Thief) -> keras.Model:
    """Reshapes boundaries alone: own images near another class keep their label, and nothing is drawn anew."""
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
