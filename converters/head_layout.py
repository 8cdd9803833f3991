"""Which layer holds all heads: chosen by the error that its weight scales make on real features."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinycerb.converters.wide_head import WideHead

# Largest weight that each class is quantized by: float32 [heads * classes].
_WEIGHT_RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fully_connected": lambda kernel: np.full(kernel.shape[1], np.abs(kernel).max()),
    "convolution": lambda kernel: np.abs(kernel).max(axis=0),
}
LAYOUTS = tuple(_WEIGHT_RANGES)
# What the convolution must gain, in steps of a head's int8 logits, to be worth its bytes.
_WORTH_IT = 0.25


@dataclass(frozen=True)
class LayoutChoice:
    """A layout, and why.

    Attributes:
        layout: one of `LAYOUTS`.
        errors: per layout the largest error of each head, in steps of that head's int8 logits.
    """

    layout: str
    errors: dict[str, tuple[float, ...]]

    def sentence(self) -> str:
        """Returns the choice for people."""
        worst = ", ".join(f"{layout} {max(errors):.2f}" for layout, errors in self.errors.items())
        return f"heads as {self.layout}: largest error of a head, in steps of its int8 logits: {worst}"


def head_errors(wide: WideHead, features: np.ndarray, layout: str) -> tuple[float, ...]:
    """Measures what int8 weights and int8 logits make of each head.

    Args:
        wide: the heads side by side.
        features: float32 [N, features] that the backbone gives for real images.
        layout: one of `LAYOUTS`.

    Returns:
        Per head the largest difference to the unquantized head, in steps of its own logits. Below 0.5 is impossible
        to promise: that is the rounding of the output itself.
    """
    ranges = np.maximum(_WEIGHT_RANGES[layout](wide.kernel).astype(np.float64), 1e-12)
    kernel = np.rint(wide.kernel / ranges * 127) * ranges / 127
    step = 2 * wide.output_range / 255
    # Beyond the range that training saw both are cut off alike.
    exact = np.clip(features @ wide.kernel.astype(np.float64) + wide.bias, -wide.output_range, wide.output_range)
    coded = np.clip(np.rint((features @ kernel + wide.bias) / step), -128, 127) * step
    # The range of int8 is one code longer on the negative side; the last half step is no error of a layout.
    errors = np.abs(coded - np.clip(exact, -128 * step, 127 * step)) / step
    return tuple(errors.reshape(len(features), len(wide.alphas), wide.classes).max(axis=(0, 2)).tolist())


def choose_layout(wide: WideHead, features: np.ndarray) -> LayoutChoice:
    """Takes the fully connected layer, which is smaller, unless the convolution is clearly more exact.

    Args:
        wide: the heads side by side.
        features: float32 [N, features], one row or more.
    """
    errors = {layout: head_errors(wide, features, layout) for layout in LAYOUTS}
    worst = {layout: max(found) for layout, found in errors.items()}
    gain = worst["fully_connected"] - worst["convolution"]
    return LayoutChoice("convolution" if gain >= _WORTH_IT else "fully_connected", errors)
