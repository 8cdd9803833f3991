"""What the checks of several operators ask for. Each function refuses what does not fit, naming operator and tensor."""

from collections.abc import Sequence

import numpy as np

from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.fixed_point import round_half_away
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator, Tensor

Shape = tuple[int, ...]
_LARGEST_INTEGER = 2**31 - 1


def require_inputs(operator: Operator, least: int, most: int | None = None, optional: Sequence[int] = ()) -> None:
    """Refuses another number of inputs than `least` (to `most`), and absent ones but for the `optional` positions."""
    most = least if most is None else most
    if not set(operator.absent) <= set(optional):
        raise refuse(operator, f"its inputs {list(operator.absent)} are absent; expected all of them")
    if not least <= len(operator.inputs) <= most:
        allowed = f"{least}" if least == most else f"{least} to {most}"
        raise refuse(operator, f"it reads {len(operator.inputs)} tensors; expected {allowed}")


def require_int8(operator: Operator, *tensors: Tensor) -> None:
    """Refuses tensors that are not quantized int8 with one scale."""
    for tensor in tensors:
        if tensor.dtype != "int8" or len(tensor.scales) != 1:
            raise refuse_tensor(
                operator,
                tensor,
                f"is {tensor.dtype} with {len(tensor.scales)} scales; expected int8 with one "
                "(convert with full integer quantization)",
            )


def require_activation(source: Source, operator: Operator) -> Tensor:
    """Returns the first input; refuses it unless it is computed at run time, int8 with one scale."""
    require_int8(operator, operator.inputs[0], operator.outputs[0])
    if source.constant(operator.inputs[0]) is not None:
        raise refuse_tensor(operator, operator.inputs[0], "is a constant; expected what another layer computes")
    return operator.inputs[0]


def require_rank(operator: Operator, tensor: Tensor, ranks: Sequence[int]) -> None:
    """Refuses a tensor with another number of axes."""
    if len(tensor.shape) not in ranks:
        allowed = " or ".join(map(str, ranks)) if len(ranks) < 3 else f"{ranks[0]} to {ranks[-1]}"
        raise refuse_tensor(operator, tensor, f"has the shape {list(tensor.shape)}; expected {allowed} axes")


def require_image(operator: Operator, tensor: Tensor) -> None:
    """Refuses what is not one image [1, height, width, channels]."""
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        raise refuse_tensor(
            operator, tensor, f"has the shape {list(tensor.shape)}; expected [1, height, width, channels]"
        )


def require_integers(source: Source, operator: Operator, position: int, what: str) -> np.ndarray:
    """Returns the values of a constant int32 input."""
    values = source.required_constant(operator, position, what)
    if values.dtype != np.int32:
        raise refuse_tensor(operator, operator.inputs[position], f"is {values.dtype}; expected an int32 {what}")
    return values


def require_same_quantization(operator: Operator, *tensors: Tensor) -> None:
    """Refuses tensors whose scale or zero point is not the output's."""
    result = operator.outputs[0]
    for tensor in tensors:
        if (tensor.scales, tensor.zero_points) != (result.scales, result.zero_points):
            raise refuse_tensor(
                operator,
                tensor,
                f"has scale {tensor.scales[0]:g} and zero point {tensor.zero_points[0]}; expected the output's, "
                f"{result.scales[0]:g} and {result.zero_points[0]}",
            )


def require_fused(operator: Operator, activation: int, allowed: Sequence[int] = (0, 1, 3)) -> None:
    """Refuses a fused activation that no kernel has, or whose end lies beyond 32 bits at the output's scale."""
    if activation not in allowed:
        names = {0: "none", 1: "ReLU", 3: "ReLU6"}
        told = ", ".join(names[code] for code in allowed)
        raise refuse(operator, f"fused activation {activation} is not supported; allowed: {told}")
    if activation == 3:
        require_six(operator)


def require_six(operator: Operator) -> None:
    """Refuses an output scale at which ReLU6's end is no 32-bit number."""
    result = operator.outputs[0]
    with np.errstate(over="ignore"):
        steps = np.float32(6) / np.float32(result.scales[0])
    if not steps < _LARGEST_INTEGER or result.zero_points[0] + round_half_away(steps) > _LARGEST_INTEGER:
        raise refuse_tensor(operator, result, f"has the scale {result.scales[0]:g}: 6 of ReLU6 is no 32-bit number")
