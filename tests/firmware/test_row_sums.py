"""Filters whose bias the converter has capped: constants where they are, the reference's bytes everywhere."""

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.kernels import cmsis_nn_folder
from tests.firmware.conftest import Case, Cases
from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.cmsis_nn import open_cmsis_nn
from tinycerb.boards.emulator import measure
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.c_model.row_sums import LARGEST_SUM, Rows, sum_ranges
from tinycerb.converters.model_file import parse_model

CAPPED = 2**30
# Biases of dead rows, and of rows next to dead: one weight that is not zero.
BIASES = (CAPPED, -CAPPED, 2**31 - 1, -(2**31), CAPPED, -CAPPED)


def _weights(flat: FlatModel, shape: tuple[int, ...], axis: int, before: float, one_scale: bool) -> list[int]:
    """Weights and bias of a layer with as many dead rows, among others, as `BIASES` has."""
    rng = np.random.default_rng(len(shape))
    rows = shape[axis]
    values = np.moveaxis(rng.integers(-120, 121, shape), axis, 0).copy()
    bias = rng.integers(-2000, 2000, rows)
    scales = np.full(1 if one_scale else rows, 0.006, np.float32)
    for index, capped in enumerate(BIASES):
        row = 2 * index + 1
        values[row] = 0
        if index >= 4:
            values[row].flat[0] = 1
        bias[row] = capped
        if not one_scale:
            # Outputs inside of the range, not only at its ends.
            scales[row] = 0.006 * 10.0 ** -(index + 4)
    weight = flat.tensor(shape, scales, [0] * len(scales), np.moveaxis(values, 0, axis).astype(np.int8), axis)
    return [weight, flat.tensor([rows], [before * float(s) for s in scales], [0] * len(scales), bias.astype(np.int32))]


def dead_filters(activation: int = 0) -> bytes:
    """A convolution, a depthwise one and a dense layer, dead rows in each."""
    flat = FlatModel()
    source = flat.tensor([1, 6, 6, 4], [0.04], [-3], name="image")
    options = {"Padding": 0, "StrideH": 1, "StrideW": 1, "FusedActivationFunction": activation}
    options |= {"DilationHFactor": 1, "DilationWFactor": 1}
    first = flat.tensor([1, 6, 6, 13], [0.06], [5])
    flat.operator("CONV_2D", [source, *_weights(flat, (13, 3, 3, 4), 0, 0.04, False)], first, "Conv2DOptions", options)
    second = flat.tensor([1, 6, 6, 13], [0.09], [-11])
    inputs = [first, *_weights(flat, (1, 3, 3, 13), 3, 0.06, False)]
    more = options | {"DepthMultiplier": 1}
    flat.operator("DEPTHWISE_CONV_2D", inputs, second, "DepthwiseConv2DOptions", more)
    result = flat.tensor([1, 14], [0.3], [9])
    inputs = [second, *_weights(flat, (14, 6 * 6 * 13), 0, 0.09, True)]
    flat.operator("FULLY_CONNECTED", inputs, result, "FullyConnectedOptions")
    return flat.finish([source], result)


@pytest.fixture(scope="module")
def dead(cases: Cases) -> dict[str, Case]:
    return cases({"none": dead_filters(), "relu": dead_filters(1)}, 20)


@pytest.mark.parametrize("target", ["host", "host-avx2"])
def test_dead_filters_are_the_references_constants(dead: dict[str, Case], tmp_path: Path, target: str) -> None:
    sanitized = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan")
    for name, case in dead.items():
        host = build_host_model(case.file, firmware_folder(), tmp_path / name, sanitized, target)
        assert (host.infer(case.images) != case.expected[:, 0]).sum() == 0
        constant = np.ptp(case.expected[:, 0], axis=0) == 0
        assert 6 <= constant.sum() < 14


