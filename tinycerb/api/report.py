"""`tinycerb.report`."""

from dataclasses import dataclass
from os import fspath
from pathlib import Path

from tinycerb import file_names
from tinycerb.api.calls import Source, working
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.provenance import say_if_unsealed
from tinycerb.workflow.report import write_report


@dataclass(frozen=True)
class Pages:
    """The pages of a run; it stands for the PDF wherever a path is taken.

    Attributes:
        pdf: all of it.
        model_card: the card, in Markdown.
    """

    pdf: Path
    model_card: Path

    def __fspath__(self) -> str:
        return fspath(self.pdf)

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {"pdf": fspath(self.pdf), "model_card": fspath(self.model_card)}


def report(run: Source, *, progress: bool = True) -> Pages:
    """Renders the pages of a run, as `tinycerb report` does.

    Args:
        run: a run directory, or what `evaluate` has returned.
        progress: whether notes go to standard error.

    Returns:
        Where the pages are.

    Raises:
        UsageError: no run, or one without figures yet.
        EnvironmentProblem: `metrics.json` is damaged, or a page cannot be written.
    """
    with working(progress):
        directory = RunDirectory.open(Path(run))
        say_if_unsealed(directory)
        return Pages(write_report(directory), directory.path / file_names.MODEL_CARD)
