"""Several trainings of one victim, of which the one that a development attacker copies worst for the thief is kept.

A candidate is a run of its own inside the run: one victim, whose first weights and order of images have another seed.
Test data and the attackers of the run, which judge what is kept, have no part in the choice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from tinycerb import file_names as names
from tinycerb.bench.cell import load_in_distribution, load_pool, specs_of_attack
from tinycerb.bench.cell_inputs import CellInputs
from tinycerb.config import AttackConfig, Config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.procedural import FAMILIES, NEEDS_IMAGES
from tinycerb.datasets.query_pools import DRAWN
from tinycerb.errors import UsageError
from tinycerb.events import OnProgress, Progress
from tinycerb.file_names import OUT_OF_DISTRIBUTION, TRAINING
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import is_made, read_arrays, read_bytes, read_json, write_bytes, write_json

_SEEDS_APART, _ALL_SEEDS = 100_000, 2**31 - 1
# Far from the seed of the run's attackers, which is 1,000 above the run's.
_ATTACKER_SEED = 3000
_QUESTIONS, _EPOCHS, _STUDENT = 4000, 8, "lenet"
_KINDS = ("teacher", "pretrain", "search_ratio", "train", "convert")


@dataclass(frozen=True)
class Candidate:
    """One training.

    Attributes:
        training_seed: of its first weights and order of images.
        validation_accuracy: of the trained network, on validation images, mean of heads.
        development_clone_accuracy: of the development attacker's clone, on validation images.
    """

    training_seed: int
    validation_accuracy: float
    development_clone_accuracy: float


def chosen(candidates: Sequence[Candidate], points: float) -> Candidate:
    """Returns the candidate that is copied worst, of those at most `points` less accurate than the most accurate."""
    bar = max(each.validation_accuracy for each in candidates) - points / 100
    # As much as a sum of shares may be off.
    fitting = [each for each in candidates if each.validation_accuracy >= bar - 1e-9]
    return min(fitting, key=lambda each: (each.development_clone_accuracy, -each.validation_accuracy))


def development_attack(config: Config) -> AttackConfig:
    """Returns the attack that candidates are chosen by.

    Its images are drawn by procedural families that no victim trains with and no attack of the run asks about, and that
    show nothing of the images of the task.

    Raises:
        UsageError: there is no such family.
    """
    pools = [attack.query_pool for attack in config.attacks] + list(config.out_of_distribution.sources)
    asked = {name for pool in pools if pool.startswith(DRAWN) for name in pool.removeprefix(DRAWN).split("+")}
    taken = asked | set(config.out_of_distribution.families)
    held_out = [family for family in FAMILIES if family not in taken | NEEDS_IMAGES]
    if not held_out:
        raise UsageError(
            "a victim with several seeds is chosen by an attacker with images of held-out families, and "
            "out_of_distribution.families and the attacks' pools hold all of them; leave one out, or set seeds = 1"
        )
    return AttackConfig(
        "development", query_pool=DRAWN + "+".join(held_out), budget=_QUESTIONS, students=(_STUDENT,), epochs=_EPOCHS
    )


def candidate_config(config: Config, victim: str, index: int) -> Config:
    """Returns the run of a candidate: 0 is trained as the victim would be alone.

    The attacks stay, as their images must not be trained with; none of them is run.
    """
    seed = 1 + (config.training_seed + index * _SEEDS_APART - 1) % _ALL_SEEDS if index else config.training.seed
    return replace(
        config,
        victims=(replace(config.victim(victim), seeds=1),),
        recommended="",
        training=replace(config.training, seed=seed),
        bench=replace(config.bench, baseline=victim, doses=(), victim_seeds=(), attacker_seeds=()),
    )


def do_candidate(run: RunDirectory, victim: str, index: int, on_progress: OnProgress) -> None:
    """Trains and converts a candidate, lets the development attacker copy it, and notes both figures; resumes."""
    from tinycerb.jobs.plan import plan
    from tinycerb.jobs.scheduler import run_tasks

    candidate = _open(run, victim, index)
    with candidate.locked():
        tasks = [task for task in plan(candidate.config) if task.kind in _KINDS]
        run_tasks(candidate, tasks, 1, _PassedOn(on_progress))
        clone = _copy(candidate, victim, on_progress)
    history = read_json(candidate.victim(victim) / TRAINING)["history"]
    last = [row for row in history if row["stage"] == history[-1]["stage"]]
    rows = last if run.config.training.best_epoch else last[-1:]
    figures = Candidate(candidate.config.training_seed, max(float(row["validation_accuracy"]) for row in rows), clone)
    write_json(run.victims[victim].files.candidate(index), asdict(figures))


def keep_best(run: RunDirectory, victim: str) -> None:
    """Takes over the training of the chosen candidate; the choice and what it was made from are written first."""
    from tinycerb.training.twins import adopt_training

    config, files = run.config.victim(victim), run.victims[victim].files
    found = [Candidate(**read_json(files.candidate(index))) for index in range(config.seeds)]
    best = chosen(found, config.keep_within)
    write_json(
        files.choice,
        {
            "keep": config.keep,
            "keep_within": config.keep_within,
            "query_pool": development_attack(run.config).query_pool,
            "training_seed": best.training_seed,
            "candidates": [asdict(each) for each in found],
        },
    )
    candidate = _open(run, victim, found.index(best))
    for folder, own, file in (
        (candidate.dense(victim), run.dense(victim), names.REFERENCE_POSTERIORS),
        (candidate.dense(victim), run.dense(victim), names.EPOCH_TIMES),
        (candidate.victim(victim), run.victim(victim), names.EPOCH_TIMES),
    ):
        if is_made(folder / file):
            write_bytes(own / file, read_bytes(folder / file))
    adopt_training(run.victims[victim], candidate.victim(victim), run.victim(victim))


def _open(run: RunDirectory, victim: str, index: int) -> RunDirectory:
    path = run.path / names.CANDIDATES / f"{victim}-{index + 1}"
    if (path / names.CONFIG).is_file():
        return RunDirectory.open(path)
    return RunDirectory.create(candidate_config(run.config, victim, index), path, False)


def _copy(candidate: RunDirectory, victim: str, on_progress: OnProgress) -> float:
    """Returns how often the development attacker's clone is right on validation images."""
    from tinycerb.bench.stealing import compute_cell

    dataset, attack, found = (
        load_dataset(candidate.config.data),
        development_attack(candidate.config),
        candidate.victims,
    )
    (spec,) = specs_of_attack(candidate, dataset, victim, attack, found[victim].defense.selection)
    spec = replace(spec, attacker_seed=candidate.config.seed + _ATTACKER_SEED)
    inputs = _inputs(candidate, dataset, victim, attack)
    content = compute_cell(spec, inputs, candidate.path / "answers", on_progress)
    return float(content["result"]["clone_accuracy"])