@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m3", "qemu-m4", "qemu-m55"])
def test_dead_filters_are_the_references_constants_on_every_core(
    dead: dict[str, Case], tmp_path: Path, board: str
) -> None:
    case = dead["none"]
    image = build_image(case.file, load_board(board), tmp_path / board)
    found = measure(image, load_board(board), case.images)
    assert (found.logits != case.expected).sum() == 0


def test_dead_filters_are_the_references_constants_with_cmsis_nn(dead: dict[str, Case], tmp_path: Path) -> None:
    case, board = dead["relu"], load_board("qemu-m4")
    tree = open_cmsis_nn(cmsis_nn_folder() / "cmsis_nn")
    image = build_image(case.file, board, tmp_path / "image", cmsis_nn=tree)
    assert (measure(image, board, case.images).logits != case.expected).sum() == 0


def test_ranges_are_those_of_all_inputs() -> None:
    rng = np.random.default_rng(5)
    for zero_point, weight_zero_point in ((0, 0), (-128, 0), (127, 3), (-7, -20)):
        matrix = rng.integers(-128, 128, (3, 2)).astype(np.int8)
        rows = Rows(matrix, np.array([10, -5, 0], np.int32), ((2**30, 0),) * 3, weight_zero_point)
        first, second = np.meshgrid(*[np.arange(-128, 128)] * 2)
        inputs = np.stack([first.ravel(), second.ravel()]) - zero_point
        sums = (matrix.astype(int) - weight_zero_point) @ inputs + rows.bias[:, np.newaxis]
        smallest, largest = sum_ranges(rows, zero_point)
        assert (smallest == sums.min(axis=1)).all()
        assert (largest == sums.max(axis=1)).all()
        folded = matrix.astype(int) @ (inputs + zero_point) - weight_zero_point * (inputs + zero_point).sum(axis=0)
        assert (folded + rows.folded(zero_point)[:, np.newaxis] == sums).all()


def _dense(bias: int, weight: int, scale: float, zero_point: int = 0) -> bytes:
    flat = FlatModel()
    source = flat.tensor([1, 1], [1.0], [0])
    weights = flat.tensor([1, 1], [1.0], [zero_point], np.array([[weight]], np.int8))
    inputs = [source, weights, flat.tensor([1], [1.0], [0], np.array([bias], np.int32))]
    result = flat.operator("FULLY_CONNECTED", inputs, flat.tensor([1, 1], [scale], [0]), "FullyConnectedOptions")
    return flat.finish([source], result)


def test_the_bound_is_exact() -> None:
    """One weight of 1: sums reach from the bias less 128 to the bias and 127."""
    step = 2**30 / 50.5
    lower_model(parse_model(_dense(LARGEST_SUM - 127, 1, step)), "dsp")
    with pytest.raises(UnsupportedModelError, match=r"channel 0: its sums, from 1,073,741,569 to 1,073,741,824"):
        lower_model(parse_model(_dense(LARGEST_SUM - 126, 1, step)), "dsp")
    # Shifted to the left the sums are larger.
    lower_model(parse_model(_dense(2**28 - 128, 1, 1 / 2.5)), "dsp")
    with pytest.raises(
        UnsupportedModelError,
        match="shifted left by 2 bits, exceed 1,073,741,823, and TFLite's own arithmetic is undefined",
    ):
        lower_model(parse_model(_dense(2**29, 0, 1 / 2.5)), "dsp")


def test_rows_of_the_weights_zero_point_are_dead(cases: Cases, tmp_path: Path) -> None:
    models = {str(bias): _dense(bias, 7, 2**31 / 90.0, 7) for bias in (CAPPED, -CAPPED, 2**31 - 1)}
    for name, case in cases(models, 20).items():
        host = build_host_model(case.file, firmware_folder(), tmp_path / name, ("-O1",))
        assert (host.infer(case.images) != case.expected[:, 0]).sum() == 0
        assert abs(int(case.expected[0, 0, 0])) in (45, 90)
