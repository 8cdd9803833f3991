"""`tinycerb.evaluate`."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import fspath
from pathlib import Path

from tinycerb.api.calls import Source, working
from tinycerb.bench.metrics import gather_metrics
from tinycerb.bounded.typed_json import to_json
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import GateError
from tinycerb.reports.facts import Metrics
from tinycerb.reports.plain_words import plain_verdict
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.work import BENCH_KINDS, work


@dataclass(frozen=True)
class VictimFigures:
    """What was measured of a victim.

    Attributes:
        name: the victim.
        defense: its training part.
        response: what is done to its posteriors before they are answers.
        accuracy: of the int8 file on the test images, expected over its heads, 0 to 1.
        accuracy_worst_head: of its worst head.
        flash_bytes: of the .tflite file.
        arena_bytes: of TFLite Micro's arena; None where tflite-micro is not installed.
        latency_us: median of one inference on this machine, optimised kernels; it ranks nothing on a board.
        stolen: per threat class the accuracy of the best clone, 0 to 1.
    """

    name: str
    defense: str
    response: str
    accuracy: float
    accuracy_worst_head: float
    flash_bytes: int
    arena_bytes: int | None
    latency_us: float
    stolen: Mapping[str, float]


@dataclass(frozen=True)
class Evaluation:
    """What a run has shown; it stands for the run directory wherever a path is taken.

    Attributes:
        path: the run directory; its `metrics.json` holds all figures.
        baseline: the victim that others are compared with.
        recommended: the one to deploy.
        victims: figures of each.
        conclusive: per threat class, whether an attack was strong enough to judge a defence by.
        verdict: what may be said of the recommended victim, in sentences.
        gates_missed: one sentence for each bar of the configuration that is not met.
    """

    path: Path
    baseline: str
    recommended: str
    victims: tuple[VictimFigures, ...]
    conclusive: Mapping[str, bool]
    verdict: tuple[str, ...]
    gates_missed: tuple[str, ...]

    def __getitem__(self, name: str) -> VictimFigures:
        """Returns the figures of a victim."""
        found = {victim.name: victim for victim in self.victims}
        return found[name]

    def check(self) -> None:
        """Compares with the bars of the configuration, as the command does at its end.

        Raises:
            GateError: one is not met.
        """
        if self.gates_missed:
            raise GateError("; ".join(self.gates_missed))

    def __fspath__(self) -> str:
        return fspath(self.path)

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {**to_json(self), "path": fspath(self.path)}


def evaluate(run: Source, *, jobs: int = 0, progress: bool = True) -> Evaluation:
    """Measures the victims of a run and attacks them through the sealed oracle, as `tinycerb bench` does.

    Victims that are not converted yet are converted; what is measured already is not measured again.

    Args:
        run: a run directory, or what `train` or `convert` has returned for one.
        jobs: tasks side by side, 0 for one per core.
        progress: whether progress goes to standard error.

    Returns:
        The figures. A bar that is not met is one of them; `check` raises it.

    Raises:
        UsageError: no run, or one that is not trained.
        EnvironmentProblem: an artefact is damaged, or another process works on the run.
        TinyCerbError: a task failed; finished work is kept.
    """
    with working(progress):
        directory = RunDirectory.open(Path(run))
        with directory.locked():
            work(directory, ("convert", *BENCH_KINDS), jobs, not progress)
            return _evaluation(directory, gather_metrics(directory))


def _evaluation(run: RunDirectory, metrics: Metrics) -> Evaluation:
    recommended = recommended_victim(run.config)
    return Evaluation(
        run.path,
        metrics["baseline"],
        recommended,
        tuple(_figures(metrics, name) for name in metrics["victims"]),
        {threat: verdict["conclusive"] for threat, verdict in metrics["threats"].items()},
        tuple(sentence for _, sentence in plain_verdict(metrics, recommended)),
        tuple(metrics["gates_missed"]),
    )


def _figures(metrics: Metrics, name: str) -> VictimFigures:
    victim = metrics["victims"][name]
    return VictimFigures(
        name,
        victim["defense"],
        victim.get("response", "none"),
        victim["accuracy"]["accuracy_expected"],
        victim["accuracy"]["accuracy_worst_head"],
        victim["file"]["flash_bytes"],
        victim["memory"]["arena_bytes"] if victim["memory"] else None,
        victim["latency"]["optimised"]["latency_us_p50"],
        {threat: verdict["victims"][name]["clone_accuracy"] for threat, verdict in metrics["threats"].items()},
    )
