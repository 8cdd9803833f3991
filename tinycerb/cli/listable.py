"""What can be listed and shown: `tinycerb KIND list` and `tinycerb KIND show NAME` for every kind of thing."""

import json
import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from tinycerb.cli.lists import NARROW, hanging, in_columns
from tinycerb.cli.options import AsJson
from tinycerb.cli.plugins import with_plugins
from tinycerb.errors import UsageError, suggest
from tinycerb.options import Option, options_of
from tinycerb.registry import Registry

_INDENT = 20
_FACT = 13


@dataclass(frozen=True)
class Entry:
    """One thing of a list.

    Attributes:
        name: what it is called in configurations and on command lines.
        summary: one line.
        about: paragraphs; lines that are indented, such as equations, stay as they are.
        part: of what it is a part, such as `training`, where a list has several; "" where it has none.
        facts: further figures and words, for JSON and for `show`.
        columns: short texts that a list shows beside the name; its summary then stands below.
        options: the dataclass whose options it has, None for none.
    """

    name: str
    summary: str
    about: str = ""
    part: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    columns: Sequence[str] = ()
    options: type | None = None


@dataclass(frozen=True)
class Listing:
    """A kind of things.

    Attributes:
        kind: what one of them is called.
        meaning: of the command, one line.
        entries: makes the list, whose order is kept.
        next: a line below the list: what to do with a name.
        unknown: the error for a name that is not in it; None for one that names the known ones.
    """

    kind: str
    meaning: str
    entries: Callable[[], Iterable[Entry]]
    next: str
    unknown: Callable[[str], UsageError] | None = None


LISTINGS: Registry[Listing] = Registry("list")


def commands_of(name: str, listing: Listing) -> typer.Typer:
    """Returns the commands for a kind of things: `list`, which a call without any means too, and `show NAME`."""
    app = typer.Typer(help=listing.meaning)
    help_of_name = f"A name from `tinycerb {name} list`."

    @app.callback(invoke_without_command=True)
    def without_command(context: typer.Context, as_json: AsJson = False) -> None:
        context.obj = as_json
        if context.invoked_subcommand is None:
            _print_list(name, listing, as_json)

    @app.command("list", help="Print all names, each with one line.")
    @with_plugins
    def print_all(context: typer.Context, as_json: AsJson = False) -> None:
        _print_list(name, listing, as_json or context.obj)

    @app.command("show", help=f"Explain one {listing.kind}.")
    @with_plugins
    def show(
        context: typer.Context,
        wanted: Annotated[str, typer.Argument(metavar="NAME", help=help_of_name, show_default=False)],
        as_json: AsJson = False,
    ) -> None:
        _show(listing, wanted, as_json or context.obj)

    return app


def _print_list(name: str, listing: Listing, as_json: bool) -> None:
    entries = list(listing.entries())
    if as_json:
        rows = [{"name": entry.name, **_facts(entry)} for entry in entries]
        typer.echo(json.dumps({"schema_version": 1, name: rows}))
        return
    for part in dict.fromkeys(entry.part for entry in entries):
        if part:
            typer.echo(f"{part} part:")
        for line in _lines([entry for entry in entries if entry.part == part], "  " if part else ""):
            typer.echo(line)
    typer.echo(f"next: {listing.next}")


def _lines(entries: list[Entry], before: str) -> list[str]:
    if not entries[0].columns:
        return [hanging(f"{before}{entry.name}", entry.summary, _INDENT) for entry in entries]
    heads = in_columns([(entry.name, *entry.columns) for entry in entries])
    return [f"{before}{head}\n{hanging('', entry.summary, 4)}" for head, entry in zip(heads, entries, strict=True)]


def _show(listing: Listing, name: str, as_json: bool) -> None:
    entries = list(listing.entries())
    found = [entry for entry in entries if entry.name == name]
    if not found:
        known = [entry.name for entry in entries]
        raise (
            listing.unknown(name)
            if listing.unknown
            else UsageError(f"unknown {listing.kind} {name!r}{suggest(name, known)}; known: {', '.join(known)}")
        )
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "name": name, "parts": [_details(entry) for entry in found]}))
        return
    typer.echo("\n\n".join("\n".join(_explained(entry)) for entry in found))


def _facts(entry: Entry) -> dict[str, object]:
    part = {"part": entry.part} if entry.part else {}
    return {**part, "summary": entry.summary, **entry.facts}


def _details(entry: Entry) -> dict[str, object]:
    options = options_of(entry.options) if entry.options else {}
    return {**_facts(entry), "about": entry.about, "options": [option.facts() for option in options.values()]}


def _explained(entry: Entry) -> list[str]:
    width = shutil.get_terminal_size((NARROW, 24)).columns
    lines = [f"{entry.name} ({entry.part} part)" if entry.part else entry.name]
    for paragraph in (entry.about or entry.summary).split("\n\n"):
        lines += ["", *_wrapped(paragraph, width)]
    facts = {key: value for key, value in entry.facts.items() if value != entry.summary}
    options = options_of(entry.options) if entry.options else {}
    if facts or options:
        lines.append("")
    lines += [hanging(f"{key.replace('_', ' ')}:", _as_text(value), _FACT) for key, value in facts.items()]
    for option in options.values():
        lines += _option(option, width)
    return lines


def _wrapped(paragraph: str, width: int) -> list[str]:
    lines = paragraph.splitlines()
    if all(line.startswith(" ") for line in lines):
        # An equation or a table.
        return lines
    return textwrap.wrap(" ".join(lines), width, break_long_words=False, break_on_hyphens=False)


def _option(option: Option, width: int) -> list[str]:
    is_plain = option.kind is bool or option.allowed == "any"
    default = option.default_text if option.kind is bool else repr(option.default)
    head = f"{option.name} ({option.type}) = {default}" + ("" if is_plain else f"; {option.allowed}")
    return [
        *textwrap.wrap(head, width, initial_indent="  ", subsequent_indent="    "),
        *textwrap.wrap(option.limits.meaning, width, initial_indent="      ", subsequent_indent="      "),
    ]


def _as_text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
