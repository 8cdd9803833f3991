"""Posteriors of every kind: flat, peaked, tied, with many zeros."""

import numpy as np

from tinycerb.answers.normalise import normalise


def random_codes(count: int, classes: int, seed: int = 0) -> np.ndarray:
    """Returns uint8 [count, classes], rows that sum to 256."""
    rng = np.random.default_rng(seed)
    concentrations = rng.choice([0.02, 0.1, 0.3, 1.0, 5.0], (count, 1))
    drawn = rng.standard_gamma(np.broadcast_to(concentrations, (count, classes))) + 1e-30
    codes = np.rint(drawn / drawn.max(axis=1, keepdims=True) * 255).astype(np.uint8)
    # Coarse rows, in which many classes are equal.
    coarse = rng.random(count) < 0.1
    codes[coarse] &= 0xC0
    codes[codes.sum(axis=1) == 0] = 1
    codes[:classes] = np.eye(classes, dtype=np.uint8)[: min(classes, count)] * 255
    return normalise(codes)
