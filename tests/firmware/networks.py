"""Whole int8 networks with random weights, written straight as flatbuffers: the demo's, and those of MLPerf Tiny.

Instructions do not depend on weights, so that these cost what trained ones cost.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tests.firmware.flatbuffer_model import FlatModel

NONE, RELU = 0, 1


class _Network:
    """A network under construction; `at` is the tensor that the next layer reads."""

    def __init__(self, shape: Sequence[int], defaults: bool = False) -> None:
        self.flat = FlatModel(defaults)
        self.rng = np.random.default_rng(11)
        self.dead_filters = False
        self.at = self.image = self.flat.tensor([1, *shape], [0.04], [-3], name="image")

    def _weights(self, shape: Sequence[int], rows: int, axis: int, per_channel: bool = True) -> tuple[int, int, float]:
        values = self.rng.integers(-120, 121, shape)
        # Filters without a mean: what all places have in common would outgrow everything else on the way.
        others = tuple(i for i in range(len(shape)) if i != axis)
        values = (values - np.rint(values.mean(axis=others, keepdims=True))).astype(np.int8)
        scales = self.rng.uniform(0.004, 0.008, rows if per_channel else 1).astype(np.float32)
        before = self.flat.quantization[self.at][0][0]
        bias = self.rng.integers(-2000, 2000, rows).astype(np.int32)
        depth = values.size // rows
        typical = scales.mean()
        if self.dead_filters and per_channel:
            # As TensorFlow's converter leaves them: no weights, a bias at its cap.
            values[tuple(slice(None, None, 5 if i == axis else None) for i in range(len(shape)))] = 0
            bias[::5], scales[::5] = 2**30, scales[::5] * np.float32(1e-6)
        weights = self.flat.tensor(shape, scales, [0] * len(scales), values, axis)
        biases = self.flat.tensor([rows], [before * float(s) for s in scales], [0] * len(scales), bias)
        # Sums then fill the range without leaving it.
        return weights, biases, float(before * typical * np.sqrt(depth) * 40)

    def conv(self, filters: int, kernel: int | tuple[int, int], stride: int = 1, activation: int = RELU) -> None:
        """CONV_2D, padding SAME."""
        self._windowed("CONV_2D", filters, kernel, stride, activation)

    def depthwise(self, kernel: int | tuple[int, int], stride: int = 1) -> None:
        """DEPTHWISE_CONV_2D, padding SAME, with ReLU."""
        self._windowed("DEPTHWISE_CONV_2D", self.flat.shapes[self.at][-1], kernel, stride, RELU)

    def _windowed(self, name: str, filters: int, kernel: int | tuple[int, int], stride: int, activation: int) -> None:
        _, height, width, channels = self.flat.shapes[self.at]
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        depthwise = name == "DEPTHWISE_CONV_2D"
        shape = (1, *size, filters) if depthwise else (filters, *size, channels)
        weights, bias, scale = self._weights(shape, filters, 3 if depthwise else 0)
        zero_point = -128 if activation == RELU else 4
        result = self.flat.tensor([1, -(-height // stride), -(-width // stride), filters], [scale], [zero_point])
        options = {"Padding": 0, "StrideH": stride, "StrideW": stride, "FusedActivationFunction": activation}
        options |= {"DilationHFactor": 1, "DilationWFactor": 1} | ({"DepthMultiplier": 1} if depthwise else {})
        table = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        self.at = self.flat.operator(name, [self.at, weights, bias], result, table, options)

    def add(self, other: int, activation: int = NONE) -> None:
        """ADD of another tensor."""
        scale = 1.3 * max(self.flat.quantization[tensor][0][0] for tensor in (self.at, other))
        result = self.flat.tensor(self.flat.shapes[self.at], [scale], [-128 if activation == RELU else -5])
        options = {"FusedActivationFunction": activation}
        self.at = self.flat.operator("ADD", [other, self.at], result, "AddOptions", options)

    def average(self) -> None:
        """Global average pooling, as MEAN."""
        axes = self.flat.tensor([2], values=np.array([1, 2], np.int32))
        scales, zero_points = self.flat.quantization[self.at]
        result = self.flat.tensor([1, self.flat.shapes[self.at][-1]], [scales[0] * 0.4], zero_points)
        self.at = self.flat.operator("MEAN", [self.at, axes], result, "ReducerOptions")

    def pool(self) -> None:
        """Global average pooling as MLPerf Tiny's networks have it: AVERAGE_POOL_2D over all of it, and RESHAPE."""
        _, height, width, channels = self.flat.shapes[self.at]
        quantization = self.flat.quantization[self.at]
        options = {"Padding": 1, "StrideH": height, "StrideW": width, "FilterHeight": height, "FilterWidth": width}
        pooled = self.flat.tensor([1, 1, 1, channels], *quantization)
        self.flat.operator("AVERAGE_POOL_2D", [self.at], pooled, "Pool2DOptions", options)
        shape = self.flat.tensor([2], values=np.array([1, channels], np.int32))
        row = self.flat.tensor([1, channels], *quantization)
        self.at = self.flat.operator("RESHAPE", [pooled, shape], row, "ReshapeOptions")

    def dense(self, rows: int, activation: int = NONE) -> None:
        """FULLY_CONNECTED with one scale."""
        weights, bias, scale = self._weights((rows, self.flat.shapes[self.at][-1]), rows, 0, per_channel=False)
        result = self.flat.tensor([1, rows], [scale], [-128 if activation == RELU else 7])
        options = {"FusedActivationFunction": activation}
        self.at = self.flat.operator(
            "FULLY_CONNECTED", [self.at, weights, bias], result, "FullyConnectedOptions", options
        )

    def softmax(self) -> bytes:
        """Finishes with SOFTMAX."""
        result = self.flat.tensor(self.flat.shapes[self.at], [1 / 256], [-128])
        # Logits of random weights are far apart.
        beta = 0.03 / self.flat.quantization[self.at][0][0]
        self.flat.operator("SOFTMAX", [self.at], result, "SoftmaxOptions", {"Beta": beta})
        return self.flat.finish([self.image], result)

    def classify(self, heads: int, classes: int = 10) -> bytes:
        """Finishes with a head or more; with more than one the model's input `head` chooses."""
        self.dense(heads * classes)
        if heads == 1:
            return self.flat.finish([self.image], self.at)
        quantization = self.flat.quantization[self.at]
        rows, result = self.flat.tensor([heads, classes], *quantization), self.flat.tensor([1, classes], *quantization)
        shape = self.flat.tensor([2], values=np.array([heads, classes], np.int32))
        head = self.flat.tensor([1], name="head")
        self.flat.operator("RESHAPE", [self.at, shape], rows, "ReshapeOptions")
        self.flat.operator("GATHER", [rows, head], result, "GatherOptions", {"Axis": 0})
        return self.flat.finish([self.image, head], result)


