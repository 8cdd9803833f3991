"""The arithmetic at the ends of its bounds, as docs/firmware.md states them: defined, and the reference's bytes."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.firmware.answer_model import answer_model
from tests.firmware.conftest import Case, Cases
from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import parse_response, respond
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.device_response import device_response
from tinycerb.boards.emulator import measure
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.model_file import parse_model

UNDEFINED = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan")
LARGEST = 2**30 - 1
DEPTH = 4
_WINDOW: dict[str, Any] = {"Padding": 1, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
# Weight of all inputs, bias and scale of a row whose sums, shifted, just stay below 2^30; inputs are -128 to 127.
ROWS = (
    (0, 0, 2.0**29), (0, 1, 2.0**28), (0, -1, 2.0**28), (1, 0, 2.0**19), (-1, 3, 2.0**19),
    (127, LARGEST - 127 * 128 * DEPTH, 50 / 2**30), (127, 128 * 127 * DEPTH - LARGEST, 50 / 2**30),
    (-128, LARGEST - 128 * 128 * DEPTH, 0.99), (-128, 128 * 128 * DEPTH - LARGEST, 1.01), (127, 5, 2.0**-32),
    (-128, 7, 2.0**-40),
)  # fmt: skip


def _rows(flat: FlatModel, shape: tuple[int, ...], axis: int) -> list[int]:
    values = np.zeros(shape, np.int8)
    np.moveaxis(values, axis, 0)[...] = np.reshape([row[0] for row in ROWS], (-1, *[1] * (len(shape) - 1)))
    scales = [row[2] for row in ROWS]
    weights = flat.tensor(shape, scales, [0] * len(ROWS), values, axis)
    bias = np.array([row[1] for row in ROWS], np.int32)
    return [weights, flat.tensor([len(ROWS)], scales, [0] * len(ROWS), bias)]


def conv_2d() -> bytes:
    flat, count = FlatModel(), len(ROWS)
    source, result = flat.tensor([1, 2, 3, DEPTH], [1.0], [0]), flat.tensor([1, 2, 3, count], [1.0], [-5])
    options = _WINDOW | {"FusedActivationFunction": 0}
    flat.operator("CONV_2D", [source, *_rows(flat, (count, 1, 1, DEPTH), 0)], result, "Conv2DOptions", options)
    return flat.finish([source], result)


def depthwise_conv_2d() -> bytes:
    flat, count = FlatModel(), len(ROWS)
    source, result = flat.tensor([1, 3, 4, count], [1.0], [0]), flat.tensor([1, 2, 3, count], [1.0], [100])
    reads = [source, *_rows(flat, (1, 2, 2, count), 3)]
    options = _WINDOW | {"FusedActivationFunction": 1, "DepthMultiplier": 1}
    flat.operator("DEPTHWISE_CONV_2D", reads, result, "DepthwiseConv2DOptions", options)
    return flat.finish([source], result)


def fully_connected() -> bytes:
    """Depth 16,000 and zero points at opposite ends: the parts of a sum apart reach 2^30 as well."""
    flat, depth = FlatModel(), 16_000
    source, result = flat.tensor([1, depth], [1.0], [-128]), flat.tensor([1, 3], [2.0**23], [0])
    values = np.array([[-128], [127], [0]], np.int8).repeat(depth, 1)
    reads = [source, flat.tensor([3, depth], [1.0], [127], values), -1]
    flat.operator("FULLY_CONNECTED", reads, result, "FullyConnectedOptions")
    return flat.finish([source], result)


def elementwise(name: str, first: float, second: float, result_scale: float) -> bytes:
    flat = FlatModel()
    source = flat.tensor([1, 256], [first], [-128])
    other = flat.operator("QUANTIZE", [source], flat.tensor([1, 256], [second], [-128]), "QuantizeOptions")
    result = flat.tensor([1, 256], [result_scale], [3])
    flat.operator(name, [source, other], result, f"{name.title()}Options")
    return flat.finish([source], result)


def mean(scale: float) -> bytes:
    """4,080 at most from 16 places, which 18 bits bring to 2^30; four more bits are in the multiplier."""
    flat = FlatModel()
    source, axes = flat.tensor([1, 4, 4, 3], [1.0], [-128]), flat.tensor([2], values=np.array([1, 2], np.int32))
    result = flat.operator("MEAN", [source, axes], flat.tensor([1, 3], [scale], [9]), "ReducerOptions")
    return flat.finish([source], result)


def largest_pool() -> bytes:
    flat = FlatModel()
    source, result = flat.tensor([1, 64, 64, 1], [1.0], [0]), flat.tensor([1, 1, 1, 1], [1.0], [0])
    options = {"Padding": 1, "StrideH": 1, "StrideW": 1, "FilterHeight": 64, "FilterWidth": 64}
    flat.operator("AVERAGE_POOL_2D", [source], result, "Pool2DOptions", options)
    return flat.finish([source], result)


def softmax(step: float) -> bytes:
    flat = FlatModel()
    source, result = flat.tensor([1, 511], [step], [0]), flat.tensor([1, 511], [1 / 256], [-128])
    flat.operator("SOFTMAX", [source], result, "SoftmaxOptions", {"Beta": 1.0})
    return flat.finish([source], result)


MODELS = {
    "conv_2d": conv_2d(),
    "depthwise_conv_2d": depthwise_conv_2d(),
    "fully_connected": fully_connected(),
    "add-finest": elementwise("ADD", 1.0, 1.0, 2.0**-18.99),
    "add-apart": elementwise("ADD", 1.0, 1e-6, 0.01),
    "add-coarsest": elementwise("ADD", 1.0, 1.0, 1e30),
    "mul-finest": elementwise("MUL", 1.0, 1.0, 2.0**-12.99),
    "mul-coarsest": elementwise("MUL", 1e-3, 1e-3, 1e30),
    "mean-finest": mean(2.0**-21.5),
    "mean-coarsest": mean(1e12),
    "largest_pool": largest_pool(),
    "softmax-finest": softmax(2.0**-25.5),
    "softmax-coarsest": softmax(31.0),
    "softmax-beyond": softmax(1e9),
}


def extremes(shape, count: int) -> np.ndarray:
    """Images at both ends, half and half, next to the ends, and noise: int8 [count, *shape]."""
    rng = np.random.default_rng(3)
    images = rng.integers(-128, 128, (count, *shape))
    images[0], images[1], images[2], images[3] = -128, 127, 0, -1
    images[4] = rng.choice([-128, 127], shape)
    images[5] = np.arange(np.prod(shape)).reshape(shape) % 256 - 128
    return images.astype(np.int8)


@pytest.fixture(scope="module")
def bounds(cases: Cases) -> dict[str, Case]:
    return cases(MODELS, 12, extremes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, in which every runtime is compiled once."""
    return tmp_path_factory.mktemp("bounds")


