"""`tinycerb report`: the PDF of a run, from `metrics.json` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinycerb import file_names
from tinycerb.cli.options import ExistingRun
from tinycerb.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tinycerb.run.directory import RunDirectory


def report(path: ExistingRun) -> None:
    """Render report.pdf and model_card.md of a benchmarked run."""
    from tinycerb.cli.provenance import say_if_unsealed
    from tinycerb.run.directory import RunDirectory

    directory = RunDirectory.open(path)
    say_if_unsealed(directory)
    if not directory.metrics.exists():
        raise UsageError(f"{path} has no metrics.json yet; make it with: tinycerb bench {path}")
    typer.echo(f"report: {write_report(directory)}")


def write_report(directory: RunDirectory) -> Path:
    """Renders the PDF and the model card; returns the PDF's path."""
    from tinycerb.bench.metrics import SCHEMA_VERSION
    from tinycerb.reports.model_card import render_model_card
    from tinycerb.reports.pdf import render_pdf
    from tinycerb.seal.files import read_json, write_bytes, write_text

    metrics = read_json(directory.metrics)
    if metrics.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(
            f"{directory.metrics} has schema_version {metrics.get('schema_version')!r}; expected {SCHEMA_VERSION}; "
            f"make it again with: tinycerb bench {directory.path}"
        )
    write_bytes(directory.report, render_pdf(metrics))
    write_text(directory.path / file_names.MODEL_CARD, render_model_card(metrics))
    return directory.report
