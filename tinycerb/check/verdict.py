"""Checks a whole run, for whoever was not there when it was made."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinycerb.bench.cell import of_any_code
from tinycerb.check.figures import check_metrics, check_results
from tinycerb.check.files import Finding, check_cells, check_manifest, check_origins
from tinycerb.datasets import load_dataset
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import only_looking


@dataclass(frozen=True)
class Verdict:
    """What a check has found.

    Attributes:
        differences: what is not as it was made or does not follow from what is there.
        notes: what was compared and found right, and what a reader should know.
        versions: the sets of versions that have made the run.
    """

    differences: Sequence[Finding]
    notes: Sequence[str]
    versions: Sequence[dict[str, str]]


def check_runs(runs: Sequence[RunDirectory]) -> Verdict:
    """Checks a run, or a matrix with the runs of its other victim seeds. Nothing is changed.

    Raises:
        UsageError: the configuration names something that does not exist here.
        EnvironmentProblem: the data that figures are recomputed from are missing.
    """
    load_dataset(runs[0].config.data)
    differences: list[Finding] = []
    notes: list[str] = []
    with only_looking(), of_any_code():
        for run in runs:
            for check in (check_manifest, check_origins, check_cells, check_metrics):
                found, said = check(run)
                differences += found
                notes += said
        found, said = check_results(runs)
    versions = [each for run in runs for each in run.versions()]
    return Verdict(
        differences=[*differences, *found],
        notes=[*notes, *said],
        versions=[each for index, each in enumerate(versions) if each not in versions[:index]],
    )