@pytest.mark.parametrize("target", ["host", "host-avx2"])
def test_layers_at_their_bounds_are_defined_and_exact(bounds: dict[str, Case], folder: Path, target: str) -> None:
    differing = {}
    for name, case in bounds.items():
        host = build_host_model(case.file, firmware_folder(), folder / f"{target}-{name}", UNDEFINED, target)
        differing[name] = int((host.infer(case.images) != case.expected[:, 0]).sum())
    varied = {name for name, case in bounds.items() if len(np.unique(case.expected)) > 1}
    assert set(bounds) - varied <= {"add-coarsest", "mul-coarsest", "mean-coarsest", "softmax-finest"}
    assert set(differing.values()) == {0}, differing


@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m4", "qemu-m55"])
def test_layers_at_their_bounds_are_exact_on_boards(bounds: dict[str, Case], tmp_path: Path, board: str) -> None:
    """Their own instructions round and saturate, which no sanitizer sees."""
    for name in ("conv_2d", "depthwise_conv_2d", "add-finest"):
        case = bounds[name]
        image = build_image(case.file, load_board(board), tmp_path / name)
        assert (measure(image, load_board(board), case.images).logits != case.expected).sum() == 0, name


@pytest.mark.parametrize("optimisation", ["-O0", "-O3"])
def test_fixed_point_functions_are_exact_to_their_bounds(tmp_path: Path, optimisation: str) -> None:
    root, program = firmware_folder(), tmp_path / "bounds"
    flags = ["-std=c99", optimisation, "-Wall", "-Wextra", "-Wconversion", "-Werror", *UNDEFINED[1:]]
    sources = [Path(__file__).with_name("fixed_point_bounds.c"), root / "runtime" / "codes.c"]
    includes = [f"-I{root / 'include'}", f"-I{root / 'kernels'}"]
    subprocess.run(["cc", *flags, *includes, *map(str, sources), "-o", str(program)], check=True)
    ran = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("classes", [2, 256])
def test_responses_to_extreme_posteriors_are_defined(folder: Path, classes: int) -> None:
    rng = np.random.default_rng(classes)
    drawn = rng.integers(0, 256, (300, classes)) * (rng.random((300, classes)) < rng.random((300, 1)) ** 3)
    drawn[:4] = np.array([1, 255, 0, 0])[:, np.newaxis]
    drawn[2:4, [0, -1]] = [[255, 1], [1, 255]]
    drawn[drawn.sum(axis=1) == 0] = 1
    codes = normalise(drawn.astype(np.uint8))
    asked = (codes.astype(np.int16) - 128).astype(np.int8)
    for index, text in enumerate(
        ("top1", "rounding,bits=1", "rs,beta=1,gamma=10", "mad,surrogate=dirichlet,seed=4,epsilon=2", "modelguard_w",
         "ntm,seed=3,noise=1")
    ):  # fmt: skip
        file = answer_model(classes, text)
        place = folder / f"{classes}-{index}"
        host = build_host_model(file, firmware_folder(), place, UNDEFINED, "host", responses=device_response(file))
        assert (host.answer(asked) != respond(parse_response(text), codes)).sum() == 0, text


def test_the_models_stand_at_the_bounds() -> None:
    """A step further is refused, or TFLite's own arithmetic ends."""
    from tinycerb.converters.c_model.errors import UnsupportedModelError
    from tinycerb.converters.c_model.model import lower_model

    for content in (elementwise("ADD", 1.0, 1.0, 2.0**-19.01), elementwise("MUL", 1.0, 1.0, 2.0**-13.01),
                    mean(2.0**-22.1), softmax(2.0**-26.1)):  # fmt: skip
        with pytest.raises(UnsupportedModelError):
            lower_model(parse_model(content))
