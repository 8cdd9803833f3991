"""Whole networks beside TFLite Micro with CMSIS-NN's kernels, as both are today: the table of docs/firmware.md.

make bench-upstream TFLM=DIR CMSIS_NN=DIR        trees that you have; their commits are printed where they are clones
make bench-upstream ... ARGS="--reference"       its reference kernels as well
make bench-upstream ... ARGS="--boards qemu-m4"  one core alone

Instructions are counted in QEMU, cycles (M4) priced by the manual's table alone: of these the calibration is made
(tinycerb/boards/cycle_model/calibrated.py). TFLite Micro's are those of Invoke(), without the copy of the image.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.firmware.networks import MLPERF_TINY, demo_net, patches
from tests.firmware.upstream_build import Upstream, build
from tinycerb.boards.board import Board, load_board
from tinycerb.boards.build import build_image
from tinycerb.boards.counts import instructions_from_ticks
from tinycerb.boards.cycle_model.block_counts import Watch
from tinycerb.boards.cycle_model.cores import TIMINGS
from tinycerb.boards.cycle_model.decode import open_decoder
from tinycerb.boards.cycle_model.estimate import priced
from tinycerb.boards.cycle_model.span import NONE
from tinycerb.boards.elf import function_addresses, memory_use
from tinycerb.boards.emulator import measure, qemu_command, run_emulator, run_in_unicorn
from tinycerb.boards.unicorn_machine import Machine
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.layer_costs import layer_costs
from tinycerb.converters.model_file import ModelFile, parse_model

NETWORKS = {"demo_net": lambda: demo_net(1), **MLPERF_TINY}
BOARDS = ("qemu-m4", "qemu-m55")
SHIFT = 3
_IMAGES = 3
# The largest network's needs 100,660 bytes.
_ARENA_BYTES = 160 * 1024
_NOWHERE = -2


@dataclass(frozen=True)
class Row:
    """What one engine takes for one network.

    Attributes:
        outputs: bytes of all answers.
        instructions: of the longest inference.
        cycles: by the manual's table, no wait states; None without a table.
        flash_bytes: of the image: code, constants and initial values.
        arena_bytes: in use.
        stack_bytes: most during an inference.
    """

    outputs: bytes
    instructions: int
    cycles: float | None
    flash_bytes: int
    arena_bytes: int
    stack_bytes: int


def own(file: ModelFile, board: Board, images: np.ndarray, folder: Path) -> Row:
    """TinyCerb's."""
    image = build_image(file, board, folder)
    found = measure(image, board, images, SHIFT)
    cycles = _cycles(image.elf, board, images, ("tc_answer", "layer_done", "tc_infer_profiled"))
    return Row(
        found.logits.tobytes(), int(found.inference_instructions.max()), cycles, image.flash_bytes,
        image.model.arena.total_bytes, found.stack_bytes,
    )  # fmt: skip


def theirs(upstream: Upstream, file: ModelFile, board: Board, images: np.ndarray, folder: Path) -> Row:
    """TFLite Micro's."""
    elf = build(upstream, file, board, folder, _ARENA_BYTES)
    (folder / "input.bin").write_bytes(images.tobytes())
    command = qemu_command(
        board, elf.resolve(), "-serial", "none", "-icount", f"shift={SHIFT},sleep=off", "-chardev", "null,id=console",
        "-semihosting-config", "enable=on,target=native,chardev=console",
    )  # fmt: skip
    run_emulator(command, folder, elf)
    content = (folder / "output.bin").read_bytes()
    ticks, used = np.frombuffer(content[-16:-8], "<u8"), np.frombuffer(content[-8:], "<u4")
    instructions = int(instructions_from_ticks(ticks, board, SHIFT)[0])
    cycles = _cycles(elf, board, images, ("upstream_invoke",))
    return Row(content[:-16], instructions, cycles, memory_use(elf)[0], int(used[0]), int(used[1]))


