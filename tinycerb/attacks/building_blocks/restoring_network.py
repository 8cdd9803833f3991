"""The network of D-DAE: from perturbed answers to clean ones."""

from typing import Any

import numpy as np

from tinycerb.attacks.base import FLOOR
from tinycerb.keras_models.legacy import keras


def restore(answers: np.ndarray, seen: np.ndarray, clean: np.ndarray, epochs: int, seed: int) -> np.ndarray:
    """Trains K-128-64-K on pairs and applies it.

    Args:
        answers: float32 [N, classes], to be restored.
        seen: float32 [M, classes], perturbed.
        clean: float32 [M, classes], what they were made from.
        epochs: over the pairs.
        seed: of the pairs' order.

    Returns:
        float32 [N, classes], rows that sum to 1.
    """
    classes = seen.shape[1]
    # Logarithms tell small answers apart, in which most of what was done to them shows.
    seen, answers = (np.log(np.maximum(each, FLOOR)) for each in (seen, answers))
    given = x = keras.layers.Input((classes,))
    for units in (128, 64):
        x = keras.layers.BatchNormalization(momentum=0.9)(keras.layers.Dense(units)(x))
        x = keras.layers.LeakyReLU(0.2)(x)
    # Keras' own annotations know neither schedules nor verbose=0.
    network: Any = keras.Model(given, keras.layers.Softmax()(keras.layers.Dense(classes)(x)))
    steps = max(1, epochs * (len(seen) // 512))
    rates: Any = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    network.compile(keras.optimizers.Adam(rates), "mae")
    order = np.random.default_rng([seed, 29]).permutation(len(seen))
    network.fit(seen[order], clean[order], batch_size=512, epochs=epochs, verbose=0)
    return network.predict(answers, batch_size=1000, verbose=0)
