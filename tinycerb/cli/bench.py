"""`tinycerb bench`: accuracy, memory, latency and stealing of converted victims; or what a model costs on a board."""

from typing import Any

import typer
import typer.core

from tinycerb.cli import board, cost, leak, matrix, separation
from tinycerb.cli.options import AsJson, ExistingRun, Jobs, Quiet
from tinycerb.cli.plugins import with_plugins


class _RunByDefault(typer.core.TyperGroup):
    """`tinycerb bench RUN` is short for `tinycerb bench run RUN`, and with --board for `tinycerb bench board RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["run", *args]
        if args[:1] == ["run"] and any(arg.partition("=")[0] in ("--board", "-b") for arg in args):
            args[0] = "board"
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Measure and attack converted victims. `tinycerb bench RUN` is short for `tinycerb bench run RUN`, and "
    "`tinycerb bench MODEL --board NAME` for `tinycerb bench board MODEL --board NAME`.",
)
app.command("board")(with_plugins(board.board))
app.command("leak")(with_plugins(leak.leak))
app.command("cost")(with_plugins(cost.cost))
app.command("separation")(with_plugins(separation.separation))
app.command("matrix")(with_plugins(matrix.matrix))


@app.command("run")
@with_plugins
def bench(
    path: ExistingRun,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure the converted victims of a run and attack them through the sealed oracle."""
    from tinycerb.bench.metrics import gather_metrics
    from tinycerb.cli.table import print_results
    from tinycerb.run.directory import RunDirectory
    from tinycerb.workflow.work import BENCH_KINDS, check_gates, work

    directory = RunDirectory.open(path)
    with directory.locked():
        work(directory, BENCH_KINDS, jobs, quiet)
        metrics = gather_metrics(directory)
        print_results(directory, metrics, as_json)
        check_gates(metrics)
    typer.secho(f"measured; next: tinycerb report {path}", err=True)
