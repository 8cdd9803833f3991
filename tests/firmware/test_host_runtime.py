"""The C runtime on this computer: the bytes of TFLite's reference kernels, refusals, speed."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.conftest import VICTIMS, Case, Cases
from tests.firmware.flatbuffer_model import FlatModel
from tests.firmware.random_models import random_model
from tinycerb.answers.normalise import normalise
from tinycerb.boards.build import firmware_folder
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.host import build_host_model, runtime_sources, write_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.c_model.targets import TARGETS
from tinycerb.converters.integer_softmax import softmax_codes
from tinycerb.converters.model_file import parse_model
from tinycerb.runtimes.model_artifact import ModelArtifact

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.mark.parametrize("victim", VICTIMS)
def test_every_head_gives_the_bytes_of_the_reference(victims: dict[str, Case], victim: str, tmp_path: Path) -> None:
    case = victims[victim]
    host = build_host_model(case.file, firmware_folder(), tmp_path)
    for head in range(host.model.heads):
        assert (host.infer(case.images, head) != case.expected[:, head]).sum() == 0
    assert len(np.unique(case.expected)) > 20


def test_forty_random_models_give_the_bytes_of_the_reference(cases: Cases, tmp_path: Path) -> None:
    models = {f"random-{seed}": random_model(seed) for seed in range(40)}
    seen, differing = set(), {}
    for name, case in cases(models, 50).items():
        host = build_host_model(case.file, firmware_folder(), tmp_path / name, ("-O1",))
        answers = np.stack([host.infer(case.images, head) for head in range(host.model.heads)], axis=1)
        seen |= {operator.name for operator in case.file.operators}
        if (wrong := int((answers != case.expected).sum())) > 0:
            differing[name] = wrong
    assert differing == {}
    assert seen >= {
        "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "ADD", "MUL",
        "PAD", "CONCATENATION", "RESHAPE", "SOFTMAX", "RELU", "RELU6", "LOGISTIC", "QUANTIZE", "STRIDED_SLICE",
        "GATHER",
    }  # fmt: skip


def test_lookups_agree_on_every_value_and_many_scales(cases: Cases, tmp_path: Path) -> None:
    models = {}
    scales = np.random.default_rng(7).uniform(0.004, 0.2, (4, 2)).astype(np.float32)
    for index, (before, after) in enumerate(scales):
        for name, options in (("RELU", None), ("RELU6", None), ("QUANTIZE", "QuantizeOptions"), ("LOGISTIC", None)):
            flat = FlatModel()
            source = flat.tensor([1, 256], [before], [int(index * 31 - 60)])
            logistic = name == "LOGISTIC"
            result = flat.tensor([1, 256], [1 / 256 if logistic else after], [-128 if logistic else index * 17 - 40])
            models[f"{name}-{index}"] = flat.finish([source], flat.operator(name, [source], result, options))
    for name, case in cases(models, 20).items():
        host = build_host_model(case.file, firmware_folder(), tmp_path / name, ("-O1",))
        every = np.arange(-128, 128, dtype=np.int8)[np.newaxis]
        assert (host.infer(case.images)[:, np.newaxis] == case.expected).all(), name
        assert len(np.unique(case.images)) == 256
        assert host.infer(every).shape == (1, 256)


def test_the_sigmoid_is_the_c_librarys_to_the_last_bit(cases: Cases, tmp_path: Path) -> None:
    """NumPy's float32 exponential is one bit off for one of these values, which is then rounded the other way."""
    flat = FlatModel()
    source = flat.tensor([1, 256], [0.00043403456220403314], [123])
    result = flat.operator("LOGISTIC", [source], flat.tensor([1, 256], [1 / 256], [-128]))

    def every(shape, count: int) -> np.ndarray:
        return np.resize(np.arange(-128, 128, dtype=np.int8), (count, *shape))

    (case,) = cases({"sigmoid": flat.finish([source], result)}, 1, every).values()
    host = build_host_model(case.file, firmware_folder(), tmp_path, ("-O1",))
    assert (host.infer(case.images) != case.expected[:, 0]).sum() == 0


