"""All heads in one dense layer, each scaled so that it gets the full int8 range.

A plain concatenation gives every head the scale of the first one, silently. Here head h is multiplied by
alpha_h = S / r_h, with r_h its own range and S the widest: all heads then fill the common range [-S, S] with the
same relative resolution, and the logits of head h are (int8 - zero point) * scale / alpha_h. The order of the
classes needs no alpha.

Heads with a hidden layer become two dense layers: all hidden layers side by side, scaled to a common range in the same
way (ReLU lets positive factors through), then a block-diagonal one. Zeros off the blocks are exact in int8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Hidden:
    """The hidden ReLU layer of a head, or of all heads side by side.

    Attributes:
        kernel: float32 [features, units].
        bias: float32 [units].
        output_range: largest output, above 0.
    """

    kernel: np.ndarray
    bias: np.ndarray
    output_range: float


@dataclass(frozen=True)
class Head:
    """One head as it was trained.

    Attributes:
        kernel: float32 [features or hidden units, classes].
        bias: float32 [classes].
        output_range: largest absolute logit that training saw, above 0.
        hidden: a layer between features and kernel, or None.
    """

    kernel: np.ndarray
    bias: np.ndarray
    output_range: float
    hidden: Hidden | None = None


@dataclass(frozen=True)
class WideHead:
    """All heads side by side.

    Attributes:
        kernel: float32 [features or hidden units of all heads, heads * classes], head by head.
        bias: float32 [heads * classes].
        alphas: one factor per head.
        output_range: the common range S.
        classes: classes per head.
        hidden: all hidden layers side by side, or None.
    """

    kernel: np.ndarray
    bias: np.ndarray
    alphas: tuple[float, ...]
    output_range: float
    classes: int
    hidden: Hidden | None = None


def widen(heads: Sequence[Head]) -> WideHead:
    """Scales the heads to a common range and puts them side by side.

    Raises:
        ValueError: no head, heads of different shapes, or a head whose range is not positive.
    """
    if not heads:
        raise ValueError("no heads; expected one or more")
    hidden = [head.hidden for head in heads if head.hidden is not None]
    if len(hidden) not in (0, len(heads)):
        raise ValueError(f"{len(hidden)} of {len(heads)} heads have a hidden layer; expected all or none")
    _check_shapes([layer.kernel.shape for layer in hidden or heads], hidden_layers=bool(hidden))
    _check_shapes([head.kernel.shape[1:] for head in heads], hidden_layers=False)
    for what, layers in (("head", heads), ("the hidden layer of head", hidden)):
        for index, layer in enumerate(layers):
            if not (np.isfinite(layer.output_range) and layer.output_range > 0):
                raise ValueError(
                    f"{what} {index} has the output range {layer.output_range}; expected a positive number"
                )
    wide_hidden, betas = _widen_hidden(hidden) if hidden else (None, [1.0] * len(heads))
    common, alphas = common_range(heads)
    kernels = [a / b * h.kernel for a, b, h in zip(alphas, betas, heads, strict=True)]
    kernel = _block_diagonal(kernels) if hidden else np.concatenate(kernels, axis=1)
    return WideHead(
        kernel=kernel.astype(np.float32),
        bias=np.concatenate([a * h.bias for a, h in zip(alphas, heads, strict=True)]).astype(np.float32),
        alphas=alphas,
        output_range=common,
        classes=heads[0].kernel.shape[1],
        hidden=wide_hidden,
    )


def widen_each(heads: Sequence[Head]) -> tuple[WideHead, ...]:
    """Scales heads that read features of their own to a common range, each as a layer of its own.

    Returns:
        Per head a `WideHead` of that head alone, all with one output range.

    Raises:
        ValueError: as `widen`.
    """
    each = [widen([head]) for head in heads]
    _check_shapes([head.kernel.shape[1:] for head in heads], hidden_layers=False)
    common, alphas = common_range(heads)
    return tuple(
        replace(wide, kernel=alpha * wide.kernel, bias=alpha * wide.bias, alphas=(alpha,), output_range=common)
        for wide, alpha in zip(each, alphas, strict=True)
    )


def common_range(heads: Sequence[Head]) -> tuple[float, tuple[float, ...]]:
    """Returns the widest range and the factor that brings each head to it."""
    common = float(max(head.output_range for head in heads))
    return common, tuple(float(common / head.output_range) for head in heads)


def _widen_hidden(layers: Sequence[Hidden]) -> tuple[Hidden, list[float]]:
    """Returns the layers as one, and the factor that brings each to the common range."""
    common = max(layer.output_range for layer in layers)
    betas = [common / layer.output_range for layer in layers]
    kernel = np.concatenate([b * layer.kernel for b, layer in zip(betas, layers, strict=True)], axis=1)
    bias = np.concatenate([b * layer.bias for b, layer in zip(betas, layers, strict=True)])
    return Hidden(kernel.astype(np.float32), bias.astype(np.float32), float(common)), betas


def _block_diagonal(blocks: Sequence[np.ndarray]) -> np.ndarray:
    wide = np.zeros((sum(block.shape[0] for block in blocks), sum(block.shape[1] for block in blocks)))
    row = column = 0
    for block in blocks:
        rows, columns = block.shape
        wide[row : row + rows, column : column + columns] = block
        row, column = row + rows, column + columns
    return wide


def _check_shapes(shapes: Sequence[tuple[int, ...]], hidden_layers: bool) -> None:
    # Pruning may leave hidden layers of different widths; all read the same features.
    compared = {shape[0] if hidden_layers else shape for shape in shapes}
    if len(compared) > 1:
        raise ValueError(f"the heads' kernels have the shapes {sorted(set(shapes))}; expected one shape for all")
