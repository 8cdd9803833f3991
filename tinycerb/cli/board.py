"""`tinycerb bench board`: what each layer of a model costs on a board."""

import json
from typing import Annotated

import typer

from tinycerb.cli.named_model import Model, open_model_file
from tinycerb.cli.options import AsJson

BoardName = Annotated[str, typer.Option("--board", "-b", help="A name from `tinycerb boards`, or a .toml file.")]
Port = Annotated[str | None, typer.Option(help="Serial port of a real board.", show_default=False)]


def board(model: Model, name: BoardName = "qemu-m4", port: Port = None, as_json: AsJson = False) -> None:
    """Count what each layer of a model costs on a board.

    Instructions executed in an emulator, or cycles that a real board, which runs the model already, counts.
    """
    from tinycerb.boards.board import load_board
    from tinycerb.boards.profile import read_profile

    target = load_board(name)
    _, file = open_model_file(model)
    profile = read_profile(file, target, port, 60)
    rows = [
        {"kernel": layer.kernel, "output": list(layer.operator.outputs[0].shape), profile.unit: count}
        for layer, count in profile.layers
    ]
    whole = {"draw": profile.draw, "inference": profile.inference, "answer": profile.answer}
    if as_json:
        counts = {f"{name}_{profile.unit}": count for name, count in whole.items()}
        typer.echo(json.dumps({"schema_version": 1, "board": target.name, **counts, "layers": rows}))
        return
    told = "instructions executed" if profile.unit == "instructions" else "cycles"
    for name, count in whole.items():
        typer.echo(f"{name:12} {count:>12,} {told}")
    for row in rows:
        shape = "x".join(map(str, row["output"]))
        typer.echo(f"  {row['kernel'].removeprefix('tc_'):20} {shape:>14} {row[profile.unit]:>12,}")
