"""The `tinycerb` command. Each subcommand stands in a module of its own; none imports TensorFlow at the top."""

import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Annotated, Any

import typer
import typer.core

from tinycerb import __version__
from tinycerb.advice.diagnosis import diagnose
from tinycerb.cli import (
    bench,
    check,
    compare,
    convert,
    doctor,
    flash,
    keygen,
    listings,  # noqa: F401  (registers them)
    ownership,
    prune,
    report,
    run,
    summary,
    train,
    tune_defense,
    verify,
)
from tinycerb.cli.listable import LISTINGS, commands_of
from tinycerb.cli.plugins import with_plugins
from tinycerb.errors import ExitCode
from tinycerb.processes.stopping import exit_code, stop_like_ctrl_c
from tinycerb.processes.temporary import process_folder


class _Fault(Exception):
    """Carries the error that is its cause past Typer."""


@contextmanager
def _past_typer() -> Iterator[None]:
    """At these two Typer would end the process itself, with the code that is kept for gates."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise _Fault from error


class _Commands(typer.core.TyperGroup):
    """All commands; `main` sees every error of theirs."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        with _past_typer():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        with _past_typer():
            return super().invoke(ctx)


app = typer.Typer(
    name="tinycerb",
    cls=_Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Make small neural networks on microcontrollers hard to steal, and prove it.\n\n"
    "First run: tinycerb run demo. Exit codes: 0 ok, 1 a gate not met, 2 usage, 3 environment, "
    "4 hardware, 70 a fault of TinyCerb's own, 130 interrupted (143 by SIGTERM, 129 by SIGHUP), 141 nobody reads "
    "the output any more. TINYCERB_DEBUG=1 shows tracebacks.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from tinycerb.seal.versions import package_versions

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


app.command("run")(with_plugins(run.run))
app.command("train")(with_plugins(train.train))
app.command("prune")(with_plugins(prune.prune))
app.command("convert")(with_plugins(convert.convert))
app.command("summary")(with_plugins(summary.summary))
app.add_typer(bench.app, name="bench")
app.command("check")(with_plugins(check.check))
app.command("compare")(with_plugins(compare.compare))
app.command("tune-defense")(with_plugins(tune_defense.tune_defense))
app.command("report")(with_plugins(report.report))
app.command("flash")(with_plugins(flash.flash))
app.command("keygen")(keygen.keygen)
app.add_typer(ownership.app, name="ownership")
app.command("verify")(verify.verify)
for _kind in LISTINGS:
    app.add_typer(commands_of(_kind, LISTINGS[_kind]), name=_kind)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Runs the command: whatever goes wrong ends it with one message and the exit code of its kind."""
    # Whoever has closed them wants to see nothing.
    sys.stdout, sys.stderr = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
    # A file's name may be no text, and a terminal may lack a letter: better a code than no line at all.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    stop_like_ctrl_c()
    with ExitStack() as until_the_end:
        # What works without a temporary place works where there is none.
        with suppress(OSError):
            until_the_end.enter_context(process_folder())
        try:
            code = _run()
            sys.stderr.flush()
        except OSError as error:
            code = _without_output(error)
    sys.exit(exit_code(code))


def _run() -> int:
    """Returns the exit code.

    Raises:
        OSError: what is to be printed cannot be.
    """
    code: int = ExitCode.OK
    try:
        app()
    except SystemExit as ended:
        # Rich ends a process itself, too.
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        code = ended.code if isinstance(ended.code, int) else ExitCode.OK
    except (Exception, KeyboardInterrupt) as fault:
        error = fault.__cause__ if isinstance(fault, _Fault) and fault.__cause__ else fault
        if isinstance(error, BrokenPipeError):
            raise error from None
        problem = diagnose(error)
        typer.secho(f"error: {problem}", fg="red", err=True)
        if os.environ.get("TINYCERB_DEBUG"):
            traceback.print_exception(error)
        code = problem.exit_code
    sys.stdout.flush()
    return code


def _without_output(error: OSError) -> ExitCode:
    """A reader that has gone, such as `head`, has seen enough; anything else is said."""
    if not isinstance(error, BrokenPipeError):
        with suppress(OSError):
            typer.secho(f"error: cannot write the output: {error.strerror}", fg="red", err=True)
    # Python writes what is left when it ends, and would say that it cannot.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    return ExitCode.OUTPUT_CLOSED if isinstance(error, BrokenPipeError) else ExitCode.ENVIRONMENT
