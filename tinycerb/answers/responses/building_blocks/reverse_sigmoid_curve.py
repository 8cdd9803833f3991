"""Reverse-sigmoid noise, the heart of RS and DCP."""

import numpy as np

from tinycerb.answers.normalise import TOTAL, normalise

# Weights are in steps of 1/1024; the largest, 0.5 + beta / 2 with beta up to 2, is 1.5.
UNITS = 1024


def weight_table(beta: float, gamma: float) -> np.ndarray:
    """Computes y - beta * r(y) for every code, r(y) = sigmoid(gamma * logit(y)) - 1/2.

    Inside r, y is held within [1/512, 1 - 1/512]: codes of 0 stand for all that rounds to 0. Negative values, which
    only beta above 1 makes, become 0.

    Args:
        beta: strength, 0 to 2.
        gamma: steepness, above 0.

    Returns:
        uint16 [256], in steps of 1/1024.
    """
    every = np.arange(TOTAL) / TOTAL
    inside = np.clip(every, 1 / 512, 1 - 1 / 512)
    noise = 1 / (1 + ((1 - inside) / inside) ** gamma) - 0.5
    return np.rint(np.maximum(every - beta * noise, 0) * UNITS).astype(np.uint16)


def perturb(codes: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Returns Norm(table[codes]), uint8 [N, classes], rows that sum to 256."""
    return normalise(table[codes])
