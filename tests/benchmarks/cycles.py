"""Instructions and estimated cycles of whole networks: the table of docs/firmware.md.

make bench-cycles               prints it
make bench-cycles ARGS=--write  also renews the baseline that the tests compare with
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.firmware.networks import MLPERF_TINY, demo_net, patches
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image
from tinycerb.boards.cycle_model.estimate import estimate_cycles
from tinycerb.boards.cycle_model.span import Span
from tinycerb.boards.cycle_model.work import multiply_accumulates
from tinycerb.boards.emulator import measure
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import HardwareError

BASELINE = Path(__file__).with_name("cycle_baseline.json")
NETWORKS = {"demo_net": demo_net, **MLPERF_TINY}
BOARDS = ("qemu-m0", "qemu-m3", "qemu-m4")
# As in the baseline of kernels: five instructions per tick.
_SHIFT = 3


def counted(network: str, board_name: str, folder: Path) -> tuple[int, Span, int]:
    """Returns instructions, cycles with their band, and multiply-accumulates of one inference.

    Raises:
        HardwareError: it does not fit.
    """
    file, board = parse_model(NETWORKS[network]()), load_board(board_name)
    image = build_image(file, board, folder / f"{network}-{board_name}")
    found = measure(image, board, patches(image.model.image.shape[1:], 1), _SHIFT)
    estimate = estimate_cycles(file, board, folder / f"{network}-{board_name}-counted")
    if isinstance(estimate, str):
        raise SystemExit(estimate)
    work = sum(map(multiply_accumulates, image.model.layers))
    return int(found.inference_instructions.max()), estimate.inference, work


def as_json(instructions: int, cycles: Span) -> dict[str, int]:
    """Returns a line of the baseline."""
    ends = {"cycles": cycles.typical, "cycles_low": cycles.low, "cycles_high": cycles.high}
    return {"instructions": instructions, **{name: round(value) for name, value in ends.items()}}


def line(network: str, board: str, costs: dict[str, int]) -> str:
    """Returns a row of the table but for its last column."""
    return (
        f"| {network} | {load_board(board).core.replace('cortex-m', 'M')} | {costs['instructions']:,} "
        f"| {costs['cycles']:,} | {costs['cycles_low'] / 1e6:.2f} to {costs['cycles_high'] / 1e6:.2f} M |"
    )


def _all(folder: Path) -> Iterator[tuple[str, str, dict[str, int], int]]:
    for network in NETWORKS:
        for board in BOARDS:
            try:
                instructions, cycles, work = counted(network, board, folder)
            except HardwareError:
                continue
            yield network, board, as_json(instructions, cycles), work


def main() -> None:
    found: dict[str, dict[str, dict[str, int]]] = {}
    write = sys.stdout.write
    write("| network | core | instructions | cycles, estimate | band | cycles per multiply-accumulate |\n")
    write("|---|---|---:|---:|---:|---:|\n")
    with tempfile.TemporaryDirectory() as folder:
        for network, board, costs, work in _all(Path(folder)):
            found.setdefault(network, {})[board] = costs
            write(f"{line(network, board, costs)} {costs['cycles'] / work:.2f} |\n")
            sys.stdout.flush()
    if "--write" in sys.argv[1:]:
        BASELINE.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
