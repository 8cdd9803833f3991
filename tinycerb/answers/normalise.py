"""The last step of every answer: codes that sum to 256, so that no defence differs by rounding alone."""

import numpy as np

TOTAL = 256


def normalise(codes: np.ndarray) -> np.ndarray:
    """Scales rows of codes to a total of 256.

    The share of each class is rounded down; what is left goes, one each, to the largest remainders (ties: the
    larger code first, then the lower class). A top code of 256 does not fit a byte: it is capped at 255, and the
    rest goes to the runner-up.

    Args:
        codes: uint8 [N, classes], two classes or more, no row all zero.

    Returns:
        uint8 [N, classes]; every row sums to 256, and larger codes stay larger or equal.

    Raises:
        ValueError: a row of zeros.
    """
    values = codes.astype(np.int64)
    sums = values.sum(axis=1, keepdims=True)
    if (sums == 0).any():
        raise ValueError("a row of codes is all zero; a posterior needs at least one code above 0")
    shares, remainders = np.divmod(values * TOTAL, sums)
    missing = TOTAL - shares.sum(axis=1, keepdims=True)
    order = np.argsort(-(remainders * TOTAL + values), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    shares += rank < missing
    top_two = np.argsort(-shares, axis=1, kind="stable")[:, :2]
    rows = np.arange(len(shares))
    spill = np.maximum(shares[rows, top_two[:, 0]] - 255, 0)
    shares[rows, top_two[:, 0]] -= spill
    shares[rows, top_two[:, 1]] += spill
    return shares.astype(np.uint8)
