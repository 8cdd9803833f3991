"""Every backbone at its usual size, and forty random models, on every core: 0 differing bytes, and what they cost.

make firmware-matrix               backbones: 100 images, every head; about half an hour. Then (--random) 40 random
                                   models over the operators, 50 inputs each, one image per core
make firmware-matrix ARGS=--write  also renews the baseline's figures of these backbones. They are the same for every
                                   image but on M0: ARGS="--write --images 2" is enough where only code has changed
Converted models are kept in build/firmware-matrix and used again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tinycerb.boards.board import Board, board_names, load_board
from tinycerb.boards.build import Image, build_image
from tinycerb.boards.emulator import measure
from tinycerb.boards.firmware import GOLDEN_IMAGES, build_firmware
from tinycerb.boards.fit import arrays_bytes
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import ModelFile, parse_model, read_model_file
from tinycerb.errors import TinyCerbError

BASELINE = Path(__file__).with_name("backbone_baseline.json")
REFERENCE = Path(__file__).parents[1] / "firmware" / "reference_kernels.py"
KEPT = Path("build/firmware-matrix")
EMULATED = [name for name in board_names() if load_board(name).machine]
# Instructions per tick of 25 MHz: 40 at this shift, and no interrupt of SysTick up to 671 million.
COARSE = 0
# Five, up to 84 million.
FINE = 3


@dataclass(frozen=True)
class Cost:
    """What a model costs on a core.

    Attributes:
        instructions: executed per inference.
        flash_bytes: of the image.
        code_bytes: of these neither the model's arrays nor golden images.
        arena_bytes: working memory of an inference.
        ram_bytes: of the image, without the stack.
        stack_bytes: most ever in use.
    """

    instructions: int
    flash_bytes: int
    code_bytes: int
    arena_bytes: int
    ram_bytes: int
    stack_bytes: int


def measured_cost(file: ModelFile, board: Board, images: np.ndarray, folder: Path) -> tuple[np.ndarray, Cost]:
    """The same with the measuring image alone: it holds no golden images, which cannot be made beside TensorFlow."""
    image = build_image(file, board, folder)
    found = measure(image, board, images, FINE)
    return found.logits, _cost(image, found.inference_instructions, found.stack_bytes, golden=0)


def run(file: ModelFile, board: Board, images: np.ndarray, folder: Path) -> tuple[np.ndarray, Cost]:
    """Builds, measures and returns int8 [N, heads, bytes] and the cost.

    Raises:
        TinyCerbError: it does not fit.
    """
    image = build_image(file, board, folder / "measure")
    serving = build_firmware(file, board, folder / "serve", "keyed").image
    found = measure(image, board, images, COARSE)
    return found.logits, _cost(serving, found.inference_instructions, found.stack_bytes)


def _cost(image: Image, instructions: np.ndarray, stack: int, golden: int = GOLDEN_IMAGES) -> Cost:
    model = image.model
    code = image.flash_bytes - arrays_bytes(model) - golden * model.image.bytes
    return Cost(int(instructions.max()), image.flash_bytes, code, model.arena.total_bytes, image.ram_bytes, stack)


def expected(folder: Path, models: dict[str, tuple[bytes, np.ndarray]]) -> dict[str, np.ndarray]:
    """TFLite's reference kernels on each model's images, in a process of their own."""
    for name, (content, images) in models.items():
        (folder / f"{name}.tflite").write_bytes(content)
        (folder / f"{name}.heads").write_text(str(lower_model(parse_model(content)).heads))
        np.save(folder / f"{name}.images.npy", images)
    subprocess.run([sys.executable, REFERENCE, folder], check=True)
    return {name: np.load(folder / f"{name}.expected.npy") for name in models}


_CONVERT = """
import sys
from pathlib import Path
import numpy as np
from tests import converted_backbones as backbones
size = getattr(backbones, sys.argv[1])[sys.argv[2]]
np.save(Path(sys.argv[3]) / "codes.npy", backbones.convert_backbone(sys.argv[2], size, Path(sys.argv[3])).codes)
"""


def _converted(name: str, size: str = "FULL") -> tuple[ModelFile, np.ndarray, int]:
    """A backbone's file, 100 images, and TFLite Micro's non-persistent arena."""
    folder = KEPT / size.lower() / name
    if not (folder / "codes.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", _CONVERT, size, name, folder], check=True, stderr=subprocess.DEVNULL)
    card = json.loads((folder / "model.json").read_text())
    return read_model_file(folder / "model.tflite"), np.load(folder / "codes.npy"), card["arena"]["nonpersistent_bytes"]


def backbones(write: bool, count: int) -> int:
    """Prints the table; returns how many things were wrong."""
    wrong, costs = 0, {}
    _line("| backbone | core | instructions | flash | of it code | arena | TFLM arena | stack | differing bytes |")
    _line("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in _names():
        file, images, theirs = _converted(name)
        images = images[:count]
        with tempfile.TemporaryDirectory() as folder:
            answers = expected(Path(folder), {name: (file.content, images)})[name]
            for board in map(load_board, EMULATED):
                try:
                    found, cost = run(file, board, images, Path(folder) / board.name)
                except TinyCerbError as error:
                    _line(f"| {name} | {board.core} | {error} |")
                    continue
                differing = int((found != answers).sum())
                wrong += differing
                costs.setdefault(name, {})[board.name] = asdict(cost)
                _line(
                    f"| {name} | {board.core} | {cost.instructions:,} | {cost.flash_bytes:,} | {cost.code_bytes:,} "
                    f"| {cost.arena_bytes:,} | {theirs:,} | {cost.stack_bytes} | {differing} of {answers.size:,} |"
                )
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if write:
        BASELINE.write_text(json.dumps({"full": costs, "small": _small_costs()}, indent=1) + "\n")
        return wrong
    for name, boards in baseline.get("full", {}).items():
        for board, before in boards.items():
            off = [key for key, value in before.items() if abs(costs[name][board][key] - value) > 0.01 * value]
            if off:
                _line(f"{name} on {board} is more than 1 % off the baseline: {', '.join(off)}")
                wrong += 1
    return wrong


def _small_costs() -> dict[str, dict[str, dict[str, int]]]:
    """The small backbones of which the tests take a sample, on the cores that they fit."""
    costs: dict[str, dict[str, dict[str, int]]] = {}
    for name in _names():
        file, images, _ = _converted(name, "SMALL")
        with tempfile.TemporaryDirectory() as folder:
            for board in map(load_board, EMULATED):
                try:
                    _, cost = measured_cost(file, board, images[:1], Path(folder) / board.name)
                except TinyCerbError:
                    continue
                costs.setdefault(name, {})[board.name] = asdict(cost)
    return costs


def _names() -> Sequence[str]:
    # The list without TensorFlow: it may not be loaded where tflite-runtime's golden vectors are made.
    command = [sys.executable, "-c", "from tests.converted_backbones import FULL; print(*FULL)"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    return listed.stdout.split()


def random_models() -> int:
    """Prints one line per core; returns the number of differing bytes."""
    from tests.firmware.random_models import random_model

    rng, wrong = np.random.default_rng(0), 0
    files = {f"random-{seed}": parse_model(random_model(seed)) for seed in range(40)}
    images = {
        name: rng.integers(-128, 128, (50, *lower_model(file).image.shape[1:]), dtype=np.int8)
        for name, file in files.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        answers = expected(Path(folder), {name: (file.content, images[name]) for name, file in files.items()})
        for board in map(load_board, EMULATED):
            differing = compared = 0
            for name, file in files.items():
                image = build_image(file, board, Path(folder) / f"{name}-{board.name}")
                differing += int((measure(image, board, images[name]).logits != answers[name]).sum())
                compared += answers[name].size
            _line(f"{board.core}: {len(files)} models x 50 inputs, {differing} of {compared:,} bytes differ")
            wrong += differing
    return wrong


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="renew the baseline")
    parser.add_argument("--random", action="store_true", help="random models instead of backbones")
    parser.add_argument("--images", type=int, default=100, help="of each backbone, at most 100")
    arguments = parser.parse_args()
    problems = random_models() if arguments.random else backbones(arguments.write, arguments.images)
    sys.exit(1 if problems else 0)
