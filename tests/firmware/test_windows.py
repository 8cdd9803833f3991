"""Sliding windows, counted by hand."""

from typing import Any

import pytest

from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.window import lead_bytes, window_output, window_parameters
from tinycerb.converters.model_file import Operator, Tensor

SAME, VALID = 0, 1


def sliding(source: tuple[int, ...], result: tuple[int, ...] = (1, 1, 1, 1)) -> Operator:
    tensors = [Tensor(i, f"tensor {i}", "int8", shape, (1.0,), (0,), 0) for i, shape in enumerate((source, result))]
    return Operator(4, "CONV_2D", 1, (tensors[0],), (tensors[1],))


@pytest.mark.parametrize(
    ("kernel", "strides", "dilations", "padding", "found"),
    [
        ((3, 2), (2, 1), (1, 1), SAME, (5, 7)),
        ((3, 2), (3, 2), (1, 1), SAME, (4, 4)),
        # (10 - 3) / 2 and (7 - 2) / 1, and the first place.
        ((3, 2), (2, 1), (1, 1), VALID, (4, 6)),
        # They span 5 and 4.
        ((3, 2), (2, 1), (2, 3), VALID, (3, 4)),
        ((10, 7), (1, 1), (1, 1), VALID, (1, 1)),
        # The longest step: (2 * 10 + 3 * 1 + it) * 3 channels is 2^31 - 2.
        ((3, 2), (715_827_859, 1), (1, 1), VALID, (1, 6)),
    ],
)
def test_rows_and_columns(kernel: Any, strides: Any, dilations: Any, padding: int, found: Any) -> None:
    assert window_output(sliding((1, 10, 7, 3)), kernel, strides, dilations, padding) == found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"operator": sliding((2, 10, 7, 3))}, r"has the shape \[2, 10, 7, 3\]; expected \[1, height, width, chan"),
        ({"operator": sliding((1, 10, 7))}, r"has the shape \[1, 10, 7\]"),
        ({"kernel": (0, 2)}, "its kernel is 0x2; expected 1 or more"),
        ({"strides": (1, 0)}, "its stride is 1x0; expected 1 or more"),
        ({"dilations": (0, 1)}, "its dilation is 0x1; expected 1 or more"),
        ({"padding": 2}, r"its padding is 2; expected 0 \(SAME\) or 1 \(VALID\)"),
        ({"kernel": (11, 7)}, "its window spans 11 elements; the image has 10 there"),
        ({"kernel": (3, 3), "dilations": (1, 4)}, "its window spans 9 elements; the image has 7 there"),
        ({"strides": (715_827_860, 1)}, "its stride of 715827860 or dilation of 1 leads out of the range"),
        ({"dilations": (1, 357_913_934)}, "its stride of 1 or dilation of 357913934 leads out of the range"),
    ],
)  # fmt: skip
def test_windows_that_are_refused(changed: dict[str, Any], said: str) -> None:
    window: dict[str, Any] = {
        "operator": sliding((1, 10, 7, 3)), "kernel": (3, 2), "strides": (1, 1), "dilations": (1, 1), "padding": VALID,
    }  # fmt: skip
    window_output(**window)
    with pytest.raises(UnsupportedModelError, match=said) as refused:
        window_output(**{**window, **changed})
    assert str(refused.value).startswith("layer 4 (CONV_2D, output 'tensor 1'): ")


@pytest.mark.parametrize(
    ("kernel", "strides", "dilations", "padding", "result", "pads"),
    [
        # 4 * 2 + 5 - 10 and 6 * 1 + 5 - 7 places are missing; the smaller half stands before the image.
        ((5, 5), (2, 1), (1, 1), SAME, (5, 7), (1, 2)),
        ((3, 2), (2, 1), (2, 3), SAME, (5, 7), (1, 1)),
        # Strides that leave places out want none.
        ((1, 1), (2, 2), (1, 1), SAME, (5, 4), (0, 0)),
        ((5, 5), (1, 1), (1, 1), VALID, (6, 3), (0, 0)),
    ],
)
def test_a_windows_parameters(kernel: Any, strides: Any, dilations: Any, padding: int, result: Any, pads: Any) -> None:
    operator = sliding((1, 10, 7, 3), (1, *result, 8))
    assert window_parameters(operator, kernel, strides, dilations, padding) == {
        "input_height": 10, "input_width": 7, "channels": 3, "output_height": result[0], "output_width": result[1],
        "kernel_height": kernel[0], "kernel_width": kernel[1], "stride_height": strides[0], "stride_width": strides[1],
        "dilation_height": dilations[0], "dilation_width": dilations[1], "pad_top": pads[0], "pad_left": pads[1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "result", "stride", "pad", "bytes_before"),
    [
        # Row r is written up to byte 16 (r + 1) and reads from byte 8 r: 40 ahead at the end. Pixels of 2 and 4 bytes.
        ((1, 4, 4, 2), (1, 4, 4, 4), 1, 0, 40 + 6),
        # Row 0 is written up to byte 2 and still reads from byte 0.
        ((1, 5, 3, 1), (1, 3, 2, 1), 2, 1, 2 + 2),
        # Rows 0 and 1 both read from the image's first row: 2 * 12 bytes are written by then.
        ((1, 6, 6, 2), (1, 6, 6, 2), 1, 1, 24 + 4),
        # The last two rows read below the image: 5 * 6 bytes are written, 3 * 3 * 2 read.
        ((1, 3, 3, 2), (1, 5, 3, 2), 1, 0, 30 - 18 + 4),
    ],
)
def test_how_far_an_output_begins_before_its_input(
    source: Any, result: Any, stride: int, pad: int, bytes_before: int
) -> None:
    assert lead_bytes(sliding(source, result), {"stride_height": stride, "pad_top": pad}) == bytes_before
