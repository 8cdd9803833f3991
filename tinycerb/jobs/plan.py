"""What a run consists of: tasks, and which must come before which. Imports neither TensorFlow nor a runtime."""

from collections.abc import Callable
from dataclasses import dataclass

from keras_models import BACKBONES
from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.attacks import attack_of
from tinycerb.attacks.students import STUDENTS
from tinycerb.bench.cell import MEAN_HEAD
from tinycerb.compression.importance import CRITERIA, penalizes_scales
from tinycerb.compression.methods import PRUNING_METHODS
from tinycerb.compression.schedules import SCHEDULES
from tinycerb.config import Config, VictimConfig
from tinycerb.datasets import DATASETS
from tinycerb.datasets.procedural import FAMILIES
from tinycerb.datasets.query_pools import query_pool
from tinycerb.defenses import answering_heads, defense_of, rows_of
from tinycerb.errors import UsageError, suggest
from tinycerb.sources import USER
from tinycerb.training.stages import stages_of


@dataclass(frozen=True)
class Task:
    """One piece of work, done in a process of its own.

    Attributes:
        key: its name, such as `train/cerberos`.
        kind: `dense`, `fit`, `train`, `convert`, `measure`, `latency` or `steal`.
        arguments: what the kind's step takes beside the run.
        after: keys of the tasks that must be done before.
        alone: whether nothing else may run meanwhile.
        cost: rough relative effort, for the order of starting and the estimate of what is left.
    """

    key: str
    kind: str
    arguments: tuple[str, ...]
    after: tuple[str, ...]
    cost: float
    alone: bool = False


# Options of training parts that only the answers depend on.
_AFTER_TRAINING = ("selection", "tau")


def plan(config: Config) -> list[Task]:
    """Returns all tasks of a run.

    Raises:
        UsageError: the configuration names something that does not exist.
    """
    check_names(config)
    tasks: list[Task] = []
    for victim in config.victims:
        defense = defense_of(victim)
        networks = max(len(defense.assembly.backbones), 1)
        name = victim.name
        dense = dense_twin(config, name)
        epoch = networks * (17.0 if rows_of(defense) > 1 else 12.0)
        if dense == name:
            tasks.append(Task(f"dense/{name}", "dense", (name,), (), epoch * config.training.dense_epochs))
        stages = stages_of(config.training, config.quantization.method)
        twin = trained_twin(config, name)
        if twin == name:
            later = stages["prune"].epochs_in_all - stages["dense"].epochs
            cost = epoch * later * (1.0 - 0.6 * victim.channel_ratio)
            before = [f"dense/{dense}"]
            if victim.has_budget:
                tasks.append(Task(f"fit/{name}", "fit", (name,), (), 60))
                before.append(f"fit/{name}")
            tasks.append(Task(f"train/{name}", "train", (name, dense, name), tuple(before), cost))
        else:
            tasks.append(Task(f"train/{name}", "train", (name, dense, twin), (f"train/{twin}",), 1))
        tasks.append(Task(f"convert/{name}", "convert", (name,), (f"train/{name}",), 15))
        tasks.append(Task(f"measure/{name}", "measure", (name,), (f"convert/{name}",), 10))
        selections = [defense.selection] + ([MEAN_HEAD] if answering_heads(defense) > 1 else [])
        for attack in config.attacks:
            for selection in selections:
                arguments = (name, attack.name, selection)
                key = "/".join(("steal", *arguments))
                cost = 10.0 + len(attack.students) * len(attack.learning_rates) * (
                    8.0 + 2.0 * attack.epochs * attack.members
                )
                tasks.append(Task(key, "steal", arguments, (f"measure/{name}",), cost))
    converted = tuple(f"convert/{victim.name}" for victim in config.victims)
    tasks.append(Task("latency", "latency", (), converted, 5, alone=True))
    return tasks


def dense_twin(config: Config, name: str) -> str:
    """Returns the first victim whose dense training is the same as this one's: pruning comes after it."""
    return _first_alike(config, name, lambda victim: (*_training_part(victim), penalizes_scales(config, victim)))


def trained_twin(config: Config, name: str) -> str:
    """Returns the first victim with the same trained network: responses and head selections come after training."""
    return _first_alike(
        config,
        name,
        lambda victim: (
            *_training_part(victim), victim.channel_ratio, victim.pruning, victim.flash_bytes, victim.ram_bytes,
        ),
    )  # fmt: skip


def _first_alike(config: Config, name: str, part: Callable[[VictimConfig], tuple]) -> str:
    wanted = part(config.victim(name))
    return next(victim.name for victim in config.victims if part(victim) == wanted)


def _training_part(victim: VictimConfig) -> tuple:
    options = {key: value for key, value in victim.options.items() if key not in _AFTER_TRAINING}
    return victim.defense, options, defense_of(victim).assembly.random_heads


def check_names(config: Config) -> None:
    """Looks up every name in a configuration, so that a typing error shows before hours of work.

    Raises:
        UsageError: a name that is not registered; the message lists those that are.
    """
    DATASETS[config.data.name]
    if config.model.backbone not in (*BACKBONES, USER):
        near = suggest(config.model.backbone, BACKBONES)
        raise UsageError(f"unknown backbone {config.model.backbone!r}{near}; known: {', '.join(BACKBONES)}, {USER}")
    for family in config.out_of_distribution.families:
        FAMILIES[family]
    CRITERIA[config.pruning.criterion]
    SCHEDULES[config.pruning.schedule]
    for victim in config.victims:
        defense = defense_of(victim)
        HEAD_SELECTIONS[defense.selection]
        PRUNING_METHODS[victim.pruning]
        if answering_heads(defense) > 1 and defense.selection == "fixed":
            raise UsageError(
                f"victims.{victim.name}: selection 'fixed' always answers with head 0, so {defense.heads} heads "
                f"protect nothing; allowed: {', '.join(name for name in HEAD_SELECTIONS if name != 'fixed')}"
            )
    for attack in config.attacks:
        attack_of(attack)
        query_pool(attack.query_pool)
        for student in attack.students:
            STUDENTS[student]
