"""`TinyCerbHeadSelect`: the same bytes as the file with builtin operators, and even draws."""

from pathlib import Path

import numpy as np
import pytest

from tinycerb.converters.head_select_op.build import DelegateBuildError, build_delegate
from tinycerb.converters.head_select_op.surgery import OPTIONS, SurgeryError, select_by_custom_op
from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import read_model_file
from tinycerb.errors import EnvironmentProblem
from tinycerb.runtimes.isolated import head_inputs, run_model

RUNTIMES = ("tflite-runtime", "ai-edge-litert")
IMAGES = 1000


@pytest.fixture(scope="module")
def builtin(smoke_run) -> Path:
    return smoke_run.model("cerberos")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, builtin) -> Path:
    folder = tmp_path_factory.mktemp("custom")
    for name, draw in (("take", False), ("draw", True)):
        (folder / f"{name}.tflite").write_bytes(select_by_custom_op(read_model_file(builtin), draw))
    return folder


@pytest.fixture(scope="module")
def delegate(folder) -> Path:
    return build_delegate(folder / "cache")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(11).integers(-128, 128, (IMAGES, 28, 28, 1)).astype(np.int8)


@pytest.fixture(scope="module", params=RUNTIMES)
def expected(request, builtin, images) -> tuple[str, np.ndarray]:
    return request.param, run_model(builtin, head_inputs(images, 3), request.param).outputs["logits"]


def test_only_the_selection_is_exchanged(builtin, folder) -> None:
    before, take, draw = (read_model_file(path) for path in (builtin, folder / "take.tflite", folder / "draw.tflite"))
    assert [operator.name for operator in take.operators[:-1]] == [operator.name for operator in before.operators[:-1]]
    assert take.operators[-1].name == draw.operators[-1].name == "TinyCerbHeadSelect"
    assert OPTIONS.unpack(take.operators[-1].custom_options) == (1, 0, 3, 10)
    assert OPTIONS.unpack(draw.operators[-1].custom_options) == (1, 1, 3, 10)
    assert set(take.inputs) == {"image", "head"}
    assert (set(draw.inputs), set(draw.outputs)) == ({"image"}, {"logits", "head"})
    assert read_metadata(take) == read_metadata(draw) == read_metadata(before)
    for file in (take, draw):
        dtypes = {tensor.dtype for operator in file.operators for tensor in (*operator.inputs, *operator.outputs)}
        assert dtypes == {"int8", "int32"}
        assert len(file.content) < len(before.content) + 256


def test_the_delegate_gives_the_same_bytes(expected, folder, delegate, images) -> None:
    runtime, logits = expected
    found = run_model(folder / "take.tflite", head_inputs(images, 3), runtime, delegate=delegate)
    assert found.outputs["logits"].shape == (3 * IMAGES, 1, 10)
    assert int((found.outputs["logits"] != logits).sum()) == 0


def test_draws_are_even_and_answer_with_the_drawn_head(expected, folder, delegate, images) -> None:
    runtime, logits = expected
    inputs = {"image": np.repeat(images[:, np.newaxis], 3, axis=0)}
    found = run_model(folder / "draw.tflite", inputs, runtime, delegate=delegate)
    heads = found.outputs["head"][:, 0].reshape(IMAGES, 3)
    rows = logits.reshape(IMAGES, 3, 10)[np.arange(IMAGES)[:, np.newaxis], heads]
    assert int((found.outputs["logits"].reshape(IMAGES, 3, 10) != rows).sum()) == 0
    assert chi_square(heads.ravel(), 3) < CHI_SQUARE_LIMIT
    # Neither does one draw foretell the next.
    assert chi_square((heads[:, 0] * 3 + heads[:, 1]), 9) < CHI_SQUARE_LIMIT_PAIRS


# Chi-square quantiles at 1 - 1e-6, for 2 and for 8 degrees of freedom: one false alarm in a million.
CHI_SQUARE_LIMIT, CHI_SQUARE_LIMIT_PAIRS = 27.63, 42.70


def chi_square(draws: np.ndarray, kinds: int) -> float:
    counts = np.bincount(draws, minlength=kinds)
    assert len(counts) == kinds
    return float(np.square(counts - len(draws) / kinds).sum() / (len(draws) / kinds))


