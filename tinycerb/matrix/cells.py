"""Which cells a matrix has: every victim, attack, head selection, budget, student, learning rate and seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tinycerb import file_names
from tinycerb.attacks import attack_of
from tinycerb.bench.asked_heads import MEAN_HEAD
from tinycerb.bench.cell import (
    CellContent,
    CellSpec,
    digest_questions,
    load_pool,
    look_for_cell,
    of_any_code,
    specs_of_attack,
    threat_class,
)
from tinycerb.config import AttackConfig, Config
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import is_made, only_looking


@dataclass(frozen=True)
class MatrixCell:
    """One unit of work, and where it belongs.

    Attributes:
        run: the run of its victim.
        spec: what determines its result.
        threat: `T1` or `T2`.
        images: how many images the attacker has.
    """

    run: RunDirectory
    spec: CellSpec
    threat: str
    images: int

    @cached_property
    def digest(self) -> str:
        """The sixteen digits that name it."""
        return self.spec.digest()

    @property
    def key(self) -> str:
        """A name for people."""
        spec = self.spec
        parts = (spec.victim, spec.attack.name, spec.selection, spec.student, f"{spec.learning_rate:g}")
        budget = f"/{spec.attack.budget or 'all'}"
        return f"{'/'.join(parts)}{budget}/{spec.victim_seed}x{spec.attacker_seed}"


@dataclass(frozen=True)
class Skipped:
    """What a matrix leaves out, and why."""

    attack: str
    budget: int
    reason: str


def list_cells(runs: Sequence[RunDirectory]) -> tuple[list[MatrixCell], list[Skipped]]:
    """Lists the cells of a matrix.

    A budget of `bench.budgets` that an attack cannot use is left out. The exact mean of all heads is a row of its own
    for victims with several heads, and none for others. Cells of victims that are not converted yet are listed, but
    their digests will be others.

    Raises:
        UsageError: an attack cannot run as it is configured.
        EnvironmentProblem: data are missing.
    """
    config = runs[0].config
    dataset = load_dataset(config.data)
    cells: list[MatrixCell] = []
    skipped: list[Skipped] = []
    models = {(id(run), victim.name): _model_sha256(run, victim.name) for run in runs for victim in config.victims}
    for attack in config.attacks:
        pool = len(load_pool(attack, dataset))
        usable, left_out = _with_budgets(config, attack, pool)
        skipped += left_out
        questions = ""
        for run in runs:
            # The pool is the same for all seeds, the choice of own images is not.
            if not questions or attack.in_distribution_images:
                questions = digest_questions(attack, dataset, run.config.seed)
            for each in usable:
                for victim in config.victims:
                    for selection in selections_of(run, victim.name):
                        specs = specs_of_attack(
                            run, dataset, victim.name, each, selection, models[id(run), victim.name], questions
                        )
                        images = pool + each.in_distribution_images
                        cells += [MatrixCell(run, spec, threat_class(each), images) for spec in specs]
    return cells, skipped


def _model_sha256(run: RunDirectory, victim: str) -> str:
    files = (run.model(victim), run.victim(victim) / file_names.MODEL_JSON)
    return run.model_sha256(victim) if all(map(is_made, files)) else ""


def selections_of(run: RunDirectory, victim: str) -> list[str]:
    """Returns how heads are chosen: as the device does, and by the exact mean where there are several."""
    found = run.victims[victim]
    return [found.defense.selection] + ([MEAN_HEAD] if found.heads.learned > 1 else [])


def _with_budgets(config: Config, attack: AttackConfig, pool: int) -> tuple[list[AttackConfig], list[Skipped]]:
    if not config.bench.budgets:
        attack_of(attack).check(attack, pool, attack.in_distribution_images)
        return [attack], []
    usable, skipped = [], []
    for budget in config.bench.budgets:
        each = replace(attack, budget=budget)
        try:
            attack_of(each).check(each, pool, each.in_distribution_images)
        except UsageError as error:
            skipped.append(Skipped(attack.name, budget, str(error)))
        else:
            usable.append(each)
    return usable, skipped


def take_stock(cells: Sequence[MatrixCell]) -> tuple[dict[str, CellContent], list[str]]:
    """Reads all finished cells; see `look_for_cell`.

    Returns:
        Contents by digest, and one sentence for each whose file does not count.
    """
    finished: dict[str, CellContent] = {}
    said: list[str] = []
    for cell in cells:
        content, sentence = look_for_cell(cell.run, cell.spec)
        if content is not None:
            finished[cell.digest] = content
        elif sentence:
            said.append(f"{cell.key}: {sentence}")
    with of_any_code(), only_looking():
        missing = [cell for cell in cells if cell.digest not in finished]
        others = sum(look_for_cell(cell.run, cell.spec)[0] is not None for cell in missing)
    if others:
        said.append(f"cells that other code of their parts has made, which are computed again: {others}")
    return finished, said
