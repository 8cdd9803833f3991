"""One or two operators at the edges of what they allow: windows larger than the image, odd ranks, steps backwards.

Outputs have the right number of axes but shapes of ones: `with_fitting_shapes` puts in what the operators give.
"""

from collections.abc import Callable

import numpy as np

from tests.firmware.flatbuffer_model import FlatModel


class _Odd:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.flat = FlatModel(defaults=True)

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def shape(self, rank: int, most: int = 5) -> list[int]:
        return [self.integer(1, most) for _ in range(rank)]

    def scale(self) -> float:
        """Mostly usual, now and then far from it."""
        spread = 12 if self.integer(0, 5) == 0 else 2
        return float(np.float32(0.03 * 2.0 ** self.rng.uniform(-spread, spread)))

    def tensor(self, shape, like: int | None = None) -> int:
        if like is not None:
            return self.flat.tensor(shape, *self.flat.quantization[like])
        return self.flat.tensor(shape, [self.scale()], [self.integer(-128, 127)])

    def constant(self, shape, scales: int = 1, axis: int = 0, zero_point: int = 0, like: int | None = None) -> int:
        values = self.rng.integers(-128, 128, shape).astype(np.int8)
        if self.integer(0, 7) == 0:
            values[...] = (-128, 127, 0)[self.integer(0, 2)]
        if like is not None:
            return self.flat.tensor(shape, *self.flat.quantization[like], values)
        return self.flat.tensor(shape, [self.scale() for _ in range(scales)], [zero_point] * scales, values, axis)

    def integers(self, values) -> int:
        return self.flat.tensor(np.shape(values), values=np.array(values, np.int32))

    def bias(self, rows: int) -> int:
        largest = 2 ** self.integer(1, 29)
        return self.flat.tensor([rows], values=self.rng.integers(-largest, largest, rows).astype(np.int32))

    def activation(self) -> int:
        return (0, 1, 3)[self.integer(0, 2)]


def _window(m: _Odd) -> dict[str, int]:
    dilated = m.integer(0, 2) == 0
    return {
        "Padding": m.integer(0, 1), "StrideH": m.integer(1, 5), "StrideW": m.integer(1, 5),
        "DilationHFactor": m.integer(1, 4) if dilated else 1, "DilationWFactor": m.integer(1, 4) if dilated else 1,
        "FusedActivationFunction": m.activation(),
    }  # fmt: skip


def _conv_2d(m: _Odd) -> tuple[int, int]:
    channels, filters = m.integer(1, 9), m.integer(1, 19)
    source = m.tensor([1, m.integer(1, 9), m.integer(1, 9), channels])
    weights = m.constant([filters, m.integer(1, 7), m.integer(1, 7), channels], (1, filters)[m.integer(0, 1)])
    reads = [source, weights, m.bias(filters)]
    return source, m.flat.operator("CONV_2D", reads, m.tensor([1, 1, 1, 1]), "Conv2DOptions", _window(m))


def _depthwise_conv_2d(m: _Odd) -> tuple[int, int]:
    channels = m.integer(1, 19)
    filters = channels * m.integer(1, 3)
    source = m.tensor([1, m.integer(1, 9), m.integer(1, 9), channels])
    weights = m.constant([1, m.integer(1, 7), m.integer(1, 7), filters], (1, filters)[m.integer(0, 1)], 3)
    reads = [source, weights, m.bias(filters)][: m.integer(2, 3)]
    result = m.tensor([1, 1, 1, 1])
    return source, m.flat.operator("DEPTHWISE_CONV_2D", reads, result, "DepthwiseConv2DOptions", _window(m))


def _pool(m: _Odd) -> tuple[int, int]:
    source = m.tensor([1, m.integer(1, 12), m.integer(1, 12), m.integer(1, 5)])
    options = {name: value for name, value in _window(m).items() if not name.startswith("Dilation")}
    options |= {"FilterHeight": m.integer(1, 9), "FilterWidth": m.integer(1, 9)}
    name = ("AVERAGE_POOL_2D", "MAX_POOL_2D")[m.integer(0, 1)]
    return source, m.flat.operator(name, [source], m.tensor([1, 1, 1, 1], source), "Pool2DOptions", options)


def _fully_connected(m: _Odd) -> tuple[int, int]:
    depth, rows, keep, single = m.integer(1, 40), m.integer(1, 20), m.integer(0, 1), m.integer(0, 1)
    source = m.tensor([*m.shape(m.integer(0, 3), 3), depth])
    zero_point = m.integer(-128, 127) if single and m.integer(0, 1) else 0
    weights = m.constant([rows, depth], 1 if single else rows, zero_point=zero_point)
    # One scale wants a bias that fits it; without one anything goes.
    reads = [source, weights] if single else [source, weights, m.bias(rows)]
    result = m.tensor([1] * (len(m.flat.shapes[source]) if keep else 2))
    options = {"KeepNumDims": keep, "FusedActivationFunction": m.activation()}
    return source, m.flat.operator("FULLY_CONNECTED", reads, result, "FullyConnectedOptions", options)


