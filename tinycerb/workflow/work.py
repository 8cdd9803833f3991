"""The stretches of a run's work, and what must hold before and after them."""

import os
from collections.abc import Collection

from tinycerb.attacks import attack_of
from tinycerb.bench.cell import load_in_distribution, load_pool
from tinycerb.bench.doses import left_out_doses
from tinycerb.config import Config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.out_of_distribution import choose_pictures
from tinycerb.datasets.query_pools import digest_labelled
from tinycerb.errors import EnvironmentProblem, GateError, Interrupted, UsageError
from tinycerb.events import say
from tinycerb.jobs.plan import plan
from tinycerb.jobs.scheduler import run_tasks
from tinycerb.jobs.steps import is_done, made_by_other_code
from tinycerb.progress import make_display
from tinycerb.reports.metrics import Metrics
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import victims_of
from tinycerb.training.augmentation import check_reach, parse_augmentation
from tinycerb.workflow.provenance import prepare

TRAIN_KINDS = ("teacher", "pretrain", "search_ratio", "train", "candidate", "choose")
BENCH_KINDS = ("measure", "latency", "steal", "dose")
ALL_KINDS = (*TRAIN_KINDS, "convert", *BENCH_KINDS)
# Each task takes up to 1.5 GB of memory.
_MOST_JOBS = 8


def work(run: RunDirectory, kinds: Collection[str], jobs: int, quiet: bool) -> None:
    """Runs all tasks of these kinds that are not done yet.

    Raises:
        UsageError: an earlier kind is not done.
        EnvironmentProblem: an artefact is damaged that this work does not make again.
        TinyCerbError: a task failed.
    """
    damaged = prepare(run)
    tasks = plan(run.config)
    chosen = [task for task in tasks if task.kind in kinds]
    earlier = ALL_KINDS[: min(ALL_KINDS.index(kind) for kind in kinds)]
    missing = [task.key for task in tasks if task.kind in earlier and not is_done(run, task)]
    if missing:
        first = missing[0].split("/")[0]
        command = f"tinycerb train --resume {run.path}" if first in TRAIN_KINDS else f"tinycerb {first} {run.path}"
        kind = EnvironmentProblem if damaged else UsageError
        raise kind(f"not done yet: {', '.join(missing)}; do it with: {command}")
    load_inputs(run.config)
    if "dose" in kinds and (text := left_out_doses(run.config, load_dataset(run.config.data))):
        say(text)
    if changed := made_by_other_code(run, chosen):
        say(f"code has changed since these were made, so they are made again: {', '.join(changed)}")
    try:
        run_tasks(run, chosen, jobs or min(os.cpu_count() or 1, _MOST_JOBS), make_display(quiet))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; finished work is kept, go on with: --resume {run.path}") from None


def load_inputs(config: Config) -> None:
    """Loads all data once, so that what is missing or corrupt shows before hours of work.

    Raises:
        EnvironmentProblem: data are missing or corrupt.
        UsageError: more images are asked for than there are, or augmentation that leaves nothing of them.
    """
    dataset = load_dataset(config.data)
    check_reach(parse_augmentation(config.training.augmentation), dataset.image_shape)
    for name, victim in victims_of(config).items():
        heads = victim.heads.learned
        if heads > dataset.classes:
            raise UsageError(
                f"victims.{name} has {heads} heads; allowed: 1 to {dataset.classes}, the number of classes"
            )
    for attack in config.attacks:
        pool, inside = load_pool(attack, dataset), load_in_distribution(attack, dataset, config.seed)
        attack_of(attack).check(attack, len(pool), len(inside))
        if attack.pretraining:
            digest_labelled(attack.pretraining, dataset)
    choose_pictures(config, dataset)


def check_gates(metrics: Metrics) -> None:
    """Compares with the bars of the configuration.

    Raises:
        GateError: a victim misses one.
    """
    if metrics["gates_missed"]:
        raise GateError("; ".join(metrics["gates_missed"]))
