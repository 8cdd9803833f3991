"""`tinycerb train`: the victims of a run."""

import typer

from tinycerb.cli.options import Force, Jobs, Out, Overrides, Preset, Quiet, Resume, new_or_resumed_run


def train(
    preset: Preset = None,
    overrides: Overrides = None,
    out: Out = None,
    force: Force = False,
    resume: Resume = None,
    jobs: Jobs = 0,
    quiet: Quiet = False,
) -> None:
    """Train the victims: joint heads, pruning inside training, quantization-aware training."""
    from tinycerb.cli.workflow import TRAIN_KINDS, work

    directory = new_or_resumed_run(preset, overrides, out, force, resume)
    with directory.locked():
        typer.secho(f"run directory: {directory.path}", err=True)
        work(directory, TRAIN_KINDS, jobs, quiet)
    typer.echo(f"trained; next: tinycerb convert {directory.path}")
