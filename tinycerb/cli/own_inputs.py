"""What a user brings along is loaded, checked and pinned before there is a run directory."""

from dataclasses import fields, replace
from typing import Any

import typer

from tinycerb.apart import call_apart
from tinycerb.cli.workflow import load_inputs
from tinycerb.config import Config, VictimConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset, digest_arrays
from tinycerb.datasets.query_pools import query_pool
from tinycerb.defenses import DEFENSES, defense_of
from tinycerb.sources import USER, absolute, is_source


def brings_own(config: Config) -> bool:
    """Whether a configuration names data, a model or a query pool of the user's own."""
    return USER in (config.data.name, config.model.backbone) or any(is_source(a.query_pool) for a in config.attacks)


def pin_inputs(config: Config) -> tuple[Config, dict[str, Any]]:
    """Checks everything before anything is trained.

    Returns:
        The configuration with sources that mean the same from everywhere and with the digests of what they hold,
        and what `env.json` says about them.

    Raises:
        UsageError: a model that the path cannot take, or data that do not fit.
        EnvironmentProblem: missing or corrupt files.
    """
    typer.secho("checking what you have brought along ...", err=True)
    config = replace(
        config,
        data=replace(config.data, source=absolute(config.data.source)),
        model=replace(config.model, source=absolute(config.model.source)),
        attacks=tuple(
            replace(attack, query_pool=absolute(attack.query_pool)) if is_source(attack.query_pool) else attack
            for attack in config.attacks
        ),
    )
    dataset = load_dataset(config.data)
    config = fit_to_data(config, dataset)
    load_inputs(config)
    if config.data.name == USER:
        config = replace(config, data=replace(config.data, sha256=dataset.digest))
    facts = call_apart("tinycerb.training.preflight", text=config.to_toml())
    if config.model.backbone == USER:
        config = replace(config, model=replace(config.model, sha256=facts["sha256"]))
    if not config.attacks:
        typer.secho("no query pool: stealing will not be measured (--query-pool names the attacker's images)", err=True)
    pools = {attack.query_pool: digest_arrays(query_pool(attack.query_pool).load(dataset)) for attack in config.attacks}
    return config, {
        "data": {"name": config.data.name, "source": config.data.source, "sha256": dataset.digest},
        "model": {"backbone": config.model.backbone, "source": config.model.source, **facts},
        "query_pools": pools,
    }


def fit_to_data(config: Config, dataset: Dataset) -> Config:
    """Returns the configuration as it is trained on these data: every command that builds a victim must agree."""
    return replace(config, victims=tuple(_fewer_heads(victim, dataset.classes) for victim in config.victims))


def _fewer_heads(victim: VictimConfig, classes: int) -> VictimConfig:
    """Gives a defence that leaves its number of heads open no more than there are classes."""
    heads = defense_of(victim).heads
    if heads <= classes or "heads" in victim.options or "heads" not in _options(victim.defense):
        return victim
    return replace(victim, options={**victim.options, "heads": classes})


def _options(defense: str) -> set[str]:
    return {field.name for field in fields(DEFENSES[defense])}  # type: ignore[arg-type]
