"""`tinycerb bench board`: what each layer of a model costs on a board."""

import json
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, NamedModel
from tinycerb.workflow.named_model import open_model_file

BoardName = Annotated[str, typer.Option("--board", "-b", help="A name from `tinycerb boards`, or a .toml file.")]
Limit = Annotated[float, typer.Option("--time-limit", min=1, help="Seconds that the board may be silent.")]
Port = Annotated[str | None, typer.Option(help="Serial port of a real board.", show_default=False)]


def board(
    model: NamedModel,
    name: BoardName = "qemu-m4",
    port: Port = None,
    limit: Limit = 60,
    as_json: AsJson = False,
) -> None:
    """Count what each layer of a model costs on a board.

    Instructions executed in an emulator, or cycles that a real board, which runs the model already, counts.
    """
    from tinycerb.boards.board import load_board
    from tinycerb.boards.profile import read_profile
    from tinycerb.cli.board_counts import count_facts, print_counts

    target = load_board(name)
    _, file = open_model_file(model)
    profile = read_profile(file, target, port, limit)
    facts = count_facts(profile.counts, profile.layers, profile.unit)
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "board": target.name, **facts}))
        return
    print_counts(facts, profile.unit, "instructions executed" if profile.unit == "instructions" else "cycles")
