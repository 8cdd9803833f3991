"""What a user brings along is loaded, checked and pinned before there is a run directory."""

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from tinycerb.config import Config
from tinycerb.config.user_sources import USER, absolute, is_source
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import digest_arrays
from tinycerb.datasets.out_of_distribution import choose_pictures, open_pictures
from tinycerb.datasets.query_pools import query_pool
from tinycerb.datasets.user_data import open_user_data, open_user_pool
from tinycerb.events import say
from tinycerb.subprocess_call import call_in_subprocess
from tinycerb.workflow.fitting import Adjustment, fit_to_inputs
from tinycerb.workflow.work import load_inputs


def brings_own(config: Config) -> bool:
    """Whether a configuration names data, a model, a query pool or other pictures of the user's own."""
    named = (*(attack.query_pool for attack in config.attacks), *config.out_of_distribution.sources)
    return USER in (config.data.name, config.model.backbone) or any(map(is_source, named))


def pin_inputs(config: Config, given: Collection[str]) -> tuple[Config, dict[str, Any]]:
    """Checks everything before anything is trained.

    Args:
        config: with the user's sources in it.
        given: keys that the user has set; see `fit_to_inputs`.

    Returns:
        The configuration with sources that mean the same from everywhere and with the digests of what they hold,
        and what `env.json` says about them.

    Raises:
        UsageError: a model that the path cannot take, or data that do not fit.
        EnvironmentProblem: missing or corrupt files.
    """
    say("checking what you have brought along ...")
    config = replace(
        config,
        data=replace(config.data, source=absolute(config.data.source)),
        model=replace(config.model, source=absolute(config.model.source)),
        attacks=tuple(
            replace(attack, query_pool=absolute(attack.query_pool)) if is_source(attack.query_pool) else attack
            for attack in config.attacks
        ),
        out_of_distribution=replace(
            config.out_of_distribution,
            sources=tuple(absolute(each) if is_source(each) else each for each in config.out_of_distribution.sources),
        ),
    )
    config, adjustments = fit_and_say(config, given)
    dataset = load_dataset(config.data)
    load_inputs(config)
    if config.data.name == USER:
        config = replace(config, data=replace(config.data, sha256=dataset.digest))
    facts = call_in_subprocess("tinycerb.conversion.preflight", text=config.to_toml())
    if config.model.backbone == USER:
        config = replace(config, model=replace(config.model, sha256=facts["sha256"]))
    pools = {attack.query_pool: digest_arrays(query_pool(attack.query_pool).load(dataset)) for attack in config.attacks}
    chosen = choose_pictures(config, dataset)
    for use, _ in chosen:
        say(f"off the task, beside what programs draw: {use}")
    return config, {
        "data": {"name": config.data.name, "source": config.data.source, "sha256": dataset.digest},
        "model": {"backbone": config.model.backbone, "source": config.model.source, **facts},
        "query_pools": pools,
        "out_of_distribution_sources": {use.source: digest_arrays(images) for use, images in chosen},
        "adjusted": [asdict(adjustment) for adjustment in adjustments],
        "left_out": left_out(config),
    }


def fit_and_say(config: Config, given: Collection[str]) -> tuple[Config, list[Adjustment]]:
    """As `fit_to_inputs`, and says on standard error what is not as the preset says or not used, one line each."""
    config, adjustments = fit_to_inputs(config, given)
    for adjustment in adjustments:
        say(str(adjustment))
    for text in left_out(config):
        say(text)
    return config, adjustments


def left_out(config: Config) -> list[str]:
    """Says what nobody uses of the data and pools that the user has brought along, one line each."""
    data = config.data
    found = {data.source: open_user_data(data.source, data.groups).left_out} if data.name == USER else {}
    pools = (attack.query_pool for attack in config.attacks if is_source(attack.query_pool))
    found |= {f"the query pool {pool}": open_user_pool(pool).left_out for pool in pools}
    pictures = filter(is_source, config.out_of_distribution.sources)
    found |= {source: open_pictures(source, load_dataset(config.data)).left_out for source in pictures}
    return [f"not used of {source}: {text}" for source, texts in found.items() for text in texts]
