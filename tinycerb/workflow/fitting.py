"""A preset's counts, brought to what the user's data and pools hold; what users set themselves is never touched."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from tinycerb.attacks import attack_of
from tinycerb.bench.cell import load_pool
from tinycerb.config import AttackConfig, Config, DataConfig, VictimConfig
from tinycerb.config.user_sources import IN_DISTRIBUTION, USER, is_source
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.query_pools import query_pool
from tinycerb.datasets.user_data import load_user_data
from tinycerb.defenses import DEFENSES
from tinycerb.errors import UsageError
from tinycerb.options import options_of
from tinycerb.run.victim import resolve_victim


@dataclass(frozen=True)
class Adjustment:
    """A value of a preset that does not fit what the user has brought along.

    Attributes:
        key: where it stands in the configuration.
        asked: what the preset says.
        used: what the run does.
        reason: why.
    """

    key: str
    asked: float
    used: float
    reason: str

    def __str__(self) -> str:
        return f"{self.key} is {self.used:,} instead of {self.asked:,}: {self.reason}"


def fit_to_inputs(config: Config, given: Collection[str]) -> tuple[Config, list[Adjustment]]:
    """Returns the configuration as it is trained on these data; every command that builds a victim must agree.

    Args:
        config: with the user's sources in it.
        given: keys that the user has set, as `given_keys` finds them; those are refused where they do not fit.

    Returns:
        The configuration, and what is not as its preset says.

    Raises:
        UsageError: the data do not fit, or a fixed budget of a matrix is above what the user's pool holds.
        EnvironmentProblem: the data are missing or corrupt.
    """
    made: list[Adjustment] = []
    if config.data.name == USER:
        config = replace(config, data=_fit_data(config.data, given, made))
    dataset = load_dataset(config.data)
    config = replace(config, victims=tuple(_fewer_heads(victim, dataset.classes) for victim in config.victims))
    if USER in (config.data.name, config.model.backbone) and "victims" not in given:
        config = replace(config, victims=tuple(_without_gates(victim, given, made) for victim in config.victims))
    images, key = len(dataset.train.images), "quantization.calibration_images"
    if config.quantization.method == "post" and config.quantization.calibration_images > images and key not in given:
        made.append(Adjustment(key, config.quantization.calibration_images, images, _training_images(images)))
        config = replace(config, quantization=replace(config.quantization, calibration_images=images))
    _check_budgets(config, dataset)
    if "attacks" not in given:
        attacks = (
            attack if f"attacks.{attack.name}.budget" in given else _fit_attack(config, attack, dataset, made)
            for attack in config.attacks
        )
        config = replace(config, attacks=tuple(attacks))
    return config, made


def _fit_data(data: DataConfig, given: Collection[str], made: list[Adjustment]) -> DataConfig:
    """A preset's validation images are at most a tenth of what there is, so that its training images are the most."""
    train, test, _ = load_user_data(data.source, data.groups)
    available = len(train.images)
    tenth = max(available // 10, 1)
    data = _lowered(data, "validation_images", tenth, f"a tenth of {_training_images(available)}", given, made)
    left = max(available - (data.validation_images or tenth), 1)
    data = _lowered(data, "train_images", left, f"{_training_images(available)}, less validation", given, made)
    return _lowered(data, "test_images", len(test.images), f"there are {len(test.images):,} test images", given, made)


def _lowered(
    data: DataConfig, key: str, most: int, reason: str, given: Collection[str], made: list[Adjustment]
) -> DataConfig:
    asked = getattr(data, key)
    if f"data.{key}" in given or asked <= most:
        return data
    made.append(Adjustment(f"data.{key}", asked, most, reason))
    return replace(data, **{key: most})


def _training_images(count: int) -> str:
    return f"your {count:,} training images"


def _fewer_heads(victim: VictimConfig, classes: int) -> VictimConfig:
    """Gives a defence that leaves its number of heads open no more than there are classes."""
    heads = resolve_victim(victim).heads.learned
    if heads <= classes or "heads" in victim.options or "heads" not in options_of(DEFENSES[victim.defense]):
        return victim
    return replace(victim, options={**victim.options, "heads": classes})


def _without_gates(victim: VictimConfig, given: Collection[str], made: list[Adjustment]) -> VictimConfig:
    for key in ("minimum_accuracy", "maximum_flash_share"):
        asked = getattr(victim, key)
        if asked and f"victims.{victim.name}.{key}" not in given:
            made.append(Adjustment(f"victims.{victim.name}.{key}", asked, 0, "a bar for the preset's own data"))
            victim = replace(victim, **{key: 0.0})
    return victim


def _is_of_the_user(config: Config, attack: AttackConfig) -> bool:
    """Whether what an attack has to ask about depends on what the user has brought along."""
    in_distribution = attack.query_pool == IN_DISTRIBUTION or attack.in_distribution_images > 0
    return is_source(attack.query_pool) or (config.data.name == USER and in_distribution)


def _fit_attack(config: Config, attack: AttackConfig, dataset: Dataset, made: list[Adjustment]) -> AttackConfig:
    if not _is_of_the_user(config, attack):
        return attack
    where = f"attacks.{attack.name}"
    most = len(query_pool(IN_DISTRIBUTION).load(dataset)) if attack.in_distribution_images else 0
    if attack.in_distribution_images > most:
        key, reason = f"{where}.in_distribution_images", f"{most:,} distinct validation images"
        made.append(Adjustment(key, attack.in_distribution_images, most, reason))
        attack = replace(attack, in_distribution_images=most)
    pool = len(load_pool(attack, dataset))
    fitting = _fitting_budget(attack, pool, attack.in_distribution_images)
    if fitting is not None:
        reason = f"there are {pool + attack.in_distribution_images:,} distinct images to ask about"
        made.append(Adjustment(f"{where}.budget", attack.budget, fitting, reason))
        attack = replace(attack, budget=fitting)
    return attack


def _fitting_budget(attack: AttackConfig, pool: int, in_distribution: int) -> int | None:
    """Returns the budget in place of one that the attack cannot spend on these images, None if it can.

    That is the largest whole multiple of the images that it takes: attacks that ask once take one, those that repeat
    take more. One that grows a set of seeds, and could not even ask about them, asks about twice as many.
    """
    images = pool + in_distribution
    if images == 0 or _refusal(attack, pool, in_distribution) is None:
        return None
    candidates: Iterable[int] = range(attack.budget // images, 0, -1) if attack.budget >= images else (2,)
    for times in candidates:
        if _refusal(replace(attack, budget=times * images), pool, in_distribution) is None:
            return times * images
    return None


def _refusal(attack: AttackConfig, pool: int, in_distribution: int) -> UsageError | None:
    """Returns what an attack has against its budget and images, None for nothing."""
    try:
        attack_of(attack).check(attack, pool, in_distribution)
    except UsageError as error:
        return error
    return None


def _check_budgets(config: Config, dataset: Dataset) -> None:
    """The fixed budgets of a matrix are what its rows are compared at: they are refused, not lowered."""
    fitting = set(config.bench.budgets)
    refusals: list[str] = []
    for attack in config.attacks:
        if not is_source(attack.query_pool):
            continue
        pool = len(load_pool(attack, dataset))
        for budget in config.bench.budgets:
            refused = _refusal(replace(attack, budget=budget), pool, attack.in_distribution_images)
            # A budget too small for an attack says nothing about the pool: it is left out, as with any pool.
            if refused is not None and budget > pool + attack.in_distribution_images:
                fitting.discard(budget)
                refusals.append(str(refused))
    if refusals:
        allowed = f"--set 'bench.budgets={sorted(fitting)}'" if fitting else "a pool with more images"
        raise UsageError(f"bench.budgets is {list(config.bench.budgets)}: {refusals[0]}; take {allowed}")
