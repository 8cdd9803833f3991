"""The pages of a run, from `metrics.json` alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from tinycerb import file_names
from tinycerb.atomic import make_directory
from tinycerb.bench.metrics import SCHEMA_VERSION
from tinycerb.errors import UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json, write_bytes, write_json, write_text

if TYPE_CHECKING:
    from tinycerb.reports.metrics import VerificationFacts


def keep_verification(directory: RunDirectory, facts: VerificationFacts) -> None:
    """Notes in a run what a suspect of one of its models was found to be, for its report.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    folder = directory.path / file_names.VERIFICATIONS
    make_directory(folder)
    write_json(folder / f"{1 + len(list(folder.glob('*.json'))):04}.json", dict(facts))


def verifications(directory: RunDirectory) -> list[VerificationFacts]:
    """Returns what is noted of suspects, in the order in which they were asked.

    Raises:
        EnvironmentProblem: a file is damaged.
    """
    files = sorted((directory.path / file_names.VERIFICATIONS).glob("*.json"))
    return [cast("VerificationFacts", read_json(file)) for file in files]


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
    if found := verifications(directory):
        metrics["verifications"] = found
    write_bytes(directory.report, render_report(metrics))
    write_text(directory.path / file_names.MODEL_CARD, render_model_card(metrics))
    return directory.report
