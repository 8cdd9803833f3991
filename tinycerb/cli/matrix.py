"""`tinycerb bench matrix`: defences against attacks, cell by cell, with intervals and plots."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinycerb import file_names
from tinycerb.cli.options import (
    AsJson,
    Force,
    Jobs,
    Out,
    Overrides,
    Owner,
    QueryPool,
    Quiet,
    Resume,
)  # fmt: skip

if TYPE_CHECKING:
    from tinycerb.errors import TinyCerbError
    from tinycerb.matrix.work import Compute, Matrix
    from tinycerb.run.directory import RunDirectory

MatrixPreset = Annotated[
    str | None,
    typer.Argument(
        help="A preset (ci, default, fortress, full, paper) or the path of a .toml file.", show_default=False
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="KEY=PATTERN",
        help="Cells of these victims, attacks, ... alone, e.g. --only victim=cerberos --only attack=knockoff*.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List the cells with estimated seconds; do nothing.")]
Scheduler = Annotated[
    str,
    typer.Option(metavar="tcp://HOST:PORT", help="Compute cells on this Dask cluster.", show_default=False),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print results.md instead of a table.")]
# Each worker takes up to 1.5 GB of memory.
_MOST_JOBS = 8
_WIDE = 150


def matrix(
    preset: MatrixPreset = None,
    only: Only = None,
    dry_run: DryRun = False,
    scheduler: Scheduler = "",
    query_pool: QueryPool = "",
    owner: Owner = "",
    overrides: Overrides = None,
    out: Out = None,
    force: Force = False,
    resume: Resume = None,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    markdown: Markdown = False,
    as_json: AsJson = False,
) -> None:
    """Run every attack against every defence and say what each defence is worth.

    Trains the victims first where they are not trained; --resume takes any run. A matrix that was stopped, by whatever,
    goes on with --resume and ends with the same cells.
    """
    from tinycerb.config.user_sources import Sources
    from tinycerb.matrix.seeds import seed_runs
    from tinycerb.matrix.work import lay_out
    from tinycerb.workflow.new_run import new_or_resumed_run
    from tinycerb.workflow.provenance import prepare

    workers = jobs or min(os.cpu_count() or 1, _MOST_JOBS)
    if dry_run:
        _list_cells(lay_out(_described(preset, overrides, resume, query_pool), only or []), workers, as_json)
        return
    cluster = None
    if scheduler:
        from tinycerb.matrix.cluster import Cluster

        # Before anything is made: an address that does not answer costs nobody an hour.
        cluster = Cluster(scheduler)
    try:
        root = new_or_resumed_run(preset, overrides, out, force, resume, Sources(query_pool=query_pool), owner=owner)
        with root.locked():
            typer.secho(f"run directory: {root.path}", err=True)
            runs = seed_runs(root)
            for run in runs:
                prepare(run)
            _train(runs, lay_out(runs, only or []), workers, quiet)
            _compute(runs, only or [], cluster, workers, quiet, as_json, markdown)
    finally:
        if cluster is not None:
            cluster.close()


def _described(
    preset: str | None, overrides: list[str] | None, resume: Path | None, query_pool: str
) -> list[RunDirectory]:
    """The runs of a matrix without making any."""
    from tinycerb.config import given_keys, load_config
    from tinycerb.config.user_sources import Sources
    from tinycerb.errors import UsageError
    from tinycerb.jobs.check_names import check_names
    from tinycerb.matrix.seeds import seed_runs
    from tinycerb.run.directory import RunDirectory
    from tinycerb.workflow.given_names import check_preset
    from tinycerb.workflow.user_inputs import brings_own, fit_and_say

    if (preset is None) == (resume is None):
        raise UsageError("give either a preset (tinycerb bench matrix ci) or --resume RUN")
    if resume is not None:
        return seed_runs(RunDirectory.open(resume), create=False)
    check_preset(str(preset))
    config = load_config(str(preset), overrides or [], Sources(query_pool=query_pool))
    check_names(config)
    if brings_own(config):
        config, _ = fit_and_say(config, given_keys(str(preset), overrides or []))
    return seed_runs(RunDirectory(Path("not-made-yet"), config), create=False)


def _list_cells(matrix: Matrix, workers: int, as_json: bool) -> None:
    from tinycerb.matrix.display import duration

    total = sum(matrix.seconds[cell.digest] for cell in matrix.chosen)
    if as_json:
        rows = [
            {"cell": cell.key, "digest": cell.digest, "done": _done(cell), "seconds": matrix.seconds[cell.digest]}
            for cell in matrix.chosen
        ]
        typer.echo(json.dumps({"schema_version": 1, "basis": "estimated", "seconds": total, "cells": rows}))
        return
    for cell in matrix.chosen:
        typer.echo(f"{matrix.seconds[cell.digest]:7.0f} s  {'done  ' if _done(cell) else ''}{cell.key}")
    for skipped in matrix.skipped:
        typer.echo(f"left out: {skipped.attack} with budget {skipped.budget}: {skipped.reason}", err=True)
    left = sum(matrix.seconds[cell.digest] for cell in matrix.chosen if not _done(cell))
    typer.echo(
        f"{len(matrix.chosen)} cells, about {duration(total)} of one core; left: {duration(left)}, "
        f"{duration(left / workers)} on {workers} cores; training of victims is not in it"
    )


def _done(cell) -> bool:
    from tinycerb.bench.cell import has_cell

    return has_cell(cell.run, cell.spec)


def _train(runs: list[RunDirectory], matrix: Matrix, workers: int, quiet: bool) -> None:
    from tinycerb.errors import Interrupted
    from tinycerb.jobs.scheduler import run_tasks
    from tinycerb.jobs.steps import is_done, made_by_other_code
    from tinycerb.matrix.work import victim_tasks
    from tinycerb.progress import make_display
    from tinycerb.workflow.work import load_inputs

    # Attacks were checked, budget by budget, when their cells were listed.
    load_inputs(replace(runs[0].config, attacks=()))
    for run in runs:
        tasks = victim_tasks(run.config, {cell.spec.victim for cell in matrix.chosen if cell.run is run})
        if all(is_done(run, task) for task in tasks):
            continue
        if changed := made_by_other_code(run, tasks):
            told = f"code has changed since these were made, so they are made again: {', '.join(changed)}"
            typer.secho(told, err=True)
        try:
            run_tasks(run, tasks, workers, make_display(quiet))
        except KeyboardInterrupt:
            raise Interrupted(_interrupted(runs)) from None


def _interrupted(runs: list[RunDirectory]) -> str:
    return f"interrupted; finished work is kept, go on with: --resume {runs[0].path}"


def _compute(
    runs: list[RunDirectory], only: list[str], cluster, workers: int, quiet: bool, as_json: bool, markdown: bool
) -> None:
    from functools import partial

    from tinycerb.errors import Interrupted, error_from_exit_code
    from tinycerb.matrix.display import make_matrix_display
    from tinycerb.matrix.pool import compute_locally
    from tinycerb.matrix.work import compute_cells, lay_out

    # Anew: victims that were not converted before are now, so that their cells have their right names.
    matrix = lay_out(runs, only)
    compute: Compute = cluster.compute if cluster is not None else partial(_locally, compute_locally, runs[0], workers)
    try:
        failures = compute_cells(matrix, compute, make_matrix_display(cluster.workers if cluster else workers, quiet))
    except KeyboardInterrupt:
        raise Interrupted(_interrupted(runs)) from None
    _print_results(matrix, list(map(str, failures)), as_json, markdown)
    if failures:
        # A fault of ours is told as one, whatever else there is.
        raise error_from_exit_code(
            f"{len(failures)} cells failed; the others are kept, go on with --resume {runs[0].path}\n"
            + "\n".join(map(str, failures)),
            max(failure.exit_code for failure in failures),
        )


def _locally(compute_locally, root: RunDirectory, workers: int, cells, display) -> list[TinyCerbError]:
    return compute_locally(root, cells, workers, display)


def _print_results(matrix: Matrix, failures: list[str], as_json: bool, markdown: bool) -> None:
    from tinycerb.cli.console import plain_console
    from tinycerb.matrix.results import gather_results
    from tinycerb.matrix.work import finished_cells
    from tinycerb.reports.matrix.charts import draw_charts
    from tinycerb.reports.matrix.tables import as_markdown, as_text
    from tinycerb.seal.files import read_text, write_bytes, write_text

    root = matrix.runs[0]
    results = gather_results(matrix.runs, matrix.cells, finished_cells(matrix), matrix.skipped, failures)
    write_text(root.path / file_names.RESULTS_PAGE, as_markdown(results))
    for name, content in draw_charts(results).items():
        write_bytes(root.path / "plots" / name, content)
    if as_json:
        typer.echo(read_text(root.path / file_names.RESULTS), nl=False)
    elif markdown:
        typer.echo(as_markdown(results), nl=False)
    else:
        console = plain_console()
        for part in as_text(results):
            # In a file or a pipe nothing limits the width.
            console.print(part, width=None if console.is_terminal else _WIDE)
    typer.secho(f"results: {root.path}/results.json, results.md, plots/", err=True)
