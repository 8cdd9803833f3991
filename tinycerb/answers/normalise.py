"""The last step of every answer: codes that sum to 256, so that no defence differs by rounding alone."""

import numpy as np

TOTAL = 256
# The device's 32-bit arithmetic holds sums of 256 classes of this weight.
LARGEST_WEIGHT = 2048


def normalise(codes: np.ndarray) -> np.ndarray:
    """Scales rows of codes, or of finer weights, to a total of 256.

    The share of each class is rounded down; what is left goes, one each, to the largest remainders (ties: the
    larger code first, then the lower class). A top code of 256 does not fit a byte: it is capped at 255, and the
    rest goes to the runner-up (ties: the lower class).

    Args:
        codes: integers [N, classes] from 0 to `LARGEST_WEIGHT`, two classes or more, no row all zero.

    Returns:
        uint8 [N, classes]; every row sums to 256, and larger codes stay larger or equal. Rows that summed to 256
        already, with nothing above 255, are unchanged.

    Raises:
        ValueError: a row of zeros.
    """
    values = codes.astype(np.int64)
    classes = values.shape[1]
    sums = values.sum(axis=1, keepdims=True)
    if (sums == 0).any():
        raise ValueError("a row of codes is all zero; a posterior needs at least one code above 0")
    shares, remainders = np.divmod(values * TOTAL, sums)
    missing = TOTAL - shares.sum(axis=1, keepdims=True)
    # No two keys of a row are equal: the class is their last digit.
    keys = (remainders * (2 * LARGEST_WEIGHT) + values) * classes + np.arange(classes - 1, -1, -1)
    ordered = np.sort(keys, axis=1)
    # At least one remainder is below half: fewer are missing than there are classes.
    last_served = np.take_along_axis(ordered, classes - np.maximum(missing, 1), axis=1)
    shares += (keys >= last_served) & (missing > 0)
    (full,) = np.nonzero(shares.max(axis=1) > TOTAL - 1)
    # All other shares are then 0: the runner-up is the first other class.
    runner_up = (shares[full, 0] > 0).astype(np.int64)
    shares[full] -= shares[full] > 0
    shares[full, runner_up] += 1
    return shares.astype(np.uint8)
