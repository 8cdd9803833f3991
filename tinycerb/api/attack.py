"""`tinycerb.attack`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from os import fspath
from pathlib import Path

import numpy as np

from tinycerb import file_names
from tinycerb.api.calls import Source, working
from tinycerb.api.inputs import FOLDER, Pool, pool_source
from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks.victim_x2 import architecture_for
from tinycerb.bench.asked_heads import asked_heads
from tinycerb.bench.cell import CellContent, load_in_distribution, load_pool, specs_of_attack, threat_class
from tinycerb.bounded.typed_json import to_json
from tinycerb.config import AttackConfig, Config, ModelConfig
from tinycerb.config.typed_tables import build
from tinycerb.config.user_sources import absolute, is_source
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.query_pools import require_labels
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import Interrupted, TinyCerbError, UsageError, suggest
from tinycerb.matrix.cells import MatrixCell, take_stock
from tinycerb.matrix.display import MatrixDisplay, make_matrix_display
from tinycerb.matrix.estimate import estimate_seconds
from tinycerb.matrix.pool import compute_locally
from tinycerb.matrix.work import Matrix, compute_cells
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.work import work


@dataclass(frozen=True)
class Clone:
    """A network that an attack has trained on a victim's answers.

    Attributes:
        student: the network.
        selection: how the victim's heads were drawn; `mean` for their exact mean, which no device answers.
        attacker_seed: the attacker's seed.
        accuracy: on the victim's test images after the last epoch, 0 to 1: what was stolen.
        agreement: share of the test images to which it gives the victim's label.
        questions: images that were asked, repeats included.
    """

    student: str
    selection: str
    attacker_seed: int
    accuracy: float
    agreement: float
    questions: int


@dataclass(frozen=True)
class Theft:
    """What an attack on one victim has come to.

    Attributes:
        path: the run directory, whose `cells/` hold all of it.
        victim: whose answers were asked for.
        attack: as a configuration describes it.
        threat_class: `T2` if the attacker had images of the victim's own kind, else `T1`.
        clones: one for each student, learning rate, seed and way to draw heads.
    """

    path: Path
    victim: str
    attack: AttackConfig
    threat_class: str
    clones: tuple[Clone, ...]

    @property
    def best(self) -> Clone:
        """The clone that counts: the attacker's maximum."""
        return max(self.clones, key=lambda clone: clone.accuracy)

    @property
    def clone_accuracy(self) -> float:
        """Of the best clone, 0 to 1."""
        return self.best.accuracy

    def __fspath__(self) -> str:
        return fspath(self.path)

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {**to_json(self), "path": fspath(self.path), "clone_accuracy": self.clone_accuracy}


def attack(
    source: Source,
    attack: str = "knockoff",
    *,
    victim: str = "",
    pool: Pool | None = None,
    questions: int | None = None,
    students: Sequence[str] = (),
    settings: Mapping[str, object] | None = None,
    jobs: int = 0,
    progress: bool = True,
) -> Theft:
    """Steals a victim of a run through the sealed oracle, as `tinycerb bench` does.

    Every clone is a cell of the run, named by all that determines it: what was computed before is not computed again.

    Args:
        source: a run, `RUN/victims/NAME`, or a model that `open` or `convert` has found in a run.
        attack: an attack of the run's configuration, with its settings; else a registered one.
        victim: which of the run's models, where `source` does not say it; by default the recommended one.
        pool: the attacker's images: an array uint8 [N, height, width, channels], a pool's name, a path, or
            `package.module:load`; by default what the run's attacks ask.
        questions: images that may be asked, repeats counted; 0 for the whole pool once.
        students: the clone networks.
        settings: further keys of `[[attacks]]`, for example `{"epochs": 20, "in_distribution_images": 500}`.
        jobs: clones side by side, 0 for one per core.
        progress: whether progress goes to standard error.

    Returns:
        What was stolen. One attack on one victim proves no protection; `evaluate` compares with the baseline.

    Raises:
        UsageError: no such run, victim, attack, pool or setting, or a budget that the pool does not hold.
        EnvironmentProblem: a package or data are missing, or an artefact is damaged.
        TinyCerbError: a clone failed.
    """
    with working(progress):
        run, named = _run_and_victim(Path(source))
        name = victim or named or recommended_victim(run.config)
        if name not in run.victims:
            raise UsageError(
                f"{run.path} has no victim {name!r}{suggest(name, run.victims)}; it has: {', '.join(run.victims)}"
            )
        asked = pool_source(pool, run.path.parent / FOLDER)
        described = _describe(run.config, attack, asked, questions, students, settings or {})
        dataset = load_dataset(run.config.data)
        images = _check(described, run.config.model, dataset, run.config.seed)
        with run.locked():
            work(run, ("convert", "measure"), jobs, not progress)
            cells = [
                MatrixCell(run, spec, threat_class(described), images)
                for selection in asked_heads(run.victims[name])
                for spec in specs_of_attack(run, dataset, name, described, selection)
            ]
            _compute(run, cells, dataset, jobs or os.cpu_count() or 1, not progress)
        found, _ = take_stock(cells)
    clones = tuple(_clone(cell, found[cell.digest]) for cell in cells)
    return Theft(run.path, name, described, threat_class(described), clones)