def test_heads_that_are_rows_of_a_batch_are_selected_as_such(cases: Cases, tmp_path: Path) -> None:
    """Five images through one dense layer look like a table of five heads; the layer has rows for one alone."""
    flat = FlatModel()
    source, head = flat.tensor([1, 5, 4], [0.1], [3]), flat.tensor([1])
    weights = flat.tensor([6, 4], [0.02], [0], np.arange(24, dtype=np.int8).reshape(6, 4) - 11)
    dense, table = flat.tensor([1, 5, 6], [0.1], [-4]), flat.tensor([5, 6], [0.1], [-4])
    options = {"KeepNumDims": True}
    flat.operator("FULLY_CONNECTED", [source, weights], dense, "FullyConnectedOptions", options)
    rows = flat.tensor([2], values=np.array([5, 6], np.int32))
    flat.operator("RESHAPE", [dense, rows], table, "ReshapeOptions")
    result = flat.operator("GATHER", [table, head], flat.tensor([1, 6], [0.1], [-4]), "GatherOptions", {"Axis": 0})
    (case,) = cases({"batch": flat.finish([source, head], result)}, 5).values()
    host = build_host_model(case.file, firmware_folder(), tmp_path, ("-O1",))
    answers = np.stack([host.infer(case.images, row) for row in range(5)], axis=1)
    assert (answers != case.expected).sum() == 0
    assert len(np.unique(answers)) > 10


def test_custom_head_selection_is_the_gather(cases: Cases, tmp_path: Path) -> None:
    custom, plain = [], []
    for name, store in (("GATHER", plain), ("TinyCerbHeadSelect", custom)):
        flat = FlatModel()
        source, head = flat.tensor([3, 4], [0.1], [0]), flat.tensor([1])
        result = flat.tensor([1, 4], [0.1], [0])
        options = "GatherOptions" if name == "GATHER" else None
        flat.operator(name, [source, head], result, options, custom=name != "GATHER")
        store.append(flat.finish([source, head], result))
    rows = np.arange(12, dtype=np.int8).reshape(1, 3, 4)
    for content in (*custom, *plain):
        host = build_host_model(parse_model(content), firmware_folder(), tmp_path / str(len(content)))
        assert [host.infer(rows, head).tolist() for head in range(3)] == [
            [[0, 1, 2, 3]],
            [[4, 5, 6, 7]],
            [[8, 9, 10, 11]],
        ]
        with pytest.raises(ValueError, match="head is 3; expected 0 to 2"):
            host.infer(rows, 3)


def test_answers_are_the_ones_of_the_oracle(victims: dict[str, Case], tmp_path: Path) -> None:
    case = victims["cerberos"]
    host = build_host_model(case.file, firmware_folder(), tmp_path)
    rng = np.random.default_rng(3)
    logits = np.concatenate([case.expected[:, 0], rng.integers(-128, 128, (20000, 10), dtype=np.int8)])
    logits[-2] = 0
    logits[-1] = [127, *[-128] * 9]
    # The rule once more, by hand: the output's scale over the head's alpha, softmax, codes that sum to 256.
    scale = case.file.outputs["logits"].scales[0]
    for head, alpha in enumerate(ModelArtifact.of(case.file).card.alphas):
        expected = normalise(softmax_codes(logits, scale / alpha))
        assert (host.answer(logits, head) != expected).sum() == 0


# Together they hold every kernel.
SANITIZED_SEEDS = (0, 1, 3, 5)
MAIN = """#include "model.h"
#include <stdlib.h>
int main(void) {
    static int8_t image[TC_INPUT_BYTES], logits[TC_OUTPUT_BYTES];
    static uint8_t codes[TC_OUTPUT_BYTES];
    for (int i = 0; i < 50; i++) {
        for (int k = 0; k < TC_INPUT_BYTES; k++)
            image[k] = (int8_t)rand();
        if (tc_infer(&tc_model_instance, image, i % TC_HEADS, logits))
            return 1;
        if (tc_answer(&tc_model_instance, logits, i % TC_HEADS, codes))
            return 2;
    }
    return tc_infer(&tc_model_instance, image, TC_HEADS, logits) != TC_BAD_HEAD;
}
"""