def _cycles(elf: Path, board: Board, images: np.ndarray, functions: tuple[str, ...]) -> float | None:
    timings = TIMINGS.get(board.core)
    if timings is None:
        return None
    machine = Machine(elf, board.core)
    # Without layers only the inference has a place.
    *places, inference = function_addresses(elf, functions)
    answer, mark = places or (_NOWHERE, _NOWHERE)
    watch = Watch(answer, inference, mark, machine.link)
    machine.watch(watch)
    run_in_unicorn(machine, images[:1])
    decode = open_decoder()
    return sum((priced(blocks, machine, decode, timings) for blocks in watch.layers), NONE).typical


def rows(upstreams: list[Upstream], boards: list[str], folder: Path) -> Iterator[tuple[str, str, int, list[Row]]]:
    """Yields network, board, multiply-accumulates, and the rows: TinyCerb's first."""
    for name, make in NETWORKS.items():
        file = parse_model(make())
        images = patches(lower_model(file).image.shape[1:], _IMAGES)
        work = sum(cost.multiply_accumulates for cost in layer_costs(file))
        for board in map(load_board, boards):
            found = [own(file, board, images, folder / f"own-{name}-{board.name}")]
            for each in upstreams:
                found.append(theirs(each, file, board, images, folder / f"{each.name}-{name}-{board.name}"))
            yield name, board.name, work, found


def _line(name: str, board: str, work: int, each: Row, beside: Row, engine: str) -> str:
    differing = sum(a != b for a, b in zip(each.outputs, beside.outputs, strict=True))
    ratio = "" if each is beside else f" ({beside.instructions / each.instructions:.3f}x)"
    cycles = "-" if each.cycles is None else f"{each.cycles:,.0f} ({each.cycles / work:.2f})"
    return (
        f"| {name} | {board} | {engine} | {each.instructions:,}{ratio} | {cycles} | {each.flash_bytes:,} "
        f"| {each.arena_bytes:,} | {each.stack_bytes:,} | {differing} of {len(each.outputs):,} |\n"
    )


def _commit(tree: Path) -> str:
    """Of a clone; what lies in another repository's folder says nothing of it."""
    command = ["git", "-C", str(tree), "log", "-1", "--format=%h of %as"]
    inside = subprocess.run(["git", "-C", str(tree), "rev-parse", "--show-toplevel"], capture_output=True, check=False)
    if inside.returncode != 0 or Path(inside.stdout.decode().strip()) != tree.resolve():
        return "no clone, commit unknown"
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tflm", type=Path, help="TFLite Micro's tree, with flatbuffers, gemmlowp and ruy")
    parser.add_argument("cmsis_nn", type=Path, help="CMSIS-NN's tree, CMSIS_6 beside it")
    parser.add_argument("--reference", action="store_true", help="TFLite Micro's reference kernels, too")
    parser.add_argument("--boards", nargs="+", default=list(BOARDS))
    parser.add_argument("--keep", type=Path, help="a folder for all that is compiled, used again")
    arguments = parser.parse_args()
    tflm, cmsis_nn = arguments.tflm.resolve(), arguments.cmsis_nn.resolve()
    if not (tflm / "tensorflow/lite/micro/micro_interpreter.cc").is_file():
        raise SystemExit(
            f"{tflm} is no TFLite Micro tree; get one with: git clone --depth 1 https://github.com/tensorflow/tflite-micro"
        )
    upstreams = [Upstream(tflm, cmsis_nn)] + [Upstream(tflm, None)] * arguments.reference
    write = sys.stdout.write
    write(
        f"TFLite Micro {_commit(tflm)}; CMSIS-NN {_commit(cmsis_nn)}; kernels {upstreams[0].kernels}, the rest -Os\n\n"
    )
    write("| network | board | engine | instructions | cycles by table (per MAC) | flash | arena | stack | bytes |\n")
    write("|---|---|---|---:|---:|---:|---:|---:|---:|\n")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep.resolve() if arguments.keep else Path(scratch)
        for name, board, work, found in rows(upstreams, arguments.boards, folder):
            for each, engine in zip(found, ("TinyCerb", *(upstream.name for upstream in upstreams)), strict=True):
                write(_line(name, board, work, each, found[0], engine))
                sys.stdout.flush()
                wrong += each.outputs != found[0].outputs
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
