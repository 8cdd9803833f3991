"""The pages of a run, from `metrics.json` alone."""

from pathlib import Path
from typing import cast

from tinycerb import file_names
from tinycerb.bench.metrics import SCHEMA_VERSION
from tinycerb.errors import UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json, write_bytes, write_text


def write_report(directory: RunDirectory) -> Path:
    """Renders the PDF and the model card; returns the PDF's path.

    Raises:
        UsageError: the run has no figures yet, or those of another version.
    """
    # They load matplotlib, which whoever renders nothing need not wait for.
    from tinycerb.bench.report_pages import render_report
    from tinycerb.reports.metrics import Metrics
    from tinycerb.reports.model_card import render_model_card

    if not directory.metrics.exists():
        raise UsageError(f"{directory.path} has no metrics.json yet; make it with: tinycerb bench {directory.path}")
    content = read_json(directory.metrics)
    if content.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(
            f"{directory.metrics} has schema_version {content.get('schema_version')!r}; expected {SCHEMA_VERSION}; "
            f"make it again with: tinycerb bench {directory.path}"
        )
    # Its version says that it is of this shape.
    metrics = cast(Metrics, content)
    write_bytes(directory.report, render_report(metrics))
    write_text(directory.path / file_names.MODEL_CARD, render_model_card(metrics))
    return directory.report
