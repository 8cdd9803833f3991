"""Sliding windows: what convolutions and pools share."""

from collections.abc import Mapping

from converters.c_model.errors import refuse
from converters.model_file import Operator

_SAME = 0


def lead_bytes(operator: Operator, window: Mapping[str, int]) -> int:
    """Bytes by which the output of a sliding window must begin before the input, so that it can lie over it.

    Kernels go row by row. Row r of the output reads the input from row r * stride - pad on, and nothing before that is
    needed again; one pixel more on either side, because convolutions work on two pixels at a time.
    """
    stride, pad_top = window["stride_height"], window["pad_top"]
    (_, height, width, channels), (_, rows, columns, filters) = operator.inputs[0].shape, operator.outputs[0].shape
    first = (min(max(row * stride - pad_top, 0), height) for row in range(rows))
    ahead = max((row + 1) * columns * filters - begin * width * channels for row, begin in enumerate(first))
    return max(ahead, 0) + filters + channels


def window_parameters(
    operator: Operator, kernel: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int], padding: int
) -> dict[str, int]:
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
