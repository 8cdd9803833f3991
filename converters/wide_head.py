"""All heads in one dense layer, each scaled so that it gets the full int8 range.

A plain concatenation gives every head the scale of the first one, silently. Here head h is multiplied by
alpha_h = S / r_h, with r_h its own range and S the widest: all heads then fill the common range [-S, S] with the
same relative resolution, and the logits of head h are (int8 - zero point) * scale / alpha_h. The order of the
classes needs no alpha.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Head:
    """One linear head as it was trained.

    Attributes:
        kernel: float32 [features, classes].
        bias: float32 [classes].
        output_range: largest absolute logit that quantization-aware training saw, above 0.
    """

    kernel: np.ndarray
    bias: np.ndarray
    output_range: float


@dataclass(frozen=True)
class WideHead:
    """All heads side by side.

    Attributes:
        kernel: float32 [features, heads * classes], head by head.
        bias: float32 [heads * classes].
        alphas: one factor per head.
        output_range: the common range S.
        classes: classes per head.
    """

    kernel: np.ndarray
    bias: np.ndarray
    alphas: tuple[float, ...]
    output_range: float
    classes: int


def widen(heads: Sequence[Head]) -> WideHead:
    """Scales the heads to a common range and puts them side by side.

    Raises:
        ValueError: no head, heads of different shapes, or a head whose range is not positive.
    """
    if not heads:
        raise ValueError("no heads; expected one or more")
    shapes = {head.kernel.shape for head in heads}
    if len(shapes) != 1:
        raise ValueError(f"the heads' kernels have the shapes {sorted(shapes)}; expected one shape for all")
    for index, head in enumerate(heads):
        if not (np.isfinite(head.output_range) and head.output_range > 0):
            raise ValueError(f"head {index} has the output range {head.output_range}; expected a positive number")
    common = max(head.output_range for head in heads)
    alphas = tuple(float(common / head.output_range) for head in heads)
    return WideHead(
        kernel=np.concatenate([a * h.kernel for a, h in zip(alphas, heads, strict=True)], axis=1).astype(np.float32),
        bias=np.concatenate([a * h.bias for a, h in zip(alphas, heads, strict=True)]).astype(np.float32),
        alphas=alphas,
        output_range=float(common),
        classes=heads[0].kernel.shape[1],
    )
