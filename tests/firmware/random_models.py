"""Random small int8 models over every operator of the C runtime."""

from collections.abc import Callable

import numpy as np

from tests.firmware.flatbuffer_model import FlatModel

_ACTIVATIONS = (0, 1, 3)


class _Maker:
    def __init__(self, seed: int, defaults: bool = False) -> None:
        self.rng = np.random.default_rng(seed)
        self.flat = FlatModel(defaults)

    def scale(self) -> float:
        return float(np.float32(self.rng.uniform(0.01, 0.09)))

    def zero_point(self) -> int:
        return int(self.rng.integers(-128, 128))

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def result(self, shape, scale=None, zero_point=None) -> int:
        scale = self.scale() if scale is None else scale
        return self.flat.tensor(shape, [scale], [self.zero_point() if zero_point is None else zero_point])

    def like(self, tensor: int, shape=None) -> int:
        scales, zero_points = self.flat.quantization[tensor]
        return self.flat.tensor(shape or self.flat.shapes[tensor], scales, zero_points)

    def weights(self, shape, rows: int, axis: int, per_channel: bool, source: int) -> tuple[int, int, list[float]]:
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        scales = [float(np.float32(s)) for s in self.rng.uniform(0.002, 0.01, rows if per_channel else 1)]
        weight = self.flat.tensor(shape, scales, [0] * len(scales), values, axis)
        bias_scales = [float(np.float32(self.flat.quantization[source][0][0] * s)) for s in scales]
        bias = self.rng.integers(-4000, 4000, rows).astype(np.int32)
        return weight, self.flat.tensor([rows], bias_scales, [0] * len(scales), bias), scales

    def summed(self, source: int, scales: list[float], depth: int) -> float:
        """An output scale under which sums neither saturate nor vanish."""
        spread = self.flat.quantization[source][0][0] * scales[0] * np.sqrt(depth) * 74 * 74
        return float(np.float32(spread / 50 * self.rng.uniform(0.7, 1.5)))


