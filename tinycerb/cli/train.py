"""`tinycerb train`: the victims of a run."""

import typer

from tinycerb.cli.options import (
    AllowCode,
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


def train(
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
) -> None:
    """Train the victims: joint heads, pruning inside training, quantization-aware training."""
    from tinycerb.workflow.new_run import new_or_resumed_run
    from tinycerb.workflow.work import TRAIN_KINDS, work

    sources = Sources(model, data, query_pool)
    directory = new_or_resumed_run(
        preset, overrides, out, force, resume, sources, flash, ram, defense, allow_code, owner
    )
    with directory.locked():
        typer.secho(f"run directory: {directory.path}", err=True)
        work(directory, TRAIN_KINDS, jobs, quiet)
    typer.echo(f"trained; next: tinycerb convert {directory.path}")
