"""Responses that read all heads, on the device: NumPy's bytes, the same instructions for any logits, refusals."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Cli
from tests.firmware.answer_model import all_heads_model, answer_model
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.device_response import answers_to, device_response
from tinycerb.boards.emulator import measure
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.host import build_host_model, runtime_sources, write_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.errors import UsageError

# Response, the name that it combines by, and the heads that it reads.
COMBINERS = (
    ("grad_head,epsilon=.8", "grad_head", 2),
    ("grad_head,preserve_top1=yes+rounding,bits=3", "grad_head", 2),
    ("am,tau=.5", "am", 2),
    ("edm,members=2", "edm", 3),
    ("edm,members=5+dcp,tau=.9", "edm", 6),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One folder, in which the runtime is compiled once."""
    return tmp_path_factory.mktemp("combiners")


def logits_of(count: int, rows: int, classes: int) -> np.ndarray:
    """Flat and peaked heads, with ties; posteriors on both sides of every threshold."""
    rng = np.random.default_rng([rows, classes])
    logits = rng.integers(-128, 128, (count, rows, classes)) // rng.choice([1, 2, 4, 8, 32], (count, rows, 1))
    rng.shuffle(logits[: count // 2, :, 0])
    return logits.astype(np.int8)


@pytest.mark.parametrize("classes", [2, 10, 43, 100])
@pytest.mark.parametrize(("text", "name", "rows"), COMBINERS)
def test_device_and_host_give_the_same_bytes(folder: Path, text: str, name: str, rows: int, classes: int) -> None:
    file = all_heads_model(classes, rows, text, name)
    host = build_host_model(file, firmware_folder(), folder / f"{classes}-{text}", responses=device_response(file))
    logits = logits_of(20_000, rows, classes)
    # One run computes all heads.
    assert (host.infer(logits.reshape(-1, 1, rows * classes)[:50]).reshape(50, rows, classes) == logits[:50]).all()
    answers = host.answer(logits.reshape(len(logits), -1))
    assert answers.shape == (len(logits), classes)
    assert (answers.sum(axis=1, dtype=int) == 256).all()
    assert (answers != answers_to(file, logits)[:, 0]).sum() == 0
    assert len(np.unique(answers, axis=0)) > 100 or classes == 2


@pytest.mark.parametrize(("text", "name", "rows"), COMBINERS)
def test_instructions_do_not_depend_on_the_logits(folder: Path, text: str, name: str, rows: int) -> None:
    board, file = load_board("qemu-m4"), all_heads_model(10, rows, text, name)
    logits = logits_of(500, rows, 10)
    found = measure(build_image(file, board, folder / f"m4-{text}"), board, logits.reshape(500, 1, -1), shift=7)
    assert found.logits.shape == (500, 1, 10 * rows)
    assert (found.codes != answers_to(file, logits)).sum() == 0
    assert np.ptp(found.answer_instructions) == 0
    assert np.ptp(found.inference_instructions) == 0
    assert len(np.unique(found.codes[:, 0], axis=0)) >= 10


def test_smallest_core_too(folder: Path) -> None:
    board = load_board("qemu-m0")
    for text, name, rows in COMBINERS[::2]:
        file, logits = all_heads_model(10, rows, text, name), logits_of(50, rows, 10)
        found = measure(build_image(file, board, folder / f"m0-{text}"), board, logits.reshape(50, 1, -1))
        assert (found.codes != answers_to(file, logits)).sum() == 0


def test_no_undefined_behaviour_and_no_read_outside(tmp_path: Path) -> None:
    """Under the sanitizers, in processes of their own."""
    root = firmware_folder()
    for text, name, rows in COMBINERS:
        file, place = all_heads_model(10, rows, text, name), tmp_path / name
        write_model(lower_model(file, "host", device_response(file)), place)
        (place / "main.c").write_text(
            '#include "model.h"\n#include <stdlib.h>\nint main(void) { int8_t logits[TC_OUTPUT_BYTES]; '
            "uint8_t codes[TC_ANSWER_BYTES]; for (int i = 0; i < 5000; i++) { int sum = 0; "
            "for (int k = 0; k < TC_OUTPUT_BYTES; k++) logits[k] = (int8_t)(-128 + rand() % (1 + (rand() & 255))); "
            "if (tc_answer(&tc_model_instance, logits, 0, codes)) return 1; "
            "for (int k = 0; k < TC_ANSWER_BYTES; k++) sum += codes[k]; if (sum != 256) return 2; } return 0; }\n"
        )
        sources = [*runtime_sources(root, "portable"), place / "model.c", place / "main.c"]
        includes = [f"-I{root / 'include'}", f"-I{root / 'kernels'}", f"-I{place}"]
        flags = ["-std=c99", "-O1", "-fno-strict-aliasing", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        command = ["cc", *flags, *includes, *map(str, sources), "-o", str(place / "main")]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        ran = subprocess.run([str(place / "main")], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_a_served_model_answers_with_all_heads(cli: Cli, tmp_path: Path) -> None:
    """Golden logits of all heads and answers over the serial line."""
    path = tmp_path / "model.tflite"
    path.write_bytes(all_heads_model(10, 3, "edm,members=2", "edm").content)
    done = cli("flash", path, "--board", "qemu-m4", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["heads"] == 1
    assert facts["answer_instructions"] > 2 * 2239


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (answer_model(10, "grad_head"), "response 'grad_head' makes one answer of 2 heads"),
        (all_heads_model(10, 2, "am", ""), "this file has 2 that answer alone"),
        (all_heads_model(10, 2, "dcp", "am"), "let it begin with 'am'"),
        (all_heads_model(10, 3, "edm,members=3", "edm"), "of 4 heads that are trained for it; this file has 3"),
        (answer_model(10, "ntm,file=/etc/hostname"), "it may name no other file"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_built(file, message: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(file.content)
    done = cli("flash", tmp_path / "model.tflite", "--board", "qemu-m4", "--dry-run")
    assert done.returncode == 2
    assert message in done.stderr


def test_another_number_of_heads_is_no_c_model() -> None:
    with pytest.raises(UsageError):
        device_response(all_heads_model(10, 2, "edm", "edm"))
    steps = device_response(all_heads_model(10, 2, "am", "am"))
    with pytest.raises(UnsupportedModelError, match="tc_combine_am reads 2 heads; the file has 3"):
        lower_model(all_heads_model(10, 3, "none", ""), responses=steps)
