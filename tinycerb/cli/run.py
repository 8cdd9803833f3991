"""`tinycerb run`: all steps, from data to PDF."""

import typer

from tinycerb.cli.options import (
    AllowCode,
    AsJson,
    Data,
    DefenseName,
    Flash,
    Force,
    Jobs,
    Model,
    Out,
    Overrides,
    Owner,
    Preset,
    QueryPool,
    Quiet,
    Ram,
    Resume,
)
from tinycerb.config.user_sources import Sources


def run(
    preset: Preset = None,
    model: Model = "",
    data: Data = "",
    query_pool: QueryPool = "",
    flash: Flash = "",
    ram: Ram = "",
    defense: DefenseName = "",
    owner: Owner = "",
    overrides: Overrides = None,
    out: Out = None,
    force: Force = False,
    resume: Resume = None,
    allow_code: AllowCode = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train, convert, bench and report in one go.

    A run that was stopped, by whatever, goes on with --resume and ends with the same results.
    """
    from tinycerb.bench.metrics import gather_metrics
    from tinycerb.cli.closing import print_closing
    from tinycerb.cli.console import plain_console
    from tinycerb.cli.table import print_results
    from tinycerb.workflow.new_run import new_or_resumed_run
    from tinycerb.workflow.report import write_report
    from tinycerb.workflow.work import ALL_KINDS, check_gates, work

    sources = Sources(model, data, query_pool)
    directory = new_or_resumed_run(
        preset, overrides, out, force, resume, sources, flash, ram, defense, allow_code, owner
    )
    with directory.locked():
        typer.secho(f"run directory: {directory.path}", err=True)
        work(directory, ALL_KINDS, jobs, quiet)
        metrics = gather_metrics(directory)
        # Before anything is printed: whoever reads no further has it all the same.
        report = write_report(directory)
        print_results(directory, metrics, as_json)
        print_closing(directory, metrics, report, plain_console(stderr=as_json))
        check_gates(metrics)
