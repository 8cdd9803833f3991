"""`tinycerb boards`: what can be flashed."""

import json

import typer

from tinycerb.cli.lists import hanging, in_columns
from tinycerb.cli.options import AsJson


def boards(as_json: AsJson = False) -> None:
    """List the boards that come with TinyCerb."""
    from tinycerb.boards.board import board_names, load_board

    known = [load_board(name) for name in board_names()]
    if as_json:
        rows = [
            {"name": b.name, "description": b.description, "core": b.core, "kernels": b.kernels,
             "flash_bytes": b.flash.bytes, "ram_bytes": b.ram.bytes, "flasher": b.flasher}
            for b in known
        ]  # fmt: skip
        typer.echo(json.dumps({"schema_version": 1, "boards": rows}))
        return
    facts = [
        (b.name, b.core, b.kernels, f"flash {b.flash.bytes // 1024:>5} KB", f"RAM {b.ram.bytes // 1024:>5} KB")
        for b in known
    ]
    for line, b in zip(in_columns(facts), known, strict=True):
        typer.echo(line)
        typer.echo(hanging("", b.description, 4))
