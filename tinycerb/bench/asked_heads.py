"""Which heads attacks ask: as the device chooses them and, where several answer, their mean beside that."""

from tinycerb.config import Config
from tinycerb.defenses import answering_heads, defense_of
from tinycerb.defenses.base import Defense

# The row that averages all heads' posteriors: what an attacker who could ask for ever would end up with.
MEAN_HEAD = "mean"


def asked_heads(defense: Defense) -> list[str]:
    """Returns the head selections that attacks on a victim meet, the device's own first."""
    return [defense.selection] + ([MEAN_HEAD] if answering_heads(defense) > 1 else [])


def attack_runs(config: Config) -> list[tuple[str, str, str]]:
    """Returns (victim, attack, head selection) of all that a run attacks, in the order of its report."""
    return [
        (victim.name, attack.name, selection)
        for victim in config.victims
        for attack in config.attacks
        for selection in asked_heads(defense_of(victim))
    ]
