"""Which heads attacks ask: as the device chooses them and, where several answer, their mean beside that."""

from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import Victim

# The row that averages all heads' posteriors: what an attacker who could ask for ever would end up with.
MEAN_HEAD = "mean"


def asked_heads(victim: Victim) -> list[str]:
    """Returns the head selections that attacks on a victim meet, the device's own first."""
    return [victim.defense.selection] + ([MEAN_HEAD] if victim.heads.answering > 1 else [])


def attack_runs(run: RunDirectory) -> list[tuple[str, str, str]]:
    """Returns (victim, attack, head selection) of all that a run attacks, in the order of its report."""
    return [
        (victim.name, attack.name, selection)
        for victim in run.victims.values()
        for attack in run.config.attacks
        for selection in asked_heads(victim)
    ]