def test_a_seed_repeats_the_draws(folder, delegate, images) -> None:
    def draws(**options: str) -> list[int]:
        inputs = {"image": images[:40, np.newaxis]}
        run = run_model(folder / "draw.tflite", inputs, "tflite-runtime", delegate=delegate, delegate_options=options)
        return run.outputs["head"].ravel().tolist()

    assert draws(seed="5") == draws(seed="5") != draws(seed="6")
    # 3^40 sequences: without a seed no two are alike.
    assert draws() != draws()


@pytest.mark.parametrize("options", [{"seed": "0"}, {"seed": "x"}, {"sed": "1"}])
def test_wrong_options_are_refused(folder, delegate, images, options) -> None:
    inputs = {"image": images[:1, np.newaxis]}
    with pytest.raises(EnvironmentProblem, match="the only option is seed"):
        run_model(folder / "draw.tflite", inputs, "tflite-runtime", delegate=delegate, delegate_options=options)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_head_out_of_range_is_an_error(folder, delegate, images, runtime) -> None:
    for head in (-1, 3):
        inputs = {"image": images[:1, np.newaxis], "head": np.array([[head]], np.int32)}
        with pytest.raises(EnvironmentProblem, match=f"head is {head}; allowed: 0 to 2"):
            run_model(folder / "take.tflite", inputs, runtime, delegate=delegate)


def test_without_the_delegate_the_operator_is_named(folder, images) -> None:
    with pytest.raises(EnvironmentProblem, match="unresolved custom op: TinyCerbHeadSelect"):
        run_model(folder / "take.tflite", head_inputs(images[:1], 3), "tflite-runtime")


def test_options_that_do_not_fit_the_tensors_are_refused(folder, delegate, images, tmp_path) -> None:
    content = (folder / "take.tflite").read_bytes()
    wrong = content.replace(OPTIONS.pack(1, 0, 3, 10), OPTIONS.pack(1, 0, 300, 10))
    assert wrong != content
    (tmp_path / "wrong.tflite").write_bytes(wrong)
    with pytest.raises(EnvironmentProblem, match="do not fit 300 heads of 10 classes"):
        run_model(tmp_path / "wrong.tflite", head_inputs(images[:1], 3), "tflite-runtime", delegate=delegate)


REGISTERER = """
import sys
import numpy as np
from tflite_runtime.interpreter import Interpreter, InterpreterWithCustomOps
from tinycerb.converters.head_select_op.registerer import head_select_registerer
draws = iter([2, 0, 1] * 100)
registerers = [head_select_registerer(), head_select_registerer(lambda heads: next(draws))]
runners = []
for path, registerer in zip(sys.argv[1:3], registerers):
    made = InterpreterWithCustomOps(custom_op_registerers=[registerer], model_path=path, num_threads=1)
    made.allocate_tensors()
    runners.append(made.get_signature_runner())
plain = Interpreter(sys.argv[3], num_threads=1)
plain.allocate_tensors()
builtin = plain.get_signature_runner()
differing, drawn = 0, []
for image in np.random.default_rng(3).integers(-128, 128, (100, 1, 28, 28, 1)).astype(np.int8):
    for head in range(3):
        expected = builtin(image=image, head=np.array([head], np.int32))["logits"]
        differing += int((runners[0](image=image, head=np.array([head], np.int32))["logits"] != expected).sum())
        drawing = runners[1](image=image)
        drawn.append(int(drawing["head"][0]))
        of_drawn = builtin(image=image, head=drawing["head"])["logits"]
        differing += int((drawing["logits"] != of_drawn).sum())
try:
    runners[0](image=image, head=np.array([3], np.int32))
except RuntimeError as error:
    print("refused", "TinyCerbHeadSelect" in str(error))
print(differing, drawn == [2, 0, 1] * 100)
"""


def test_the_registerer_needs_no_compiler(folder, builtin, run_child) -> None:
    printed = run_child(REGISTERER, folder / "take.tflite", folder / "draw.tflite", builtin)
    assert printed.split() == ["refused", "True", "0", "True"]


def test_a_missing_compiler_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(DelegateBuildError, match="apt-get install -y gcc"):
        build_delegate(tmp_path / "cache")
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(DelegateBuildError, match="no-such-compiler"):
        build_delegate(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.so"))


def test_a_file_without_head_selection_is_refused() -> None:
    tiny = read_model_file(Path(__file__).parents[2] / "tinycerb/doctor/tiny.tflite")
    assert tiny.head_operator is None
    with pytest.raises(SurgeryError, match="no operator reads an input 'head'"):
        select_by_custom_op(tiny, draw=False)
