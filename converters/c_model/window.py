"""Sliding windows: what convolutions and pools share."""

from collections.abc import Mapping

from tinycerb.converters.c_model.errors import refuse
from tinycerb.converters.c_model.requirements import require_image
from tinycerb.converters.model_file import Operator

_SAME, _VALID = 0, 1
_LARGEST_INTEGER = 2**31 - 1


def window_output(
    operator: Operator, kernel: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int], padding: int
) -> tuple[int, int]:
    """Returns rows and columns of what a window gives that slides over the first input.

    Raises:
        UnsupportedModelError: no image of batch 1; a kernel, stride or dilation below 1; an unknown padding; a window
            that never fits, or so large a step that a place in the image is no 32-bit number.
    """
    source = operator.inputs[0]
    require_image(operator, source)
    for what, sizes in (("kernel", kernel), ("stride", strides), ("dilation", dilations)):
        if min(sizes) < 1:
            raise refuse(operator, f"its {what} is {sizes[0]}x{sizes[1]}; expected 1 or more")
    if padding not in (_SAME, _VALID):
        raise refuse(operator, f"its padding is {padding}; expected {_SAME} (SAME) or {_VALID} (VALID)")
    found = []
    for size, length, stride, dilation in zip(source.shape[1:3], kernel, strides, dilations, strict=True):
        # All places that a kernel computes, in elements: before the image, inside and one step beyond.
        if (2 * size + stride + length * dilation) * source.shape[3] > _LARGEST_INTEGER:
            raise refuse(
                operator, f"its stride of {stride} or dilation of {dilation} leads out of the range of 32-bit numbers"
            )
        span = (length - 1) * dilation + 1
        found.append(-(-size // stride) if padding == _SAME else (size - span) // stride + 1)
        if found[-1] < 1:
            raise refuse(operator, f"its window spans {span} elements; the image has {size} there")
    return found[0], found[1]


def lead_bytes(operator: Operator, window: Mapping[str, int]) -> int:
    """Bytes by which the output of a sliding window must begin before the input, so that it can lie over it.

    Kernels go row by row. Row r of the output reads the input from row r * stride - pad on, and nothing before that is
    needed again; one pixel more on either side, because convolutions work on two pixels at a time.
    """
    stride, pad_top = window["stride_height"], window["pad_top"]
    (_, height, width, channels), (_, rows, columns, filters) = operator.inputs[0].shape, operator.outputs[0].shape
    # Linear from one of these rows to the next: the largest is among them.
    turns = (pad_top // stride, pad_top // stride + 1, (pad_top + height - 1) // stride, rows - 1)
    ahead = max(
        (row + 1) * columns * filters - min(max(row * stride - pad_top, 0), height) * width * channels
        for row in (min(turn, rows - 1) for turn in turns)
    )
    return max(ahead, 0) + filters + channels


def window_parameters(
    operator: Operator, kernel: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int], padding: int
) -> dict[str, int]:
    """Returns the members of `tc_window`, for a window that `window_output` has accepted."""
    source, result = operator.inputs[0].shape, operator.outputs[0].shape
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
