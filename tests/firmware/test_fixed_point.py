"""Multipliers and their rounding, to the last bit, by hand."""

import pytest

from tinycerb.converters.c_model.fixed_point import (
    activation_range,
    quantize_multiplier,
    round_half_away,
    scale_integer,
)


@pytest.mark.parametrize(
    ("value", "multiplier", "shift"),
    [
        (0.5, 2**30, 0),
        (1.0, 2**30, 1),
        (0.75, 3 * 2**29, 0),
        # Half a unit in the last place is rounded up, and may carry.
        (0.5 + 2**-32, 2**30 + 1, 0),
        (0.5 + 2**-33, 2**30, 0),
        (1 - 2**-33, 2**30, 1),
        ((1 - 2**-33) * 2**-32, 2**30, -31),
        # The smallest ones that a shift of 31 bits leaves anything of.
        (2**-32, 2**30, -31),
        (2**-33, 0, 0),
        (0.0, 0, 0),
    ],
)
def test_a_scale_as_a_multiplier_and_a_shift(value: float, multiplier: int, shift: int) -> None:
    assert quantize_multiplier(value) == (multiplier, shift)


@pytest.mark.parametrize(
    ("value", "shift", "result"),
    [
        # Halves of 3 and -3: up; doubled before they are halved, nothing is rounded.
        (3, 0, 2), (-3, 0, -1), (3, 1, 3), (-3, 1, -3), (1, 3, 4),
        # Rounded twice: 2.5 is 3, and half of that 2; away from zero at the second rounding.
        (5, -1, 2), (3, -1, 1), (4, -2, 1), (-4, -2, -1), (-6, -2, -1), (2, -2, 0), (-2, -2, 0), (6, -2, 1),
    ],
)  # fmt: skip
def test_half_of_a_number_shifted(value: int, shift: int, result: int) -> None:
    assert scale_integer(value, 2**30, shift) == result


@pytest.mark.parametrize(("value", "result"), [(2.5, 3), (-2.5, -3), (0.49, 0), (-0.5, -1), (-0.49, 0), (7.0, 7)])
def test_halves_are_rounded_away_from_zero(value: float, result: int) -> None:
    assert round_half_away(value) == result


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        (0, 0.1, 5, (-128, 127)),
        (1, 0.1, -5, (-5, 127)),
        (1, 0.1, -200, (-128, 127)),
        # 6 is 60 steps of 0.1, and beyond int8's end in steps of 0.01.
        (3, 0.1, -100, (-100, -40)),
        (3, 0.1, -130, (-128, -70)),
        (3, 0.01, 3, (3, 127)),
        (2, 0.1, 0, None),
    ],
)
def test_what_a_fused_activation_leaves(activation: int, scale: float, zero_point: int, expected) -> None:
    assert activation_range(activation, scale, zero_point) == expected
