"""`tinycerb flash`: a model onto a board, and proof that it answers as it must."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, NamedModel
from tinycerb.workflow.named_model import open_model_file

BoardName = Annotated[str, typer.Option("--board", "-b", help="A name from `tinycerb boards`, or a .toml file.")]
Selection = Annotated[str, typer.Option(help="How the device draws heads: keyed, coarse_keyed, random, fixed.")]
Key = Annotated[
    Path | None,
    typer.Option(help="File with the device's secret, from `tinycerb keygen`. Default: a new one, kept nowhere else."),
]
Port = Annotated[str | None, typer.Option(help="Serial port of a real board.", show_default=False)]
Drive = Annotated[Path | None, typer.Option(help="Drive of a UF2 board; found by itself if there is one.")]
Keep = Annotated[Path | None, typer.Option("--out", help="Keep model.c and the image without secret here.")]
Prebuilt = Annotated[
    Path | None,
    typer.Option("--image", help="A firmware.elf that --out kept elsewhere: nothing is compiled.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Build, print the command and the memory fit, flash nothing.")]
Limit = Annotated[
    float, typer.Option("--time-limit", min=1, help="Seconds that flashing may take, and that the board may be silent.")
]

RateLimit = Annotated[
    str | None,
    typer.Option(
        metavar="QUESTIONS/SECONDS",
        help="Count questions, and answer at most so many in a row and per so many seconds.",
        show_default=False,
    ),
]
CmsisNnRoot = Annotated[
    Path | None,
    typer.Option("--cmsis-nn", help="Folder with CMSIS-NN's Include and Source: use its kernels.", show_default=False),
]
Serve = Annotated[
    bool,
    typer.Option("--serve", help="Keep an emulated board running after that, on a pseudo-terminal, until Ctrl-C."),
]


def flash(
    model: NamedModel,
    board: BoardName = "qemu-m4",
    selection: Selection = "keyed",
    key: Key = None,
    port: Port = None,
    drive: Drive = None,
    out: Keep = None,
    prebuilt: Prebuilt = None,
    dry_run: DryRun = False,
    limit: Limit = 60,
    rate_limit: RateLimit = None,
    cmsis_nn: CmsisNnRoot = None,
    serve: Serve = False,
    as_json: AsJson = False,
) -> None:
    """Build the firmware of a model, put it on a board, compare with the golden vectors, print what it costs.

    Exit 4 for anything wrong with the board: not there, silent, wrong model, wrong answers.
    """
    import dataclasses
    import shlex
    import sys
    import tempfile

    from tinycerb.boards.board import load_board
    from tinycerb.boards.cmsis_nn import open_cmsis_nn
    from tinycerb.boards.firmware import build_firmware, prebuilt_firmware
    from tinycerb.boards.flashers import FLASHERS
    from tinycerb.boards.query_limit import parse_query_limit
    from tinycerb.boards.session import Session, flash_and_check, wait_for_end
    from tinycerb.cli.board_counts import count_facts
    from tinycerb.errors import UsageError

    target = load_board(board)
    if drive is not None:
        target = dataclasses.replace(target, options={**target.options, "drive": str(drive)})
    flasher = FLASHERS[target.flasher]
    if serve and (dry_run or not target.emulated):
        wrong = "nothing runs with --dry-run" if dry_run else f"{target.name} is no emulator and runs on by itself"
        raise UsageError(f"--serve keeps an emulated board running, and {wrong}; leave it out")
    secret = _secret(key)
    _, file = open_model_file(model)
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as private:
        folder = Path(private) / "build" if out is None else out
        if prebuilt is None:
            tree = None if cmsis_nn is None else open_cmsis_nn(cmsis_nn)
            limited = None if rate_limit is None else parse_query_limit(rate_limit)
            firmware = build_firmware(file, target, folder.resolve(), selection, tree, limited)
        else:
            firmware = prebuilt_firmware(file, target, prebuilt.resolve(), selection)
        image = firmware.image
        facts = {
            "schema_version": 1,
            "model_sha256": image.model.hash.hex(),
            "board": target.name,
            "selection": selection,
            "heads": image.model.heads,
            "flash_bytes": image.flash_bytes,
            "flash_bytes_available": target.flash.bytes,
            "ram_bytes": image.ram_bytes,
            "ram_bytes_available": target.ram.bytes - target.stack_bytes,
            "arena_bytes": image.model.arena.total_bytes,
        }
        if dry_run:
            command = flasher.command(target, image.elf)
            facts["image"] = None if out is None else str(image.elf)
            # What lies in the temporary folder is gone when this is read.
            gone = f"{image.elf.parent}/" if out is None else ""
            facts["command"] = shlex.join(part.replace(gone, "") if gone else part for part in command)
        else:
            unit = "instructions" if target.emulated else "ticks"

            def measured(session: Session) -> dict[str, object]:
                return {
                    "golden_vectors": session.vectors,
                    "golden_vectors_wrong": 0,
                    "stack_bytes": session.stack_bytes,
                    **count_facts(session.counts, image.model.layers, unit),
                }

            def keep_running(session: Session, line: str) -> None:
                _print({**facts, **measured(session), "port": line}, as_json)
                sys.stdout.flush()
                wait_for_end(target, line)

            facts |= measured(
                flash_and_check(
                    firmware, target, secret, selection, Path(private), port, limit, keep_running if serve else None
                )
            )
    _print(facts, as_json)


def _secret(key: Path | None) -> bytes:
    import secrets

    from tinycerb.boards.secret import read_secret
    from tinycerb.secret_file import others_can_read

    if key is None:
        return secrets.token_bytes(16)
    secret = read_secret(key)
    if others_can_read(key):
        typer.echo(f"warning: others can read the key {key}; mend it with: chmod 600 {key}", err=True)
    return secret


def _print(facts: dict, as_json: bool) -> None:
    from tinycerb.cli.board_counts import print_counts

    if as_json:
        typer.echo(json.dumps(facts))
        return
    one = facts["heads"] == 1
    typer.echo(f"board        {facts['board']}" + ("" if one else f", heads drawn: {facts['selection']}"))
    typer.echo(f"model        {facts['model_sha256'][:16]}..., {facts['heads']} head{'' if one else 's'}")
    typer.echo(f"flash        {facts['flash_bytes']:,} of {facts['flash_bytes_available']:,} bytes")
    typer.echo(f"RAM          {facts['ram_bytes']:,} of {facts['ram_bytes_available']:,} bytes beside the stack")
    if "command" in facts:
        typer.echo(f"would run    {facts['command']}")
        if facts["image"] is None:
            typer.echo("image        not kept; --out DIRECTORY keeps it")
        return
    typer.echo(f"stack        {facts['stack_bytes']:,} bytes at most")
    typer.echo(f"golden       {facts['golden_vectors']} of {facts['golden_vectors']} vectors right, every head")
    unit = "instructions" if "inference_instructions" in facts else "ticks"
    told = "instructions executed" if unit == "instructions" else "ticks of the board's clock"
    print_counts(facts, unit, told)
    if "port" in facts:
        typer.echo(f"serving      {facts['port']} (verify, other programs: --port), until Ctrl-C")
