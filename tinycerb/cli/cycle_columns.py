"""Estimated cycles beside counted instructions, as JSON and as a table of 80 columns."""

import re
import textwrap
from collections.abc import Sequence

import typer

from tinycerb.boards.board import Board
from tinycerb.boards.counts import Counts
from tinycerb.boards.cycle_model.facts import CycleFacts, EstimateFacts
from tinycerb.converters.c_model.layer import Layer
from tinycerb.errors import UsageError

_UNITS = {"hz": 1, "khz": 1e3, "mhz": 1e6, "ghz": 1e9}
_ROW = "{:35} {:>12} {:>12} {:>8} {:>8}"


def parse_clock(text: str) -> float:
    """Reads `80MHz`.

    Raises:
        UsageError: anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMG]?Hz)", text, re.IGNORECASE)
    if found is None or float(found[1]) == 0:
        raise UsageError(f"clock is {text!r}; expected a frequency with its unit, such as --clock 80MHz")
    return float(found[1]) * _UNITS[found[2].lower()]


def milliseconds(cycles: CycleFacts, clock_hz: float) -> dict[str, float]:
    """Returns the time that cycles take at a clock that somebody has named; as much an estimate as they are."""
    return {
        "clock_hz": clock_hz,
        "milliseconds": cycles["cycles"] / clock_hz * 1e3,
        "milliseconds_low": cycles["cycles_low"] / clock_hz * 1e3,
        "milliseconds_high": cycles["cycles_high"] / clock_hz * 1e3,
    }


def print_both(
    counts: Counts, layers: Sequence[Layer], facts: EstimateFacts, board: Board, clock_hz: float | None
) -> None:
    """Prints instructions and estimated cycles side by side, and what the estimate rests on."""
    core = board.core.replace("cortex-m", "Cortex-M")
    typer.echo(f"{board.name} ({core}): instructions are counted, cycles are an estimate\n")
    typer.echo(_ROW.format("", "instructions", "cycles,", "cycles", "of SIMD"))
    typer.echo(_ROW.format("", "executed", "estimate", "per MAC", "peak"))
    typer.echo(_ROW.format("draw of the head", f"{counts.draw:,}", "-", "-", "-"))
    typer.echo(_line("inference", counts.inference, facts["inference"]))
    for layer, count, cycles in zip(layers, counts.layers, facts["layers"], strict=True):
        shape = "x".join(map(str, layer.operator.outputs[0].shape))
        typer.echo(_line(f"  {layer.kernel.removeprefix('tc_'):18} {shape:>14}", count, cycles))
    typer.echo(_line("  rest: calls, copy of the output", counts.rest, facts["rest"]))
    typer.echo(_line("answer", counts.answer, facts["answer"]))
    whole = facts["inference"]
    typer.echo(
        f"\ninference: an estimate of {whole['cycles']:,} cycles; band {whole['cycles_low']:,} to "
        f"{whole['cycles_high']:,}"
    )
    if clock_hz is not None:
        took = milliseconds(whole, clock_hz)
        typer.echo(
            f"at {clock_hz / 1e6:g} MHz: an estimate of {took['milliseconds']:.3g} ms; band "
            f"{took['milliseconds_low']:.3g} to {took['milliseconds_high']:.3g} ms"
        )
    for label, text in (("prices", facts["source"]), ("calibration", facts["calibration"])):
        typer.echo(textwrap.fill(f"{label}: {text}", 80, subsequent_indent="  ", break_on_hyphens=False))


def _line(name: str, instructions: int, cycles: CycleFacts) -> str:
    each, share = cycles["cycles_per_multiply_accumulate"], cycles["simd_peak_share"]
    return _ROW.format(
        name, f"{instructions:,}", f"{cycles['cycles']:,}", "-" if each is None else f"{each:.2f}",
        "-" if share is None else f"{share:.0%}",
    )  # fmt: skip