def demo_net(heads: int = 3, defaults: bool = False) -> bytes:
    """The demo's network at width 1: 28x28x1, 1.2 million multiply-accumulates."""
    net = _Network((28, 28, 1), defaults)
    net.conv(16, 3, 2)
    net.depthwise(3)
    net.conv(32, 1)
    shortcut = net.at
    net.depthwise(3)
    net.conv(32, 1)
    net.add(shortcut)
    net.depthwise(3, 2)
    net.conv(64, 1)
    net.conv(64, 3, 2)
    net.depthwise(3)
    net.conv(96, 1)
    net.average()
    return net.classify(heads)


def one_convolution(size: int, channels: int) -> bytes:
    """A 3x3 convolution that keeps its channels, and two classes."""
    net = _Network((size, size, channels))
    net.conv(channels, 3)
    net.average()
    return net.classify(1, 2)


def few_large_steps(shape: tuple[int, int, int]) -> bytes:
    """A large image that costs little: every fourth place of it, and three classes."""
    net = _Network(shape)
    net.conv(4, 3, 4)
    net.average()
    return net.classify(1, 3)


def resnet8() -> bytes:
    """Image classification: 32x32x3, 12.5 million multiply-accumulates."""
    net = _Network((32, 32, 3))
    net.conv(16, 3)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        source = net.at
        net.conv(filters, 3, stride)
        net.conv(filters, 3, 1, NONE)
        inner = net.at
        if stride == 2:
            net.at = source
            net.conv(filters, 1, 2, NONE)
            source = net.at
        net.at = inner
        net.add(source, RELU)
    net.pool()
    net.dense(10)
    return net.softmax()


def ds_cnn() -> bytes:
    """Keyword spotting: 49x10x1, 12 words."""
    net = _Network((49, 10, 1))
    net.conv(64, (10, 4), 2)
    for _ in range(4):
        net.depthwise(3)
        net.conv(64, 1)
    net.pool()
    net.dense(12)
    return net.softmax()


def mobilenet_v1() -> bytes:
    """Visual wake words: 96x96x3 at width 0.25, two classes; every fifth filter is dead."""
    net = _Network((96, 96, 3))
    net.dead_filters = True
    net.conv(8, 3, 2)
    blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]
    for filters, stride in blocks:
        net.depthwise(3, stride)
        net.conv(filters, 1)
    net.pool()
    net.dense(2)
    return net.softmax()


def autoencoder() -> bytes:
    """Anomaly detection: 640 values through dense layers to 640 values, no softmax."""
    net = _Network((640,))
    for rows in (*[128] * 4, 8, *[128] * 4):
        net.dense(rows, RELU)
    net.dense(640)
    return net.flat.finish([net.image], net.at)


MLPERF_TINY: dict[str, Callable[[], bytes]] = {
    "resnet8": resnet8,
    "ds_cnn": ds_cnn,
    "mobilenet_v1": mobilenet_v1,
    "autoencoder": autoencoder,
}


def patches(shape: Sequence[int], count: int) -> np.ndarray:
    """Images of even patches, int8 [count, *shape]: noise would be the same grey to a network that averages."""
    rng = np.random.default_rng(7)
    if len(shape) != 3:
        return rng.integers(-128, 128, (count, *shape), dtype=np.int8)
    corners = rng.integers(-128, 128, (count, 3, 3, shape[2]), dtype=np.int8)
    rows, columns = (np.arange(size) * 3 // size for size in shape[:2])
    return corners[:, rows][:, :, columns]
