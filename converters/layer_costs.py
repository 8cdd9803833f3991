"""What each operator of a .tflite file costs: multiply-accumulates, weight bytes, activation bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from tinycerb.converters.model_file import ModelFile, Operator


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
        input_shape: shape of its first input, empty where it has none.
        dtype: type of its first output.
    """

    operator: str
    version: int
    output_shape: tuple[int, ...]
    multiply_accumulates: int
    weight_bytes: int
    activation_bytes: int
    input_shape: tuple[int, ...] = ()
    dtype: str = ""


def layer_costs(model: ModelFile) -> list[LayerCost]:
    """Returns one row per operator of the main subgraph, in execution order."""
    return [cost_of(operator) for operator in model.operators]


def cost_of(operator: Operator) -> LayerCost:
    """Returns the row of one operator."""
    first_input, first_output = next(iter(operator.inputs), None), next(iter(operator.outputs), None)
    return LayerCost(
        operator=operator.name,
        version=operator.version,
        output_shape=first_output.shape if first_output else (),
        multiply_accumulates=_multiply_accumulates(operator),
        weight_bytes=sum(tensor.constant_bytes for tensor in operator.inputs),
        activation_bytes=sum(tensor.bytes for tensor in operator.outputs),
        input_shape=first_input.shape if first_input else (),
        dtype=first_output.dtype if first_output else "",
    )


def _multiply_accumulates(operator: Operator) -> int:
    if operator.name not in _COUNTERS or not operator.outputs:
        return 0
    counter, operands, rank = _COUNTERS[operator.name]
    # An operator whose operands are not what its name promises is somebody else's mistake: nothing to count.
    sound = len(operator.inputs) >= operands and len(operator.inputs[1].shape) == rank
    return counter(operator) if sound else 0


def _convolution(operator: Operator) -> int:
    # Weights [out, height, width, in]: every output value sums over one filter.
    return prod(operator.outputs[0].shape) * prod(operator.inputs[1].shape[1:])


def _depthwise(operator: Operator) -> int:
    # Weights [1, height, width, out]: every output value sums over one window of one channel.
    return prod(operator.outputs[0].shape) * prod(operator.inputs[1].shape[1:3])


def _fully_connected(operator: Operator) -> int:
    # Weights [out, in].
    return prod(operator.outputs[0].shape) * operator.inputs[1].shape[1]


def _transposed_convolution(operator: Operator) -> int:
    # Inputs are the output shape, weights [out, height, width, in] and the data: every input value meets one filter.
    return prod(operator.inputs[2].shape) * prod(operator.inputs[1].shape[:3])


# Per operator: the counter, how many inputs it looks at, and the rank that weights must have.
_COUNTERS: dict[str, tuple[Callable[[Operator], int], int, int]] = {
    "CONV_2D": (_convolution, 2, 4),
    "DEPTHWISE_CONV_2D": (_depthwise, 2, 4),
    "FULLY_CONNECTED": (_fully_connected, 2, 2),
    "TRANSPOSE_CONV": (_transposed_convolution, 3, 4),
}
