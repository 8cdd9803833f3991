"""Scales to integer multipliers, as TFLite's reference kernels make them."""

import math

import numpy as np


def quantize_multiplier(value: float) -> tuple[int, int]:
    """Returns (m, s) with value = m / 2^31 * 2^s and m in 2^30 .. 2^31 - 1, or (0, 0) for values near 0."""
    fraction, exponent = math.frexp(value)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    return (0, 0) if value == 0 or exponent < -31 else (multiplier, exponent)


def scale_integer(value: int, multiplier: int, shift: int) -> int:
    """Returns value * multiplier / 2^31 * 2^shift with double rounding (MultiplyByQuantizedMultiplier)."""
    high = ((value << max(shift, 0)) * multiplier + 2**30) >> 31
    bits = max(-shift, 0)
    mask = (1 << bits) - 1
    return (high >> bits) + int((high & mask) > (mask >> 1) + (high < 0))


def round_half_away(value: np.float32 | float) -> int:
    """C's round()."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), float(value)))


def activation_range(activation: int, scale: float, zero_point: int) -> tuple[int, int] | None:
    """Returns the int8 range of a fused activation (0 none, 1 ReLU, 3 ReLU6), None for one that is not supported."""
    if activation == 0:
        return -128, 127
    if activation == 1:
        return max(-128, zero_point), 127
    if activation == 3:
        highest = zero_point + round_half_away(np.float32(6) / np.float32(scale))
        return max(-128, zero_point), min(127, highest)
    return None
