"""How well a run's undefended network tells what its attackers have from its task."""

from tinycerb.bench.cell import load_pool, threat_class
from tinycerb.bench.separation import know_task, measure_separation
from tinycerb.config import AttackConfig, Config
from tinycerb.config.user_sources import NO_POOL
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.out_of_distribution import short_name
from tinycerb.reports.metrics import Separation
from tinycerb.runtimes.last_features import NoFeaturesError
from tinycerb.runtimes.model_artifact import ModelArtifact


def measure_pools(config: Config, artifact: ModelArtifact, dataset: Dataset) -> dict[str, Separation]:
    """Measures every pool of another kind (T1) that an attacker of the run has, once.

    Args:
        config: of the run.
        artifact: the baseline's file.
        dataset: the run's data.

    Returns:
        By the pool's name, with copies `NAME xN`; empty where there is no pool, or where no layer with weights makes
        the network's answer.
    """
    pools = pools_of(config)
    if not pools:
        return {}
    try:
        known = know_task(artifact, dataset)
    except NoFeaturesError:
        # Such a network is stolen and judged like any other; this one hint it does without.
        return {}
    return {label: measure_separation(known, load_pool(attack, dataset)) for label, attack in pools.items()}


def pools_of(config: Config) -> dict[str, AttackConfig]:
    """Returns by its name every pool of another kind, and an attack that asks about it."""
    return {pool_label(attack): attack for attack in config.attacks if _has_pictures(attack)}


def _has_pictures(attack: AttackConfig) -> bool:
    return attack.query_pool != NO_POOL and threat_class(attack) == "T1"


def pool_label(attack: AttackConfig) -> str:
    """Returns what tables call an attack's pool: its short name and, with varied copies, how many images of each."""
    name = short_name(attack.query_pool)
    return f"{name} x{1 + attack.pool_copies}" if attack.pool_copies else name
