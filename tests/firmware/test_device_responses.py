"""The device's responses: NumPy's bytes, the same instructions for any posterior, refusals."""

import ctypes
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.answers.posteriors import random_codes
from tests.conftest import Cli
from tests.firmware.answer_model import answer_model
from tests.firmware.random_models import random_model
from tinycerb.answers.responses import parse_response, respond
from tinycerb.answers.responses.building_blocks.moves import budget_units
from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.device_response import answers_to, device_response
from tinycerb.boards.emulator import measure
from tinycerb.converters.c_model.host import build_host_model, runtime_sources, write_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.metadata import embed_metadata
from tinycerb.errors import UsageError

RESPONSES = (
    "top1",
    "rs,beta=2,gamma=10",
    "dcp,beta=1.5,budget=.3+rounding,decimals=1",
    "mad,surrogate=dirichlet,seed=4,epsilon=1.5",
    "modelguard_w",
    "ntm,seed=3,noise=.6",
)
POSTERIORS = 100_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One folder, in which the runtime is compiled once."""
    return tmp_path_factory.mktemp("responses")


@pytest.mark.parametrize("classes", [2, 10, 43, 100])
@pytest.mark.parametrize("text", RESPONSES)
def test_device_and_host_give_the_same_bytes(folder: Path, text: str, classes: int) -> None:
    file = answer_model(classes, text)
    host = build_host_model(file, firmware_folder(), folder / f"{classes}-{text}", responses=device_response(file))
    codes = random_codes(POSTERIORS, classes, seed=classes)
    answers = host.answer((codes.astype(np.int16) - 128).astype(np.int8))
    assert (answers != respond(parse_response(text), codes)).sum() == 0
    assert (answers != codes).any()


@pytest.mark.parametrize("text", [*RESPONSES, "mad,preserve_top1=yes", "dcp,preserve_top1=no", "rounding"])
def test_instructions_do_not_depend_on_the_posterior(folder: Path, text: str) -> None:
    """Cortex-M4, 1,000 posteriors: what SOFTMAX makes of random inputs, from flat to one-hot."""
    board, file = load_board("qemu-m4"), answer_model(10, text)
    rng = np.random.default_rng(1)
    images = rng.integers(-128, 128, (1000, 1, 10)) // rng.choice([1, 2, 4, 8, 32], (1000, 1, 1))
    images[:10, 0] = np.eye(10) * 127
    images[10] = 0
    found = measure(build_image(file, board, folder / f"m4-{text}"), board, images.astype(np.int8), shift=7)
    expected = answers_to(file, found.logits)[:, 0]
    assert (found.codes[:, 0] != expected).sum() == 0
    assert np.ptp(found.answer_instructions) == 0
    assert len(np.unique(found.codes[:, 0], axis=0)) >= 10


def test_no_undefined_behaviour_and_no_read_outside(tmp_path: Path) -> None:
    """All responses in one chain, under the sanitizers, in a process of its own."""
    file = answer_model(10, "ntm,seed=1+rs+dcp,tau=.9+mad,surrogate=dirichlet+modelguard_w+rounding")
    root = firmware_folder()
    write_model(lower_model(file, "host", device_response(file)), tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "model.h"\n#include <stdlib.h>\nint main(void) { int8_t logits[TC_OUTPUT_BYTES]; '
        "uint8_t codes[TC_OUTPUT_BYTES]; for (int i = 0; i < 20000; i++) { int sum = 0; "
        "for (int k = 0; k < TC_OUTPUT_BYTES; k++) logits[k] = (int8_t)(-128 + rand() % (1 + (rand() & 255))); "
        "logits[i % TC_OUTPUT_BYTES] |= 1; if (tc_answer(&tc_model_instance, logits, 0, codes)) return 1; "
        "for (int k = 0; k < TC_OUTPUT_BYTES; k++) sum += codes[k]; if (sum != 256) return 2; } return 0; }\n"
    )
    sources = [*runtime_sources(root, "portable"), tmp_path / "model.c", tmp_path / "main.c"]
    includes = [f"-I{root / 'include'}", f"-I{root / 'kernels'}", f"-I{tmp_path}"]
    flags = ["-std=c99", "-O1", "-fno-strict-aliasing", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = ["cc", *flags, *includes, *map(str, sources), "-o", str(tmp_path / "main")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_smallest_core_too(folder: Path) -> None:
    """Cortex-M0 has neither conditional instructions nor long multiplications."""
    board = load_board("qemu-m0")
    images = np.random.default_rng(2).integers(-40, 40, (200, 1, 10)).astype(np.int8)
    for text in ("dcp,tau=.5", "mad,surrogate=dirichlet", "modelguard_w"):
        file = answer_model(10, text)
        found = measure(build_image(file, board, folder / f"m0-{text}"), board, images)
        expected = answers_to(file, found.logits)[:, 0]
        assert (found.codes[:, 0] != expected).sum() == 0


def test_redirection_by_scores_gives_the_same_bytes(tmp_path: Path) -> None:
    root = firmware_folder()
    sources = [root / "runtime" / "codes.c", root / "runtime" / "responses" / "redirect.c"]
    command = ["cc", "-std=c99", "-O2", "-shared", "-fPIC", f"-I{root / 'include'}", *map(str, sources)]
    subprocess.run([*command, "-o", str(tmp_path / "redirect.so")], check=True)
    library = ctypes.CDLL(str(tmp_path / "redirect.so"))
    rng = np.random.default_rng(6)
    for classes, epsilon in ((2, 0.4), (10, 1.0), (43, 1.7)):
        codes = random_codes(3000, classes, seed=classes)
        scores = (rng.integers(-128, 128, codes.shape) // rng.choice([1, 40], (3000, 1))).astype(np.int8)
        found, work = codes.copy(), np.zeros(3 * classes, np.uint32)
        for row in range(3000):
            at = [ctypes.c_void_p(array.ctypes.data) for array in (found[row], scores[row], work)]
            library.tc_redirect(at[0], at[1], classes, budget_units(epsilon), at[2])
        assert (found != redirect(codes, scores, epsilon)).sum() == 0
        assert (found != codes).any(axis=1).mean() > 0.5


def test_a_served_model_answers_with_its_response(cli: Cli, tmp_path: Path) -> None:
    """Golden answers over the serial line are those of the host's response."""
    path = tmp_path / "model.tflite"
    metadata = {"schema_version": 1, "heads": 3, "classes": 10, "alphas": [1.0] * 3}
    counts = {}
    for response in ("none", "dcp,tau=1,beta=.5+rounding,bits=3"):
        path.write_bytes(embed_metadata(random_model(3), {**metadata, "response": response}))
        done = cli("flash", path, "--board", "qemu-m4", "--json")
        assert done.returncode == 0, done.stderr
        counts[response] = json.loads(done.stdout)
    plain, defended = counts.values()
    assert defended["answer_instructions"] > plain["answer_instructions"] * 1.5
    assert defended["inference_instructions"] == plain["inference_instructions"]
    assert 0 < defended["flash_bytes"] - plain["flash_bytes"] < 2500


def test_what_cannot_be_deployed_is_refused(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(answer_model(10, "modelguard_s").content)
    done = cli("flash", tmp_path / "model.tflite", "--board", "qemu-m4", "--dry-run")
    assert done.returncode == 2
    assert "response 'modelguard_s' is not deployable: its table takes up to" in done.stderr
    with pytest.raises(UsageError, match=r"the response 'dpc', which is not known here \(did you mean 'dcp'"):
        device_response(answer_model(10, "dpc"))
