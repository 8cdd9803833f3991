"""Cycles of an inference and its layers: executed once in Unicorn, block by block, and priced."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinycerb.boards.board import Board, load_board
from tinycerb.boards.build import Image, build_image
from tinycerb.boards.cycle_model.block_counts import Blocks, Watch
from tinycerb.boards.cycle_model.calibrated import CALIBRATED
from tinycerb.boards.cycle_model.calibration import UNCALIBRATED, Calibration
from tinycerb.boards.cycle_model.cores import TIMINGS
from tinycerb.boards.cycle_model.decode import Decoder, open_decoder
from tinycerb.boards.cycle_model.span import NONE, Span
from tinycerb.boards.cycle_model.timings import Timings, price
from tinycerb.boards.elf import function_addresses
from tinycerb.boards.emulator import run_in_unicorn
from tinycerb.boards.unicorn_machine import Machine
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import EnvironmentProblem


@dataclass(frozen=True)
class CycleEstimate:
    """Estimated cycles of one question, none of them measured.

    Attributes:
        layers: of each layer of the inference; the first one's holds the copy of the image.
        rest: of the inference, what its layers leave.
        answer: from logits to codes.
        peak: multiply-accumulates per cycle that the core's SIMD instructions do at best; 0 where it has none.
        source: where the prices come from.
        calibration: how the prices become an estimate.
    """

    layers: tuple[Span, ...]
    rest: Span
    answer: Span
    peak: float
    source: str
    calibration: Calibration

    @property
    def inference(self) -> Span:
        """The layers and the rest."""
        return sum(self.layers, self.rest)


def estimate_cycles(file: ModelFile, board: Board, folder: Path) -> CycleEstimate | str:
    """Executes a model once as the board's core would, and prices what it executes.

    Args:
        file: the model.
        board: an emulated board; only its core and memory count.
        folder: where the image goes; the runtime's library beside it is used again.

    Returns:
        The estimate, or why there is none.
    """
    timings = TIMINGS.get(board.core)
    if timings is None:
        return f"no cycles: Arm publishes no table of timings for {board.core.replace('cortex-m', 'Cortex-M')}"
    try:
        decode = open_decoder()
        image = build_image(file, _without_peripherals(board), folder)
        watch, machine = _watched(image, board.core)
    except EnvironmentProblem as problem:
        return f"no cycles: {problem}"
    calibration = CALIBRATED.get(board.core, UNCALIBRATED)
    *layers, rest, answer = (
        calibration.applied(priced(blocks, machine, decode, timings)) for blocks in (*watch.layers, watch.answers)
    )
    return CycleEstimate(tuple(layers), rest, answer, timings.peak, timings.source, calibration)


def _without_peripherals(board: Board) -> Board:
    """A machine of the same core and memory, whose image asks for nothing that Unicorn lacks."""
    bare = load_board(f"unicorn-{board.core.removeprefix('cortex-').removesuffix('plus')}")
    return replace(
        bare, name=board.name, flags=board.flags, kernels=board.kernels, flash=board.flash, ram=board.ram,
        stack_bytes=board.stack_bytes,
    )  # fmt: skip


def _watched(image: Image, core: str) -> tuple[Watch, Machine]:
    """Any image will do: from image to answer every one takes the same way."""
    machine = Machine(image.elf, core)
    answer, inference, mark = function_addresses(image.elf, ("tc_answer", "tc_infer_profiled", "layer_done"))
    watch = Watch(answer, inference, mark, machine.link)
    machine.watch(watch)
    run_in_unicorn(machine, np.zeros((1, image.model.image.bytes), np.int8))
    return watch, machine


def priced(blocks: Blocks, machine: Machine, decode: Decoder, timings: Timings) -> Span:
    """Prices blocks by the tables alone."""
    total = NONE
    for (address, size), block in blocks.items():
        each = price(decode(machine.code(address, size), address), timings)
        total += each.always.times(block.executed) + each.jumped.times(block.jumped)
    return total
