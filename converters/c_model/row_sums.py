"""What the sums of each row can reach, and rows whose output they cannot change.

TensorFlow's converter caps the bias of a filter at 2^30; where it has to, the filter's weights are zero or next to it.
The sums of such a row are larger than the runtime computes, but all of them give the same output, which is computed
here.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinycerb.converters.c_model.errors import refuse
from tinycerb.converters.c_model.fixed_point import scale_integer
from tinycerb.converters.model_file import Operator

# M4, M7, M33 and M55 double a shifted sum in 32 bits (`tc_doubling_high_small` in fixed_point.h).
LARGEST_SUM = 2**30 - 1
# Kernels add in 32 bits.
_LARGEST_PARTIAL_SUM = 2**31 - 1
# A half, and one bit to the right: four times a value comes out as the value, whatever the kernel's rounding.
_QUARTER = (2**30, -1)


@dataclass(frozen=True)
class Rows:
    """The rows of a matrix of weights.

    Attributes:
        matrix: int8 [rows, depth].
        bias: int32 [rows].
        multipliers: multiplier and shift of each row.
        weight_zero_point: of all weights.
    """

    matrix: np.ndarray
    bias: np.ndarray
    multipliers: tuple[tuple[int, int], ...]
    weight_zero_point: int = 0

    def folded(self, zero_point: int) -> np.ndarray:
        """Returns int64 biases for inputs that are not taken relative to their zero point."""
        totals = self.matrix.sum(axis=1, dtype=np.int64) - self.weight_zero_point * self.matrix.shape[1]
        return self.bias - zero_point * totals


def sum_ranges(rows: Rows, zero_point: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the smallest and the largest sum of each row, int64, over all int8 inputs with this zero point."""
    wide = rows.matrix.astype(np.int64) - rows.weight_zero_point
    positive, negative = np.maximum(wide, 0).sum(axis=1), np.maximum(-wide, 0).sum(axis=1)
    above, below = 127 - zero_point, 128 + zero_point
    return rows.bias - positive * below - negative * above, rows.bias + positive * above + negative * below


def computable_rows(operator: Operator, rows: Rows, low: int, high: int) -> Rows:
    """Returns rows that give the same outputs by sums that the runtime computes.

    Args:
        operator: the operator.
        rows: its rows.
        low: smallest output.
        high: largest output.

    Raises:
        UnsupportedModelError: a row whose sums can leave the range, and whose output depends on them.
    """
    input_zero_point, output_zero_point = operator.inputs[0].zero_points[0], operator.outputs[0].zero_points[0]
    smallest, largest = sum_ranges(rows, input_zero_point)
    lefts = np.array([max(shift, 0) for _, shift in rows.multipliers])
    # Shifts of more bits leave any range that has more than zero in it.
    reach = np.maximum(largest, -smallest) * 2.0**lefts
    # In any order, and with the parts of a zero point apart.
    partial = np.abs(rows.folded(input_zero_point)) + 128 * (
        np.abs(rows.matrix.astype(np.int64)) + abs(rows.weight_zero_point)
    ).sum(axis=1)
    matrix, bias, multipliers = rows.matrix.copy(), rows.bias.copy(), list(rows.multipliers)
    for row in np.flatnonzero((reach > LARGEST_SUM) | (partial > _LARGEST_PARTIAL_SUM)):
        multiplier, shift = multipliers[row]
        ends = (int(smallest[row]), int(largest[row]))
        outputs = {min(max(scale_integer(end, multiplier, shift) + output_zero_point, low), high) for end in ends}
        # TFLite shifts in 32 bits as well.
        defined = all(-(2**31) <= end << int(lefts[row]) < 2**31 for end in ends)
        # Requantization is monotone: what both ends give, all in between give.
        if len(outputs) > 1 or not defined:
            why = "its output depends on them" if defined else "TFLite's own arithmetic is undefined there"
            raise refuse(
                operator,
                f"channel {row}: its sums, from {ends[0]:,} to {ends[1]:,} with a bias of {bias[row]:,}, shifted left "
                f"by {lefts[row]} bits, exceed {LARGEST_SUM:,}, and {why}",
            )
        matrix[row] = rows.weight_zero_point
        bias[row] = 4 * (outputs.pop() - output_zero_point)
        multipliers[row] = _QUARTER
    return replace(rows, matrix=matrix, bias=bias, multipliers=tuple(multipliers))
