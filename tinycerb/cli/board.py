"""`tinycerb bench board`: what each layer of a model costs on a board."""

import json
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, NamedModel
from tinycerb.workflow.named_model import open_model_file

BoardName = Annotated[str, typer.Option("--board", "-b", help="A name from `tinycerb boards`, or a .toml file.")]
Limit = Annotated[float, typer.Option("--time-limit", min=1, help="Seconds that the board may be silent.")]
Clock = Annotated[
    str | None,
    typer.Option(help="Core clock, as 80MHz: the estimate of cycles is printed as time, too.", show_default=False),
]
Port = Annotated[str | None, typer.Option(help="Serial port of a real board.", show_default=False)]


def board(
    model: NamedModel,
    name: BoardName = "qemu-m4",
    port: Port = None,
    limit: Limit = 60,
    clock: Clock = None,
    as_json: AsJson = False,
) -> None:
    """Count what each layer of a model costs on a board.

    In an emulator, instructions executed, and beside them an estimate of the cycles that they take: its band is
    printed with it. On a real board, which runs the model already, the cycles that it counts itself.
    """
    from tinycerb.boards.board import load_board
    from tinycerb.boards.cycle_model.estimate import CycleEstimate
    from tinycerb.boards.cycle_model.facts import estimate_facts, no_estimate
    from tinycerb.boards.profile import read_profile
    from tinycerb.cli.board_counts import count_facts, print_counts
    from tinycerb.cli.cycle_columns import milliseconds, parse_clock, print_both

    clock_hz = None if clock is None else parse_clock(clock)
    target = load_board(name)
    _, file = open_model_file(model)
    profile = read_profile(file, target, port, limit)
    facts = count_facts(profile.counts, profile.layers, profile.unit)
    if not isinstance(profile.cycles, CycleEstimate):
        cycles = None if profile.cycles is None else no_estimate(profile.cycles)
        if as_json:
            typer.echo(json.dumps({"schema_version": 1, "board": target.name, **facts, "estimated_cycles": cycles}))
            return
        print_counts(facts, profile.unit, "instructions executed" if profile.unit == "instructions" else "cycles")
        if profile.cycles is not None:
            typer.echo(profile.cycles)
        return
    estimate = estimate_facts(profile.cycles, profile.layers)
    if as_json:
        took = {} if clock_hz is None else {"estimated_time": milliseconds(estimate["inference"], clock_hz)}
        found = {"schema_version": 1, "board": target.name, **facts, "estimated_cycles": estimate, **took}
        typer.echo(json.dumps(found))
        return
    print_both(profile.counts, profile.layers, estimate, target, clock_hz)
