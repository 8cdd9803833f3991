"""Sliding windows: what convolutions and pools share."""

from converters.c_model.errors import refuse
from converters.c_model.layer import Value
from converters.model_file import Operator

_SAME = 0


def window_parameters(
    operator: Operator, kernel: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int], padding: int
) -> dict[str, Value]:
    """Returns the members of `tc_window`.

    Raises:
        UnsupportedModelError: a batch that is not 1, or an image that is not four-dimensional.
    """
    source, result = operator.inputs[0].shape, operator.outputs[0].shape
    if len(source) != 4 or source[0] != 1:
        raise refuse(operator, f"its input has the shape {list(source)}; expected [1, height, width, channels]")
    spans = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True)]
    before = [
        max((result[axis + 1] - 1) * strides[axis] + spans[axis] - source[axis + 1], 0) // 2 if padding == _SAME else 0
        for axis in (0, 1)
    ]
    return {
        "input_height": source[1],
        "input_width": source[2],
        "channels": source[3],
        "output_height": result[1],
        "output_width": result[2],
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "stride_height": strides[0],
        "stride_width": strides[1],
        "dilation_height": dilations[0],
        "dilation_width": dilations[1],
        "pad_top": before[0],
        "pad_left": before[1],
    }
