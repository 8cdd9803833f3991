"""Cycles of the inner loops on Cortex-M55, by LLVM's scheduling model: Unicorn has no M55, and Arm publishes no table.

make bench-kernels               prints them behind the table of instructions
make bench-kernels ARGS=--write  also renews the baseline that the tests compare with

A model of one loop, not of a network: memory waits for nothing, and loads overlap with products as LLVM believes.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.firmware.networks import demo_net
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image
from tinycerb.converters.model_file import parse_model

BASELINE = Path(__file__).with_name("inner_loop_baseline.json")
BOARD = "qemu-m55"
LLVM = "19"
_ROUNDS = 200
# Functions whose low-overhead loops multiply, and their object files.
LOOPS = {
    "convolution and dense, four rows by one column": ("multiply", "one_column"),
    "depthwise, eight channels of one tap": ("depthwise_pixel", "tc_depthwise_pixel"),
}
# Products per instruction; the first loop of a function that has some is the one that runs long.
_PRODUCTS = {"vmlava.s8": 16, "vmladava.s8": 16, "vmullb.s16": 4, "vmullt.s16": 4}


@dataclass(frozen=True)
class LoopCost:
    """One round of a loop.

    Attributes:
        instructions: executed.
        cycles: by LLVM's model, once the loop is under way.
        multiply_accumulates: done.
    """

    instructions: int
    cycles: float
    multiply_accumulates: int


def llvm_tool(name: str) -> str:
    """Returns the path of one of LLVM's tools, or ends with the command that installs it."""
    found = shutil.which(f"{name}-{LLVM}")
    if found is None:
        raise SystemExit(f"{name}-{LLVM} is not installed; install it with: sudo apt-get install -y llvm-{LLVM}")
    return found


def inner_loops(folder: Path) -> dict[str, LoopCost]:
    """Compiles the kernels and prices their inner loops."""
    board = load_board(BOARD)
    build_image(parse_model(demo_net(1)), board, folder / "image")
    return {name: _priced(next(folder.glob(f"runtime-{board.name}-*/{file}.o")), function, board.core)
            for name, (file, function) in LOOPS.items()}  # fmt: skip


def _priced(built: Path, function: str, core: str) -> LoopCost:
    command = [
        llvm_tool("llvm-objdump"),
        "-d",
        "--no-show-raw-insn",
        f"--mcpu={core}",
        f"--disassemble-symbols={function}",
    ]
    text = subprocess.run([*command, str(built)], capture_output=True, text=True, check=True).stdout
    code = [
        (int(at, 16), line.split("@")[0].strip()) for at, line in re.findall(r"^\s*([0-9a-f]+):\s+(.+)$", text, re.M)
    ]
    for end, line in code:
        # The end of a low-overhead loop costs nothing once the loop is under way.
        if not (begin := re.match(r"le\s+lr, (0x[0-9a-f]+)", line)):
            continue
        body = [each for at, each in code if int(begin[1], 16) <= at < end]
        products = sum(_PRODUCTS.get(each.split()[0], 0) for each in body)
        if products:
            return LoopCost(len(body) + 1, _cycles(body, core), products)
    raise SystemExit(f"{function} has no loop that multiplies: its compiler wrote it otherwise; look at {built}")


def _cycles(body: list[str], core: str) -> float:
    command = [llvm_tool("llvm-mca"), "-mtriple=thumbv8.1m.main-none-eabi", f"-mcpu={core}", f"-iterations={_ROUNDS}"]
    done = subprocess.run([*command, "-"], input="\n".join(body), capture_output=True, text=True, check=True)
    found = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    if found is None:
        raise SystemExit(f"llvm-mca-{LLVM} printed no cycles: {done.stderr[-500:]}")
    return round(int(found[1]) / _ROUNDS, 2)


def table(costs: dict[str, LoopCost]) -> str:
    """Returns Markdown: per multiply-accumulate."""
    lines = [
        f"| inner loop, M55, llvm-mca {LLVM}, estimate | instructions | cycles | multiply-accumulates | cycles each |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {cost.instructions} | {cost.cycles:g} | {cost.multiply_accumulates} "
        f"| {cost.cycles / cost.multiply_accumulates:.3f} |"
        for name, cost in costs.items()
    ]
    return "\n".join(lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        costs = inner_loops(Path(folder))
    sys.stdout.write(table(costs) + "\n")
    if "--write" in sys.argv[1:]:
        BASELINE.write_text(json.dumps({name: vars(cost) for name, cost in costs.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
