"""`tinycerb defenses`: what can stand between a model and a thief."""

import inspect
import json
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any

import typer

from tinycerb.cli.lists import hanging
from tinycerb.cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="List and explain defences.")
Name = Annotated[str, typer.Argument(help="A name from `tinycerb defenses list`.", show_default=False)]


@app.command("list")
def list_defenses(as_json: AsJson = False) -> None:
    """List training parts and responses; join one of the first and any of the second with +."""
    parts = _parts()
    if as_json:
        rows = [{"name": name, "part": part, "summary": _summary(kind)} for part, name, kind in parts]
        typer.echo(json.dumps({"schema_version": 1, "defenses": rows}))
        return
    for part in ("training", "response"):
        typer.echo(f"{part} part:")
        for _, name, kind in (row for row in parts if row[0] == part):
            typer.echo(hanging(f"  {name}", _summary(kind), 20))
    typer.echo("next: tinycerb defenses show NAME, tinycerb train demo --defense misdirection+top1")


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Explain a defence and its options."""
    from tinycerb.defenses.choice import unknown_defense

    found = [(part, kind) for part, known, kind in _parts() if known == name]
    if not found:
        raise unknown_defense(name)
    if as_json:
        rows = [
            {"part": part, "about": inspect.getdoc(kind),
             "options": [{"name": f.name, "type": _type(f), "default": _default(f)} for f in fields(kind)]}
            for part, kind in found
        ]  # fmt: skip
        typer.echo(json.dumps({"schema_version": 1, "name": name, "parts": rows}))
        return
    for part, kind in found:
        typer.echo(f"{name} ({part} part)\n")
        typer.echo(inspect.cleandoc(inspect.getmodule(kind).__doc__ or "") + "\n")  # type: ignore[union-attr]
        typer.echo(inspect.getdoc(kind))
        for field in fields(kind):
            typer.echo(f"  {field.name} ({_type(field)}) = {_default(field)!r}")


def _parts() -> list[tuple[str, str, type]]:
    from tinycerb.answers.responses import RESPONSES
    from tinycerb.defenses import DEFENSES

    rows = [("training", name, DEFENSES[name]) for name in DEFENSES if name != "none"]
    return rows + [("response", name, RESPONSES[name]) for name in RESPONSES if name != "none"]


def _summary(kind: type) -> str:
    return (inspect.getdoc(kind) or "").splitlines()[0].rstrip(".")


def _type(field: Field) -> str:
    return str(getattr(field.type, "__name__", field.type))


def _default(field: Field) -> Any:
    return None if field.default is MISSING else field.default
