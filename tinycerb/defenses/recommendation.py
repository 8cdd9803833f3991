"""Which of a run's victims to deploy."""

from tinycerb.config import Config, VictimConfig

# The training part that has protected best wherever it was measured (docs/defenses.md, "Which to choose").
_STRONGEST = "misdirection"


def is_defended(victim: VictimConfig) -> bool:
    """Whether a victim has a defence, in training or in how it answers."""
    return victim.defense != "none" or victim.response != "none"


def recommended_victim(config: Config) -> str:
    """Returns the name of the victim that is for deployment.

    It is the one that `recommended` names; else the last with misdirection; else the last that is defended; else the
    last.
    """
    if config.recommended:
        return config.recommended
    defended = [victim for victim in config.victims if is_defended(victim)]
    strongest = [victim for victim in defended if victim.defense == _STRONGEST]
    return (strongest or defended or config.victims)[-1].name
