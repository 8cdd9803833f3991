"""`--plugin` for every command, and the question before code of somebody else's run is run."""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from tinycerb.errors import UsageError
from tinycerb.plugins import NotLoaded, Plugin, find_plugin, load_plugin, plugin_name
from tinycerb.plugins.consent import allow, is_allowed

Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="MODULE",
        help="A module of yours that registers parts, or the path of a .py file; again for more. Its code runs as you.",
        show_default=False,
    ),
]
# Of a SHA-256, in messages.
_DIGITS = 12


def with_plugins(command: Callable[..., None]) -> Callable[..., None]:
    """Returns a command that also takes `--plugin`, and that asks before it runs plugins which a run names."""

    @wraps(command)
    def call(*arguments: object, plugin: list[str] | None = None, **options: object) -> None:
        for each in plugin or ():
            _agree(find_plugin(each))
        while True:
            try:
                command(*arguments, **options)
                return
            except NotLoaded as error:
                # Before anything else has happened: a run is opened, or a configuration read, first of all.
                _load_named(error)

    signature = inspect.signature(command, eval_str=True)
    added = inspect.Parameter("plugin", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Plugins)
    whole = signature.replace(parameters=[*signature.parameters.values(), added])
    call.__signature__ = whole  # type: ignore[attr-defined]
    call.__annotations__ = {name: each.annotation for name, each in whole.parameters.items()}
    return call


def _agree(plugin: Plugin) -> None:
    """Loads what the user has named; agreed to once, these bytes are not asked about again."""
    load_plugin(plugin)
    allow(plugin)


def _load_named(error: NotLoaded) -> None:
    if error.run is None:
        for each in error.plugins:
            _agree(find_plugin(each))
        return
    for each in error.plugins:
        found, kept = _here(each), _kept(each, error.run)
        known = next((plugin for plugin in (found, *kept) if plugin is not None and is_allowed(plugin)), None)
        if known is not None:
            load_plugin(known)
            continue
        offered = found or next(iter(kept), None)
        if offered is None:
            # Says where it was looked for.
            raise UsageError(f"{error}\n{_why_not(each)}")
        _ask(offered, error.run)


def _here(given: str) -> Plugin | None:
    try:
        return find_plugin(given)
    except UsageError:
        return None


def _why_not(given: str) -> str:
    try:
        find_plugin(given)
    except UsageError as error:
        return str(error)
    return ""


def _kept(given: str, run: Path) -> list[Plugin]:
    """The plugin as a run keeps it, the version that came last first."""
    from tinycerb.run.plugin_files import kept_plugins

    return list(reversed(kept_plugins(run, plugin_name(given))))


def _ask(plugin: Plugin, run: Path) -> None:
    facts = f"the plugin {plugin.name}: {plugin.path}, SHA-256 {plugin.sha256[:_DIGITS]}..."
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"the run {run} names {facts}. It is code that runs on this machine as you, and you have not agreed to it "
            f"yet; read it, and if you trust it: --plugin {plugin.given}"
        )
    typer.echo(f"the run {run} names {facts}\nIt is code that runs on this machine as you.", err=True)
    if not typer.confirm("Run it?", err=True):
        raise UsageError(f"the plugin {plugin.name} of {run} was not run; without it the run cannot be opened")
    _agree(plugin)