def _extent(size: int, kernel: int, stride: int, dilation: int, same: bool) -> int:
    span = (kernel - 1) * dilation + 1
    return -(-size // stride) if same else (size - span) // stride + 1


def _windowed(m: _Maker, source: int, largest: int = 3) -> tuple[tuple[int, int], tuple[int, int], bool]:
    _, height, width, _ = m.flat.shapes[source]
    kernel = (int(m.rng.integers(1, min(largest, height) + 1)), int(m.rng.integers(1, min(largest, width) + 1)))
    return kernel, (int(m.rng.integers(1, 3)), int(m.rng.integers(1, 3))), bool(m.rng.integers(2))


def conv_2d(m: _Maker, source: int) -> int:
    """Any kernel, stride, dilation, padding and activation."""
    _, height, width, channels = m.flat.shapes[source]
    kernel, strides, same = _windowed(m, source)
    dilations = (1, 1)
    if strides == (1, 1) and min(height, width) >= 5:
        dilations = (int(m.rng.integers(1, 3)), int(m.rng.integers(1, 3)))
    filters = int(m.rng.integers(1, 13))
    weight, bias, scales = m.weights((filters, *kernel, channels), filters, 0, bool(m.rng.integers(2)), source)
    shape = [
        1,
        *(_extent(s, k, t, d, same) for s, k, t, d in zip((height, width), kernel, strides, dilations, strict=True)),
        filters,
    ]
    result = m.result(shape, m.summed(source, scales, kernel[0] * kernel[1] * channels))
    return m.flat.operator("CONV_2D", [source, weight, bias], result, "Conv2DOptions", {
        "Padding": 0 if same else 1, "StrideH": strides[0], "StrideW": strides[1],
        "DilationHFactor": dilations[0], "DilationWFactor": dilations[1],
        "FusedActivationFunction": m.pick(*_ACTIVATIONS),
    })  # fmt: skip


def depthwise_conv_2d(m: _Maker, source: int) -> int:
    """Any channel multiplier."""
    _, height, width, channels = m.flat.shapes[source]
    kernel, strides, same = _windowed(m, source)
    dilations = (1, 1)
    if strides == (1, 1) and min(height, width) >= 5:
        dilations = (int(m.rng.integers(1, 3)), int(m.rng.integers(1, 3)))
    multiplier = m.pick(1, 1, 2, 3)
    rows = channels * multiplier
    weight, bias, scales = m.weights((1, *kernel, rows), rows, 3, bool(m.rng.integers(2)), source)
    shape = [
        1,
        *(_extent(s, k, t, d, same) for s, k, t, d in zip((height, width), kernel, strides, dilations, strict=True)),
        rows,
    ]
    result = m.result(shape, m.summed(source, scales, kernel[0] * kernel[1]))
    return m.flat.operator("DEPTHWISE_CONV_2D", [source, weight, bias], result, "DepthwiseConv2DOptions", {
        "Padding": 0 if same else 1, "StrideH": strides[0], "StrideW": strides[1], "DepthMultiplier": multiplier,
        "DilationHFactor": dilations[0], "DilationWFactor": dilations[1],
        "FusedActivationFunction": m.pick(*_ACTIVATIONS),
    })  # fmt: skip


def pool(m: _Maker, source: int) -> int:
    """Average and maximum, with odd windows at the border."""
    _, height, width, channels = m.flat.shapes[source]
    kernel, strides, same = _windowed(m, source, 4)
    shape = [
        1,
        *(_extent(s, k, t, 1, same) for s, k, t in zip((height, width), kernel, strides, strict=True)),
        channels,
    ]
    return m.flat.operator(m.pick("AVERAGE_POOL_2D", "MAX_POOL_2D"), [source], m.like(source, shape), "Pool2DOptions", {
        "Padding": 0 if same else 1, "StrideH": strides[0], "StrideW": strides[1],
        "FilterHeight": kernel[0], "FilterWidth": kernel[1], "FusedActivationFunction": m.pick(*_ACTIVATIONS),
    })  # fmt: skip


def elementwise(m: _Maker, source: int) -> int:
    """ADD and MUL with a branch of the source, a constant per channel, or one constant."""
    shape = m.flat.shapes[source]
    name = m.pick("ADD", "MUL")
    scale, zero_point = m.scale(), m.zero_point()
    kind = m.pick("branch", "channel", "scalar")
    if kind == "branch":
        other = quantize(m, source)
    else:
        size = [shape[-1]] if kind == "channel" else [1]
        other = m.flat.tensor(size, [scale], [zero_point], m.rng.integers(-128, 128, size).astype(np.int8))
    inputs = [source, other] if kind == "branch" or m.rng.integers(2) else [other, source]
    grow = 1.5 if name == "ADD" else 60 * m.flat.quantization[other][0][0]
    result = m.result(shape, float(np.float32(m.flat.quantization[source][0][0] * grow)))
    options = {"FusedActivationFunction": m.pick(*_ACTIVATIONS)}
    return m.flat.operator(name, inputs, result, f"{name.title()}Options", options)


def pad(m: _Maker, source: int) -> int:
    """On every side but the batch's."""
    sizes = m.rng.integers(0, 3, (4, 2)).astype(np.int32)
    sizes[0] = 0
    sizes[3] = m.pick([0, 0], [1, 2])
    amounts = m.flat.tensor([4, 2], values=sizes)
    shape = [int(s + extra.sum()) for s, extra in zip(m.flat.shapes[source], sizes, strict=True)]
    return m.flat.operator("PAD", [source, amounts], m.like(source, shape), "PadOptions")


def concatenation(m: _Maker, source: int) -> int:
    """The source beside itself, twice or three times, along any axis but the batch's."""
    axis, copies = int(m.rng.integers(1, 4)), int(m.rng.integers(2, 4))
    shape = list(m.flat.shapes[source])
    shape[axis] *= copies
    return m.flat.operator(
        "CONCATENATION", [source] * copies, m.like(source, shape), "ConcatenationOptions", {"Axis": axis}
    )


def strided_slice(m: _Maker, source: int) -> int:
    """With strides and masks."""
    shape = m.flat.shapes[source]
    begin = [0, *(int(m.rng.integers(0, max(1, s // 2))) for s in shape[1:])]
    steps = [1, *(int(m.rng.integers(1, 3)) for _ in shape[1:])]
    begin_mask, end_mask = int(m.rng.integers(16)), int(m.rng.integers(16))
    end = [1, *(int(m.rng.integers(b + 1, s + 1)) for b, s in zip(begin[1:], shape[1:], strict=True))]
    extents = [
        len(range(s)[None if begin_mask >> i & 1 else b : None if end_mask >> i & 1 else e : step])
        for i, (s, b, e, step) in enumerate(zip(shape, begin, end, steps, strict=True))
    ]
    constants = [m.flat.tensor([4], values=np.array(v, np.int32)) for v in (begin, end, steps)]
    masks = {"BeginMask": begin_mask, "EndMask": end_mask}
    return m.flat.operator("STRIDED_SLICE", [source, *constants], m.like(source, extents), "StridedSliceOptions", masks)


def quantize(m: _Maker, source: int) -> int:
    """To another scale."""
    scale = float(np.float32(m.flat.quantization[source][0][0] * m.rng.uniform(0.6, 1.8)))
    return m.flat.operator("QUANTIZE", [source], m.result(m.flat.shapes[source], scale), "QuantizeOptions")


def relu(m: _Maker, source: int) -> int:
    """RELU and RELU6, requantized."""
    scale = float(np.float32(m.flat.quantization[source][0][0] * m.rng.uniform(0.6, 1.8)))
    return m.flat.operator(m.pick("RELU", "RELU6"), [source], m.result(m.flat.shapes[source], scale))


def logistic(m: _Maker, source: int) -> int:
    """TFLite fixes the output's scale and zero point."""
    return m.flat.operator("LOGISTIC", [source], m.result(m.flat.shapes[source], 1 / 256, -128))


def fully_connected(m: _Maker, source: int, rows: int) -> int:
    """One scale, sometimes with a zero point of the weights, or one per row."""
    depth = m.flat.shapes[source][-1]
    per_channel = bool(m.rng.integers(2))
    values = m.rng.integers(-127, 128, (rows, depth)).astype(np.int8)
    scales = [float(np.float32(s)) for s in m.rng.uniform(0.002, 0.01, rows if per_channel else 1)]
    zero_points = [0] * len(scales) if per_channel or m.rng.integers(2) else [int(m.rng.integers(-20, 20))]
    weight = m.flat.tensor((rows, depth), scales, zero_points, values)
    inputs = [source, weight]
    if m.rng.integers(4):
        bias_scales = [float(np.float32(m.flat.quantization[source][0][0] * s)) for s in scales]
        bias = m.rng.integers(-3000, 3000, rows).astype(np.int32)
        inputs.append(m.flat.tensor([rows], bias_scales, [0] * len(scales), bias))
    else:
        inputs.append(-1)
    result = m.result([1, rows], m.summed(source, scales, depth))
    options = {"FusedActivationFunction": m.pick(*_ACTIVATIONS)}
    return m.flat.operator("FULLY_CONNECTED", inputs, result, "FullyConnectedOptions", options)


IMAGE_STEPS: tuple[Callable[[_Maker, int], int], ...] = (
    conv_2d, depthwise_conv_2d, pool, elementwise, pad, concatenation, strided_slice, quantize, relu, logistic,
)  # fmt: skip


def random_model(seed: int, defaults: bool = False) -> bytes:
    """Makes a model: an image through three to six random steps, then dense layers, head selection or softmax.

    Three seeds out of four that follow each other hold different first steps, so that ten seeds meet all operators.
    """
    m = _Maker(seed, defaults)
    height, width, channels = (int(size) for size in m.rng.integers((4, 4, 1), (9, 9, 7)))
    image = tensor = m.result([1, height, width, channels])
    steps = [IMAGE_STEPS[seed % len(IMAGE_STEPS)], *(m.pick(*IMAGE_STEPS) for _ in range(int(m.rng.integers(2, 6))))]
    for step in steps:
        if min(m.flat.shapes[tensor][1:3]) < 2 or np.prod(m.flat.shapes[tensor]) > 3000:
            break
        tensor = step(m, tensor)
    shape = m.flat.shapes[tensor]
    if m.rng.integers(2):
        axes = m.flat.tensor([2], values=np.array([1, 2], np.int32))
        result = (
            m.like(tensor, [1, shape[-1]])
            if m.rng.integers(2)
            else m.result([1, shape[-1]], float(np.float32(m.flat.quantization[tensor][0][0] * 0.7)))
        )
        tensor = m.flat.operator("MEAN", [tensor, axes], result, "ReducerOptions")
    else:
        flat = int(np.prod(shape))
        target = m.flat.tensor([2], values=np.array([1, flat], np.int32))
        tensor = m.flat.operator("RESHAPE", [tensor, target], m.like(tensor, [1, flat]), "ReshapeOptions")
    heads, classes = int(m.rng.integers(2, 4)), int(m.rng.integers(2, 11))
    inputs = [image]
    if seed % 2:
        tensor = fully_connected(m, tensor, heads * classes)
        target = m.flat.tensor([2], values=np.array([heads, classes], np.int32))
        tensor = m.flat.operator("RESHAPE", [tensor, target], m.like(tensor, [heads, classes]), "ReshapeOptions")
        if seed % 4 == 1:
            # A step in between keeps the choice of a head out of the dense layer.
            tensor = quantize(m, tensor)
        head = m.flat.tensor([1], name="head")
        inputs.append(head)
        tensor = m.flat.operator("GATHER", [tensor, head], m.like(tensor, [1, classes]), "GatherOptions", {"Axis": 0})
    else:
        tensor = fully_connected(m, tensor, classes)
    if m.rng.integers(2):
        result = m.result([1, classes], 1 / 256, -128)
        tensor = m.flat.operator("SOFTMAX", [tensor], result, "SoftmaxOptions", {"Beta": m.pick(1.0, 0.5)})
    return m.flat.finish(inputs, tensor)
