"""Which victims share a training."""

from collections.abc import Callable

from tinycerb.compression.importance import penalizes_scales
from tinycerb.config import Config, VictimConfig
from tinycerb.defenses import defense_of

# Options of training parts that only the answers depend on.
_AFTER_TRAINING = ("selection", "tau")


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
