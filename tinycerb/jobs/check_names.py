"""Looks up every name of a configuration before hours of work."""

from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks.victim_x2 import architecture_for
from tinycerb.compression.importance import CRITERIA
from tinycerb.compression.methods import PRUNING_METHODS
from tinycerb.compression.schedules import SCHEDULES
from tinycerb.config import Config
from tinycerb.config.user_sources import USER
from tinycerb.datasets import DATASETS
from tinycerb.datasets.procedural import FAMILIES
from tinycerb.datasets.query_pools import query_pool, require_labels
from tinycerb.errors import UsageError, suggest
from tinycerb.run.victim import victims_of
from tinycerb.training.augmentation import parse_augmentation
from tinycerb.training.backbones import BACKBONES
from tinycerb.training.optimizers import parse_optimizer


def check_names(config: Config) -> None:
    """Looks up every name in a configuration, so that a typing error shows before hours of work.

    Raises:
        UsageError: a name that is not registered; the message lists those that are.
    """
    DATASETS[config.data.name]
    if config.model.backbone not in (*BACKBONES, USER):
        near = suggest(config.model.backbone, BACKBONES)
        raise UsageError(f"unknown backbone {config.model.backbone!r}{near}; known: {', '.join(BACKBONES)}, {USER}")
    if config.distillation.backbone not in ("", *BACKBONES):
        near = suggest(config.distillation.backbone, BACKBONES)
        known = ", ".join(BACKBONES)
        raise UsageError(f"unknown distillation.backbone {config.distillation.backbone!r}{near}; known: {known}")
    parse_optimizer(config.training.optimizer)
    parse_augmentation(config.training.augmentation)
    for family in config.out_of_distribution.families:
        FAMILIES[family]
    for source in config.out_of_distribution.sources:
        query_pool(source)
    CRITERIA[config.pruning.criterion]
    SCHEDULES[config.pruning.schedule]
    for victim in victims_of(config).values():
        PRUNING_METHODS[victim.config.pruning]
    for attack in config.attacks:
        attack_of(attack)
        query_pool(attack.query_pool)
        if attack.pretraining:
            require_labels(attack.pretraining)
        for student in attack.students:
            architecture_for(student, config.model.backbone, config.model.width)
