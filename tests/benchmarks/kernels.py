"""Instructions per multiply-accumulate of TinyCerb's kernels beside CMSIS-NN's, on the same data, in QEMU.

make bench-kernels               prints the table, beside 4.0.0, which a package holds
make bench-kernels CMSIS_NN=DIR  beside a tree of yours, such as a clone of its newest, CMSIS_6 beside it
make bench-kernels ARGS=--write  also renews the baseline that the tests compare with
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.boards.board import Board, load_board
from tinycerb.boards.build import MEASURE, build_image, compiler_flags
from tinycerb.boards.cmsis_nn import CmsisNn, open_cmsis_nn
from tinycerb.boards.counts import instructions_from_ticks
from tinycerb.boards.emulator import qemu_command, run_emulator
from tinycerb.converters.c_model.fixed_point import quantize_multiplier
from tinycerb.converters.model_file import ModelFile, parse_model

BOARDS = ("qemu-m3", "qemu-m4", "qemu-m55")
BASELINE = Path(__file__).with_name("kernel_baseline.json")
CONVOLUTION, DEPTHWISE, DENSE = range(3)
SHIFT = 3
_INPUT_ZERO, _OUTPUT_ZERO = 5, -7


@dataclass(frozen=True)
class Shape:
    """A layer: size x size x channels to filters, SAME, stride 1."""

    kind: int
    size: int
    channels: int
    filters: int
    kernel: int

    @property
    def name(self) -> str:
        kinds = (f"conv {self.kernel}x{self.kernel}", f"depthwise {self.kernel}x{self.kernel}", "dense")
        area = "" if self.kind == DENSE else f" {self.size}x{self.size}"
        return f"{kinds[self.kind]}{area} {self.channels}->{self.filters}"

    @property
    def multiply_accumulates(self) -> int:
        depth = self.kernel**2 * (1 if self.kind == DEPTHWISE else self.channels)
        return self.size**2 * self.filters * depth


SHAPES = (
    Shape(CONVOLUTION, 16, 16, 16, 3),
    Shape(CONVOLUTION, 16, 3, 16, 3),
    Shape(CONVOLUTION, 8, 32, 32, 3),
    Shape(CONVOLUTION, 8, 64, 64, 3),
    Shape(CONVOLUTION, 16, 16, 32, 1),
    Shape(DEPTHWISE, 16, 16, 16, 3),
    Shape(DENSE, 1, 256, 64, 1),
)


@dataclass(frozen=True)
class Row:
    """What one shape cost on one board, in instructions executed."""

    board: str
    shape: Shape
    own: int
    cmsis_nn: int
    differing: int


def cmsis_nn_folder() -> Path:
    """Returns the sources inside the PyPI package `bakenn`."""
    found = importlib.util.find_spec("bakenn")
    if found is None or found.origin is None:
        raise SystemExit("the package bakenn is not installed; install it with: pip install --no-deps bakenn==1.0.0")
    return Path(found.origin).parent / "backend" / "cmsis_nn" / "vendor"


def measure(board_name: str, shape: Shape, folder: Path, tree: CmsisNn | None = None) -> Row:
    """Builds and runs one layer with both kernels: those of a tree, or of version 4.0.0."""
    board = load_board(board_name)
    file, header = _layer(shape)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench_case.h").write_text(header)
    tree = tree or open_cmsis_nn(cmsis_nn_folder() / "cmsis_nn")
    archive = _cmsis_nn_archive(tree, board, folder.parent)
    application = ("application/bench_kernel.c", *MEASURE[1:])
    image = build_image(file, board, folder, application, extra=[archive], system=tree.includes, relaxed=True)
    data = np.random.default_rng(2).integers(-128, 128, image.model.image.bytes, dtype=np.int8)
    (folder / "input.bin").write_bytes(data.tobytes())
    command = qemu_command(
        board, image.elf.resolve(), "-serial", "none", "-icount", f"shift={SHIFT},sleep=off",
        "-chardev", "null,id=console", "-semihosting-config", "enable=on,target=native,chardev=console",
    )  # fmt: skip
    run_emulator(command, folder, image.elf)
    ticks = np.frombuffer((folder / "output.bin").read_bytes(), "<u8")
    own, cmsis_nn = instructions_from_ticks(ticks[:2], board, SHIFT)
    return Row(board_name, shape, int(own), int(cmsis_nn), int(ticks[2]))


def _cmsis_nn_archive(tree: CmsisNn, board: Board, folder: Path) -> Path:
    """Compiles CMSIS-NN once per board, with the flags of the runtime."""
    archive, objects = folder / f"cmsis-nn-{board.name}.a", folder / f"cmsis-nn-{board.name}"
    if not archive.exists():
        objects.mkdir()
        flags = [flag for flag in compiler_flags(board, "-O3") if not flag.startswith(("-W", "-std"))]
        command = [
            "arm-none-eabi-gcc",
            "-std=gnu99",
            *flags,
            *(f"-isystem{path}" for path in tree.includes),
            "-w",
            "-c",
        ]
        subprocess.run([*command, *map(str, tree.sources)], check=True, cwd=objects)
        names = [str(objects / f"{path.stem}.o") for path in tree.sources]
        subprocess.run(["arm-none-eabi-ar", "rcs", str(archive), *names], check=True)
    return archive


def _layer(shape: Shape) -> tuple[ModelFile, str]:
    rng, flat = np.random.default_rng(1), FlatModel()
    sizes = {
        CONVOLUTION: (shape.filters, shape.kernel, shape.kernel, shape.channels),
        DEPTHWISE: (1, shape.kernel, shape.kernel, shape.filters),
        DENSE: (shape.filters, shape.channels),
    }
    weights = rng.integers(-127, 128, sizes[shape.kind], dtype=np.int8)
    bias = rng.integers(-2000, 2000, shape.filters).astype(np.int32)
    count = 1 if shape.kind == DENSE else shape.filters
    scales = rng.uniform(0.002, 0.01, count).astype(np.float32)
    depth = shape.multiply_accumulates // (shape.size**2 * shape.filters)
    before = np.float32(0.03)
    after = np.float32(before * scales[0] * np.sqrt(depth) * 74 * 74 / 50)
    area = [1] if shape.kind == DENSE else [1, shape.size, shape.size]
    source = flat.tensor([*area, shape.channels], [before], [_INPUT_ZERO])
    axis = 3 if shape.kind == DEPTHWISE else 0
    weight = flat.tensor(weights.shape, scales, [0] * count, weights, axis)
    bias_tensor = flat.tensor([shape.filters], before * scales, [0] * count, bias)
    result = flat.tensor([*area, shape.filters], [after], [_OUTPUT_ZERO])
    name, options, values = (
        ("CONV_2D", "Conv2DOptions", {"StrideH": 1, "StrideW": 1}),
        ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", {"StrideH": 1, "StrideW": 1, "DepthMultiplier": 1}),
        ("FULLY_CONNECTED", "FullyConnectedOptions", {}),
    )[shape.kind]
    flat.operator(name, [source, weight, bias_tensor], result, options, values)
    product = [np.float32(before * s) if shape.kind == DENSE else float(before) * float(s) for s in scales]
    pairs = [quantize_multiplier(float(p) / float(after)) for p in product] * (shape.filters // count)
    header = "".join(
        f"static {kind} {label}[] = {{{', '.join(map(str, values))}}};\n"
        for kind, label, values in (
            ("const int8_t", "bench_weights", weights.reshape(-1)),
            ("const int32_t", "bench_bias", bias),
            ("int32_t", "bench_multipliers", [m for m, _ in pairs]),
            ("int32_t", "bench_shifts", [s for _, s in pairs]),
        )
    )
    constants = {
        "KIND": shape.kind, "HEIGHT": shape.size, "WIDTH": shape.size, "CHANNELS": shape.channels,
        "FILTERS": shape.filters, "KERNEL": shape.kernel, "INPUT_ZERO": _INPUT_ZERO, "OUTPUT_ZERO": _OUTPUT_ZERO,
    }  # fmt: skip
    header += "".join(f"#define BENCH_{name} ({value})\n" for name, value in constants.items())
    return parse_model(flat.finish([source], result)), header


def table(rows: list[Row]) -> str:
    """Returns the rows as a Markdown table: instructions per multiply-accumulate, own / CMSIS-NN."""
    lines = [f"| layer | {' | '.join(BOARDS)} |", f"|---|{'---:|' * len(BOARDS)}"]
    for shape in SHAPES:
        cells = []
        for board in BOARDS:
            row = next(row for row in rows if (row.board, row.shape) == (board, shape))
            own, other = (count / shape.multiply_accumulates for count in (row.own, row.cmsis_nn))
            cells.append(f"**{own:.3f}** / {other:.3f} ({own / other:.2f}x)")
        lines.append(f"| {shape.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="renew the baseline")
    parser.add_argument("--cmsis-nn", type=Path, help="a tree: a folder with Include and Source")
    arguments = parser.parse_args()
    tree = None if arguments.cmsis_nn is None else open_cmsis_nn(arguments.cmsis_nn)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measure(board, shape, Path(folder) / f"{board}-{number}", tree)
            for board in BOARDS
            for number, shape in enumerate(SHAPES)
        ]
    sys.stdout.write(table(rows) + "\n")
    wrong = [row for row in rows if row.differing]
    if wrong:
        raise SystemExit(f"the kernels do not agree: {wrong}")
    if arguments.write:
        counts = {board: {row.shape.name: row.own for row in rows if row.board == board} for board in BOARDS}
        BASELINE.write_text(json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    main()