def _elementwise(m: _Odd) -> tuple[int, int]:
    name, shape = ("ADD", "MUL")[m.integer(0, 1)], m.shape(m.integer(1, 7), 3)
    source = m.tensor(shape)
    smaller = shape[m.integer(0, len(shape)) :]
    other = m.constant(smaller or [1], zero_point=m.integer(-128, 127))
    reads = [[source, other], [other, source], [source, source]][m.integer(0, 2)]
    result, options = m.tensor([1] * len(shape)), {"FusedActivationFunction": m.activation()}
    return source, m.flat.operator(name, reads, result, f"{name.title()}Options", options)


def _strided_slice(m: _Odd) -> tuple[int, int]:
    shape = m.shape(m.integer(1, 5), 7)
    source, axes = m.tensor(shape), m.integer(1, len(shape))
    begin, end = ([m.integer(-size - 2, size + 2) for size in shape[:axes]] for _ in range(2))
    steps = [(1, 1, 2, 3, -1, -2)[m.integer(0, 5)] for _ in range(axes)]
    masks = {f"{what}Mask": m.integer(0, 31) & m.integer(0, 31) for what in ("Begin", "End")}
    shrunk = sum(1 << axis for axis in range(axes) if steps[axis] == 1 and m.integer(0, 3) == 0)
    reads = [source, *(m.integers(values) for values in (begin, end, steps))]
    result = m.tensor([1] * max(1, len(shape) - shrunk.bit_count()), source)
    options = {**masks, "ShrinkAxisMask": shrunk}
    return source, m.flat.operator("STRIDED_SLICE", reads, result, "StridedSliceOptions", options)


def _pad(m: _Odd) -> tuple[int, int]:
    shape = m.shape(m.integer(1, 5), 4)
    source = m.tensor(shape)
    amounts = m.integers([[m.integer(0, 3), m.integer(0, 3)] for _ in shape])
    return source, m.flat.operator("PAD", [source, amounts], m.tensor([1] * len(shape), source), "PadOptions")


def _concatenation(m: _Odd) -> tuple[int, int]:
    shape = m.shape(m.integer(1, 5), 4)
    source, axis = m.tensor(shape), m.integer(-len(shape), len(shape) - 1)
    reads = []
    for _ in range(m.integer(1, 5)):
        other = list(shape)
        other[axis] = m.integer(1, 4)
        reads.append(m.constant(other, like=source))
    reads.insert(m.integer(0, len(reads)), source)
    result = m.tensor([1] * len(shape), source)
    return source, m.flat.operator("CONCATENATION", reads, result, "ConcatenationOptions", {"Axis": axis})


def _mean(m: _Odd) -> tuple[int, int]:
    source, keep = m.tensor([1, m.integer(1, 9), m.integer(1, 9), m.integer(1, 9)]), m.integer(0, 1)
    axes = m.integers(([1, 2], [2, 1], [-2, -3], [1, 2, 2])[m.integer(0, 3)])
    result = m.tensor([1] * (4 if keep else 2))
    return source, m.flat.operator("MEAN", [source, axes], result, "ReducerOptions", {"KeepDims": keep})


def _softmax(m: _Odd) -> tuple[int, int]:
    shape = [*m.shape(m.integer(0, 3), 3), m.integer(1, 300)]
    source, beta = m.tensor(shape), float(np.float32(2.0 ** m.rng.uniform(-6, 6)))
    result = m.flat.tensor(shape, [1 / 256], [-128])
    return source, m.flat.operator("SOFTMAX", [source], result, "SoftmaxOptions", {"Beta": beta})


def _lookup(m: _Odd) -> tuple[int, int]:
    shape = m.shape(m.integer(1, 6), 4)
    source, name = m.tensor(shape), ("RELU", "RELU6", "QUANTIZE", "LOGISTIC")[m.integer(0, 3)]
    result = m.flat.tensor(shape, [1 / 256], [-128]) if name == "LOGISTIC" else m.tensor(shape)
    return source, m.flat.operator(name, [source], result, "QuantizeOptions" if name == "QUANTIZE" else None)


def _alias(m: _Odd) -> tuple[int, int]:
    shape = [1, *m.shape(m.integer(0, 3), 3), 1, m.integer(2, 9)]
    source, name = m.tensor(shape), ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")[m.integer(0, 2)]
    if name == "RESHAPE":
        reads, rank, options = [source, m.integers([-1, m.integer(1, 3)])], 2, "ReshapeOptions"
    elif name == "SQUEEZE":
        reads, rank, options = [source], sum(size != 1 for size in shape), "SqueezeOptions"
    else:
        axis = m.integer(-len(shape) - 1, len(shape))
        reads, rank, options = [source, m.integers([axis])], len(shape) + 1, "ExpandDimsOptions"
    return source, m.flat.operator(name, reads, m.tensor([1] * rank, source), options)


_KINDS: tuple[Callable[[_Odd], tuple[int, int]], ...] = (
    _conv_2d, _depthwise_conv_2d, _pool, _fully_connected, _elementwise, _strided_slice, _pad, _concatenation, _mean,
    _softmax, _lookup, _alias,
)  # fmt: skip


def odd_model(seed: int) -> bytes:
    """Makes a model of one operator, sometimes with a QUANTIZE behind it; seeds go through the kinds in turn."""
    m = _Odd(seed)
    source, result = _KINDS[seed % len(_KINDS)](m)
    if m.integer(0, 2) == 0:
        behind = m.tensor(m.flat.shapes[result])
        result = m.flat.operator("QUANTIZE", [result], behind, "QuantizeOptions")
    return m.flat.finish([source], result)