def _inputs(candidate: RunDirectory, dataset: Dataset, victim: str, attack: AttackConfig) -> CellInputs:
    found = candidate.victims[victim]
    return CellInputs(
        model=candidate.model(victim),
        response=found.config.response,
        classes=dataset.classes,
        pool=load_pool(attack, dataset),
        in_distribution=load_in_distribution(attack, dataset, candidate.config.seed),
        # Nothing is chosen by test images.
        test=dataset.validation,
        victim_labels=dataset.validation.labels,
        victim_answers=None,
        fingerprints=read_arrays(candidate.victim(victim) / OUT_OF_DISTRIBUTION)["fingerprints"],
        side_files=found.response.files,
    )


class _PassedOn:
    """A display that tells the progress of a candidate's tasks as that of one."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._costs: dict[str, float] = {}
        self._done: dict[str, float] = {}

    def begin(self, costs: Mapping[str, float], finished: Collection[str]) -> None:
        self._costs, self._done = dict(costs), dict.fromkeys(finished, 1.0)

    def start(self, key: str) -> None:
        self.advance(key, Progress(0, 1, "starting"))

    def advance(self, key: str, progress: Progress) -> None:
        self._done[key] = progress.done / max(progress.total, 1)
        done = sum(self._costs[each] * share for each, share in self._done.items())
        self._on_progress(Progress(round(done), round(sum(self._costs.values())) or 1, f"{key}: {progress.note}"))

    def finish(self, key: str, seconds: float) -> None:
        self.advance(key, Progress(1, 1, f"done in {seconds:.0f} s"))

    def end(self) -> None: ...