@pytest.mark.parametrize("target", ["host", "host-avx2"])
def test_no_undefined_behaviour_and_no_read_outside(tmp_path: Path, target: str) -> None:
    """Runs in a process of its own: the sanitizer's runtime must be there from the start."""
    root, objects, seen = firmware_folder(), tmp_path / "objects", set()
    family = TARGETS[target].kernels
    command = ["cc", "-std=c99", "-fno-strict-aliasing", *SANITIZED, *(["-mavx2"] if family == "avx2" else [])]
    command += [f"-I{root / 'include'}", f"-I{root / 'kernels'}"]
    objects.mkdir()
    _compile([*command, "-c", *map(str, runtime_sources(root, family))], objects)
    for seed in SANITIZED_SEEDS:
        folder = tmp_path / str(seed)
        model = lower_model(parse_model(random_model(seed)), target)
        seen |= {layer.kernel.removeprefix("tc_") for layer in model.layers}
        write_model(model, folder)
        (folder / "main.c").write_text(MAIN)
        built = [*map(str, objects.glob("*.o")), str(folder / "model.c"), str(folder / "main.c")]
        _compile([*command, f"-I{folder}", *built, "-o", str(folder / "main")], folder)
        ran = subprocess.run([str(folder / "main")], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), (seed, model.layers)
    # Parts that kernels call, no kernels themselves.
    parts = {"multiply", "depthwise_pixel", "depthwise_channels"}
    assert seen == {path.stem for path in (root / "kernels").glob("*.c")} - parts


def _compile(command: list[str], folder: Path) -> None:
    built = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert built.returncode == 0, built.stderr


def test_three_times_as_fast_as_the_reference(victims: dict[str, Case], tmp_path: Path) -> None:
    for name, case in victims.items():
        host = build_host_model(case.file, firmware_folder(), tmp_path / name)
        best = np.inf
        for _ in range(100):
            begin = time.perf_counter()
            host.infer(case.images[:1])
            best = min(best, time.perf_counter() - begin)
        assert best * 3 <= case.reference_seconds, (name, best, case.reference_seconds)


def _refused(flat: FlatModel, source: int, result: int) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        lower_model(parse_model(flat.finish([source], result)))
    return str(caught.value)


def test_refusals_name_the_layer() -> None:
    flat = FlatModel()
    source = flat.tensor([1, 4], [0.1], [0])
    result = flat.operator("TANH", [source], flat.tensor([1, 4], [0.1], [0], name="squashed"))
    message = _refused(flat, source, result)
    assert "layer 0 (TANH, output 'squashed')" in message
    assert "CONV_2D" in message

    flat = FlatModel()
    source = flat.tensor([1, 4, 4, 2], [0.1], [0])
    axes = flat.tensor([1], values=np.array([3], np.int32))
    result = flat.operator("MEAN", [source, axes], flat.tensor([1, 4, 4], [0.1], [0]), "ReducerOptions")
    assert "only height and width" in _refused(flat, source, result)

    flat = FlatModel()
    source = flat.tensor([1, 4], [0.1], [0])
    weights = flat.tensor([2, 4], [0.1], [0], np.ones((2, 4), np.int8))
    bias = flat.tensor([2], [0.01], [0], np.array([7, 2**30], np.int32))
    # The second row's sums lie on both sides of half a step.
    coarse = flat.tensor([1, 2], [0.01 * 2**30 / 50.5], [0])
    result = flat.operator("FULLY_CONNECTED", [source, weights, bias], coarse, "FullyConnectedOptions")
    message = _refused(flat, source, result)
    assert "channel 1: its sums, from 1,073,741,312 to 1,073,742,332 with a bias of 1,073,741,824" in message
    assert "exceed 1,073,741,823, and its output depends on them" in message
