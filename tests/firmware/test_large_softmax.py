"""SOFTMAX over so many classes that TFLite's sum overflows: defined up to 4,096, the same bytes everywhere."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.emulator import measure
from tinycerb.boards.golden import golden_vectors
from tinycerb.converters.c_model import host
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.large_softmax import exactness, large_softmax
from tinycerb.converters.model_file import parse_model
from tinycerb.runtimes.isolated import run_model

STEP = 0.05
UNDEFINED = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan")


def softmax_over(classes: int, behind: str = "", step: float = STEP) -> bytes:
    """SOFTMAX, and perhaps another layer behind it."""
    flat = FlatModel()
    source = flat.tensor([1, classes], [step], [3], name="image")
    result = flat.tensor([1, classes], [1 / 256], [-128], name="posterior")
    flat.operator("SOFTMAX", [source], result, "SoftmaxOptions", {"Beta": 1.0})
    if behind == "RESHAPE":
        shape = flat.tensor([3], values=np.array([1, 1, classes], np.int32))
        reshaped = flat.tensor([1, 1, classes], [1 / 256], [-128], name="row")
        result = flat.operator("RESHAPE", [result, shape], reshaped, "ReshapeOptions")
    elif behind:
        result = flat.operator(behind, [result], flat.tensor([1, classes], [1 / 200], [-128]), "QuantizeOptions")
    return flat.finish([source], result)


def logits(classes: int) -> np.ndarray:
    """Even rows at every height, nearly even ones, peaks, and noise: int8 [N, classes]."""
    rng = np.random.default_rng(classes)
    rows = [np.full(classes, value) for value in (-128, 0, 127)]
    rows += [rng.integers(-spread, spread + 1, classes) for spread in (1, 2, 8, 127)]
    for top in (1, 2, 511, 512, 513, classes):
        rows.append(np.where(np.arange(classes) < top, 127, -128))
    return np.array(rows).astype(np.int8)


def posterior(rows: np.ndarray, step: float = STEP) -> np.ndarray:
    """What SOFTMAX means, in codes of k/256."""
    powers = np.exp((rows.astype(float) - rows.max(axis=1, keepdims=True)) * step)
    return np.minimum(256 * powers / powers.sum(axis=1, keepdims=True), 255)


# So many small exponentials are rounded, each to 2^-19, that their sum is a little off.
@pytest.mark.parametrize(("classes", "error"), [(511, 0.51), (512, 0.51), (1000, 0.51), (4096, 1.0)])
def test_every_build_gives_the_true_bytes(
    classes: int, error: float, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rows = parse_model(softmax_over(classes)), logits(classes)
    end = large_softmax(parse_model(softmax_over(max(classes, 512))))
    assert end is not None
    # One runtime per set of flags for all class counts.
    builds = tmp_path_factory.getbasetemp() / "softmax-builds"
    seen = set()
    for compiler in [name for name in ("gcc", "clang") if shutil.which(name)]:
        monkeypatch.setattr(host, "_compiler", lambda name=compiler: name)
        for flags in (("-O0",), ("-O2",), ("-O3",), UNDEFINED):
            for target in ("host", "host-avx2"):
                folder = builds / "-".join((str(classes), compiler, target, *flags[:2]))
                built = host.build_host_model(file, firmware_folder(), folder, flags, target)
                seen.add(built.infer(rows).tobytes())
    (answer,) = seen
    codes = np.frombuffer(answer, np.int8).reshape(rows.shape).astype(int) + 128
    assert np.abs(codes - posterior(rows)).max() <= error
    if classes >= 512:
        assert (np.stack([end.posterior({"": row})["posterior"][0] for row in rows]) + 128 == codes).all()


@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m4", "qemu-m55"])
def test_boards_give_the_true_bytes(board: str, tmp_path: Path) -> None:
    file, rows = parse_model(softmax_over(1000)), logits(1000)
    image = build_image(file, load_board(board), tmp_path / "image")
    found = measure(image, load_board(board), rows[:, np.newaxis])
    end = large_softmax(file)
    assert end is not None
    expected = np.stack([end.posterior({"": row})["posterior"][0] for row in rows])
    assert (found.logits[:, 0] != expected).sum() == 0


def test_golden_vectors_are_true_where_the_reference_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (softmax_over(1000, step=0.0001), softmax_over(1000, "RESHAPE", 0.0001)):
        file = parse_model(content)
        images, outputs = golden_vectors(file, lower_model(file), 2)
        exact = posterior(images.reshape(2, -1), 0.0001)
        # The reference says 127 to all of them.
        assert np.abs(outputs.reshape(2, -1).astype(int) + 128 - exact).max() <= 0.51
        assert outputs.max() == -128


def test_every_runtime_answers_alike(tmp_path: Path) -> None:
    """tflite-micro's own SOFTMAX ends by SIGABRT here."""
    path = tmp_path / "model.tflite"
    path.write_bytes(softmax_over(1000, "RESHAPE"))
    rows = logits(1000)
    found = [run_model(path, {"image": rows[:, np.newaxis]}, name) for name in ("tflite-runtime", "tflite-micro")]
    codes = [run.outputs["row"].reshape(rows.shape).astype(int) + 128 for run in found]
    assert (codes[0] == codes[1]).all()
    assert np.abs(codes[0] - posterior(rows)).max() <= 0.51
    assert found[1].arena["total"] > 1000


def test_where_the_reference_is_the_contract_it_is_asked(tmp_path: Path) -> None:
    assert large_softmax(parse_model(softmax_over(511))) is None
    path = tmp_path / "model.tflite"
    path.write_bytes(softmax_over(511))
    rows = logits(511)
    found = run_model(path, {"image": rows[:, np.newaxis]}, "tflite-runtime").outputs["posterior"]
    built = host.build_host_model(parse_model(path.read_bytes()), firmware_folder(), tmp_path / "host", ("-O1",))
    assert (built.infer(rows) == found[:, 0]).all()


def test_what_cannot_be_defined_or_compared_is_refused() -> None:
    for content, told in (
        (softmax_over(4097), r"SOFTMAX.*4,097 classes; at most 4,096"),
        (softmax_over(512, "QUANTIZE"), r"SOFTMAX.*512 classes, and other layers follow.*overflows from 512"),
    ):
        with pytest.raises(UnsupportedModelError, match=told):
            lower_model(parse_model(content))
    lower_model(parse_model(softmax_over(511, "QUANTIZE")))
    lower_model(parse_model(softmax_over(4096, "RESHAPE")))


def test_the_card_says_which_bytes_are_the_contract() -> None:
    told = exactness(parse_model(softmax_over(1000)))
    assert "up to the SOFTMAX over 1,000 classes, whose sum overflows" in told
    assert exactness(parse_model(softmax_over(10))) == "Every byte is that of TFLite's reference kernels."
