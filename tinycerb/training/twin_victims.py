"""Which victims share a training."""

from collections.abc import Callable, Mapping

from tinycerb.compression.importance import penalizes_scales
from tinycerb.config import Config
from tinycerb.run.victim import Victim


def dense_twin(config: Config, victims: Mapping[str, Victim], name: str) -> str:
    """Returns the first victim whose dense training is the same as this one's: pruning comes after it."""
    return _first_alike(
        victims, name, lambda victim: (*_training_part(victim), penalizes_scales(config, victim.config))
    )


def trained_twin(victims: Mapping[str, Victim], name: str) -> str:
    """Returns the first victim with the same trained network: responses and head selections come after training."""

    def part(victim: Victim) -> tuple:
        config = victim.config
        return *_training_part(victim), config.channel_ratio, config.pruning, config.flash_bytes, config.ram_bytes

    return _first_alike(victims, name, part)


def _first_alike(victims: Mapping[str, Victim], name: str, part: Callable[[Victim], tuple]) -> str:
    wanted = part(victims[name])
    return next(other for other, victim in victims.items() if part(victim) == wanted)


def _training_part(victim: Victim) -> tuple:
    config = victim.config
    options = {key: value for key, value in config.options.items() if key not in victim.defense.after_training}
    # What is chosen of several trainings is nobody else's.
    alone = config.name if config.seeds > 1 else ""
    return config.defense, options, victim.defense.architecture.random_heads, alone
