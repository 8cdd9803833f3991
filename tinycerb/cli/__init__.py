"""The `tinycerb` command. Each subcommand stands in a module of its own; none imports TensorFlow at the top."""

import os
import sys
import traceback
from typing import Annotated

import typer

from tinycerb import __version__
from tinycerb.cli import (
    bench,
    boards,
    compare,
    convert,
    defenses,
    doctor,
    flash,
    keygen,
    prune,
    report,
    run,
    summary,
    train,
    tune_defense,
)
from tinycerb.errors import TinyCerbError

app = typer.Typer(
    name="tinycerb",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Make small neural networks on microcontrollers hard to steal, and prove it.\n\n"
    "First run: tinycerb run demo. Exit codes: 0 ok, 1 a gate not met, 2 usage, 3 environment, "
    "4 hardware, 130 interrupted.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from tinycerb.run_dir import package_versions

        typer.echo(f"tinycerb {__version__}")
        for package, found in package_versions().items():
            typer.echo(f"{package} {found}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print versions and exit."),
    ] = False,
) -> None:
    pass


app.command("run")(run.run)
app.command("train")(train.train)
app.command("prune")(prune.prune)
app.command("convert")(convert.convert)
app.command("summary")(summary.summary)
app.add_typer(bench.app, name="bench")
app.command("compare")(compare.compare)
app.command("tune-defense")(tune_defense.tune_defense)
app.command("report")(report.report)
app.command("flash")(flash.flash)
app.command("keygen")(keygen.keygen)
app.command("boards")(boards.boards)
app.add_typer(defenses.app, name="defenses")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Runs the command; errors that a user can act on end it with one message and their exit code."""
    try:
        app(standalone_mode=True)
    except TinyCerbError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        if os.environ.get("TINYCERB_DEBUG"):
            traceback.print_exc()
        sys.exit(error.exit_code)
