"""From int8 logits to posterior codes, in integers alone: the arithmetic of TFLite's int8 SOFTMAX.

The formulas are those of TFLite's reference kernel (fixed-point exponential on [-1/4, 0) with a barrel shifter,
Newton's division), so that host and device give the same bytes. Codes are 0..255 and mean k/256.
"""

import math

import numpy as np

from tinycerb.converters.c_model.fixed_point import quantize_multiplier

_ONE = 2**31 - 1
# Multipliers exp(-2^k) for k = -2..4, Q0.31.
_BARREL = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def softmax_codes(logits: np.ndarray, scale: float) -> np.ndarray:
    """Computes posterior codes of int8 logits.

    Args:
        logits: int8 [N, classes].
        scale: what one step of the logits is worth: the output scale of the file over the head's alpha.

    Returns:
        uint8 [N, classes], codes of k/256. A row sums to about 256; see `normalise`.

    Raises:
        ValueError: a scale that is not positive.
    """
    if not scale > 0:
        raise ValueError(f"scale is {scale}; expected a positive number")
    multiplier, shift = quantize_multiplier(min(scale * 2**26, float(_ONE)))
    values = logits.astype(np.int64)
    below_top = values - values.max(axis=1, keepdims=True)
    # Further down the exponential is zero, and the shift below would overflow.
    counted = below_top >= -math.floor(31 * 2**26 / 2**shift)
    exponentials = _exponential(_doubling_high(np.where(counted, below_top, 0) << shift, multiplier))
    total = np.where(counted, _round_shift(exponentials, 12), 0).sum(axis=1, keepdims=True)
    reciprocal, bits = _reciprocal(total)
    codes = _round_shift(_doubling_high(reciprocal, exponentials), bits + 23)
    return np.where(counted, np.clip(codes, 0, 255), 0).astype(np.uint8)


def _doubling_high(first: np.ndarray, second: np.ndarray | int) -> np.ndarray:
    """High half of twice the product, rounded (SQRDMULH)."""
    return (first * second + 2**30) >> 31


def _round_shift(values: np.ndarray, bits: np.ndarray | int) -> np.ndarray:
    """values / 2^bits, to nearest, halves away from zero."""
    mask = (np.int64(1) << bits) - 1
    return (values >> bits) + ((values & mask) > (mask >> 1) + (values < 0))


def _saturating_shift(values: np.ndarray, bits: int) -> np.ndarray:
    return np.clip(values << bits, -(2**31), _ONE)


def _exponential(exponent: np.ndarray) -> np.ndarray:
    """exp of Q5.26 values <= 0, as Q0.31."""
    quarter = (exponent & (2**24 - 1)) - 2**24
    x = _saturating_shift(quarter, 5) + 2**28
    square = _doubling_high(x, x)
    cube, fourth = _doubling_high(square, x), _doubling_high(square, square)
    series = _round_shift(_doubling_high(_round_shift(fourth, 2) + cube, 715827883) + square, 1)
    result = 1895147668 + _doubling_high(x + series, 1895147668)
    remainder = quarter - exponent
    for bit, factor in enumerate(_BARREL):
        result = np.where(remainder >> (24 + bit) & 1, _doubling_high(result, factor), result)
    return np.where(exponent == 0, _ONE, result)


def _reciprocal(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One over a Q12.19 sum: Q0.31 mantissa, and the integer bits of the sum."""
    leading_zeros = 32 - np.ceil(np.log2(total + 1)).astype(np.int64)
    mantissa = (total << leading_zeros) - 2**31
    rounded = mantissa + _ONE
    half = (rounded + np.where(rounded >= 0, 1, -1)) // 2
    estimate = 1515870810 + _doubling_high(half, -1010580540)
    for _ in range(3):
        error = 2**29 - _doubling_high(half, estimate)
        estimate = estimate + _saturating_shift(_doubling_high(estimate, error), 2)
    return _saturating_shift(estimate, 1), 12 - leading_zeros
