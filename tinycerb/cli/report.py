"""`tinycerb report`: the PDF of a run, from `metrics.json` alone."""

import typer

from tinycerb.cli.options import ExistingRun


def report(path: ExistingRun) -> None:
    """Render report.pdf and model_card.md of a benchmarked run."""
    from tinycerb.run.directory import RunDirectory
    from tinycerb.workflow.provenance import say_if_unsealed
    from tinycerb.workflow.report import write_report

    directory = RunDirectory.open(path)
    say_if_unsealed(directory)
    typer.echo(f"report: {write_report(directory)}")
