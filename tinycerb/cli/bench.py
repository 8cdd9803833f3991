"""`tinycerb bench`: accuracy, memory, latency and stealing of converted victims; or what a model costs on a board."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from tinycerb.cli import cost, leak, matrix
from tinycerb.cli.options import AsJson, ExistingRun, Jobs, Quiet


class _RunByDefault(typer.core.TyperGroup):
    """`tinycerb bench RUN` is short for `tinycerb bench run RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Measure and attack converted victims. `tinycerb bench RUN` is short for `tinycerb bench run RUN`.",
)
app.command("leak")(leak.leak)
app.command("cost")(cost.cost)
app.command("matrix")(matrix.matrix)

BoardName = Annotated[
    str | None,
    typer.Option("--board", "-b", help="Read a .tflite file's counts from this board instead.", show_default=False),
]
Port = Annotated[str | None, typer.Option(help="Serial port of a real board.", show_default=False)]


@app.command("run")
def bench(
    path: ExistingRun,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
    board: BoardName = None,
    port: Port = None,
) -> None:
    """Measure the converted victims of a run and attack them through the sealed oracle.

    With --board, PATH is a .tflite file: instructions executed in an emulator, or cycles that a real board, which runs
    the model already, counts.
    """
    if board is not None:
        _bench_board(path, board, port, as_json)
        return
    from tinycerb.cli.workflow import BENCH_KINDS, print_results, work
    from tinycerb.run_dir import RunDirectory

    directory = RunDirectory.open(path)
    with directory.locked():
        work(directory, BENCH_KINDS, jobs, quiet)
        print_results(directory, as_json)
    typer.secho(f"measured; next: tinycerb report {path}", err=True)


def _bench_board(path: Path, board: str, port: str | None, as_json: bool) -> None:
    from converters.model_file import ModelFileError, read_model_file
    from tinycerb.boards.board import load_board
    from tinycerb.boards.profile import read_profile
    from tinycerb.errors import UsageError

    target = load_board(board)
    try:
        file = read_model_file(path)
    except (OSError, ModelFileError) as error:
        raise UsageError(f"cannot read the model {path}: {error}; with --board it is a .tflite file") from error
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