def _run_and_victim(source: Path) -> tuple[RunDirectory, str]:
    """`RUN/victims/NAME` and `RUN/victims/NAME/model.tflite` name a victim, too."""
    folder = source.parent if source.name == file_names.MODEL else source
    if folder.parent.name == "victims" and (folder.parent.parent / file_names.CONFIG).is_file():
        return RunDirectory.open(folder.parent.parent), folder.name
    if source.suffix == ".tflite":
        raise UsageError(
            f"{source} is of no run: nothing says what to measure a clone on; train one with tinycerb.train, or give "
            "a run"
        )
    return RunDirectory.open(source), ""


def _describe(
    config: Config,
    name: str,
    pool: str,
    questions: int | None,
    students: Sequence[str],
    settings: Mapping[str, object],
) -> AttackConfig:
    of_the_run = {each.name: each for each in config.attacks}
    if name in of_the_run:
        table: dict[str, object] = asdict(of_the_run[name])
    else:
        table = {"name": name, "attack": name}
        pools = [each.query_pool for each in config.attacks]
        if not pools and not pool and "query_pool" not in settings:
            raise UsageError(f"{name} has nothing to ask: the run has no attacks; give the attacker's images by pool")
        if pools:
            table["query_pool"] = pools[0]
    table.update(settings)
    if pool:
        table["query_pool"] = absolute(pool) if is_source(pool) else pool
    if questions is not None:
        table["budget"] = questions
    if students:
        table["students"] = tuple(students)
    return build(AttackConfig, table, f"attack {name}")


def _check(described: AttackConfig, model: ModelConfig, dataset: Dataset, seed: int) -> int:
    """Refuses what cannot run before anything is computed; returns how many images the attacker has."""
    kind = attack_of(described)
    if described.pretraining:
        require_labels(described.pretraining)
    for student in described.students:
        architecture_for(student, model.backbone, model.width)
    pool, inside = load_pool(described, dataset), load_in_distribution(described, dataset, seed)
    kind.check(described, len(pool), len(inside))
    return len(pool) + len(inside)


def _compute(run: RunDirectory, cells: Sequence[MatrixCell], dataset: Dataset, jobs: int, quiet: bool) -> None:
    seconds = estimate_seconds(cells, int(np.prod(dataset.image_shape)))
    matrix = Matrix([run], cells, cells, [], seconds)
    display: MatrixDisplay = make_matrix_display(jobs, quiet)
    try:
        failures = compute_cells(matrix, partial(_locally, run, jobs), display)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; finished clones are kept, and the same call goes on") from None
    if failures:
        raise max(failures, key=lambda failure: failure.exit_code)


def _locally(run: RunDirectory, jobs: int, cells: Sequence[MatrixCell], display: MatrixDisplay) -> list[TinyCerbError]:
    return compute_locally(run, cells, jobs, display)


def _clone(cell: MatrixCell, content: CellContent) -> Clone:
    spec, result = cell.spec, content["result"]
    return Clone(
        spec.student,
        spec.selection,
        spec.attacker_seed,
        result["clone_accuracy"],
        float(result.get("agreement_with_victim", 0.0)),
        result["queries_charged"],
    )
