"""What each operator of a .tflite file costs: multiply-accumulates, weight bytes, activation bytes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from converters.model_file import ModelFile, Operator


@dataclass(frozen=True)
class LayerCost:
    """One operator's row.

    Attributes:
        operator: its name.
        version: its version.
        output_shape: shape of its first output.
        multiply_accumulates: multiply-accumulate operations, 0 for operators without weights.
        weight_bytes: bytes of its constants.
        activation_bytes: bytes of its outputs.
    """

    operator: str
    version: int
    output_shape: tuple[int, ...]
    multiply_accumulates: int
    weight_bytes: int
    activation_bytes: int


def layer_costs(model: ModelFile) -> list[LayerCost]:
    """Returns one row per operator, in execution order."""
    return [
        LayerCost(
            operator=operator.name,
            version=operator.version,
            output_shape=operator.outputs[0].shape,
            multiply_accumulates=_COUNTERS.get(operator.name, _none)(operator),
            weight_bytes=sum(tensor.constant_bytes for tensor in operator.inputs),
            activation_bytes=sum(tensor.bytes for tensor in operator.outputs),
        )
        for operator in model.operators
    ]


def _none(operator: Operator) -> int:
    return 0


def _convolution(operator: Operator) -> int:
    # Weights [out, height, width, in]: every output value sums over one filter.
    return _product(operator.outputs[0].shape) * _product(operator.inputs[1].shape[1:])


def _depthwise(operator: Operator) -> int:
    # Weights [1, height, width, out]: every output value sums over one window of one channel.
    return _product(operator.outputs[0].shape) * _product(operator.inputs[1].shape[1:3])


def _fully_connected(operator: Operator) -> int:
    # Weights [out, in].
    return _product(operator.outputs[0].shape) * operator.inputs[1].shape[1]


def _product(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


_COUNTERS: dict[str, Callable[[Operator], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
}
