"""From cells to claims: the attacker's maximum, the validity gate, and what may be said of each victim."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from tinycerb.config import AttackConfig, Config
from tinycerb.reports.metrics import Cell, JudgedAttack, Verdict, WorstCase

THREATS = {
    "T1": "the attacker has images of another kind",
    "T2": "the attacker has some images of the victim's own kind",
}


def worst_case(cells: Sequence[Cell]) -> WorstCase:
    """Returns the cell whose clone is best: the figure that counts for a defence is the attacker's maximum."""
    best = max(cells, key=lambda cell: cell["clone_accuracy"])
    return {
        "attack": best["attack"],
        "student": best["student"],
        "selection": best["selection"],
        "clone_accuracy": best["clone_accuracy"],
        "clone_accuracy_oracle_best": best["clone_accuracy_oracle_best"],
    }


class Judged(TypedDict):
    """What claims and gates read of a victim; bytes of working memory are None if they were not measured."""

    accuracy_expected: float
    flash_share_of_baseline: float
    flash_bytes: int
    arena_bytes: int | None
    cells: list[Cell]


def judge(config: Config, victims: Mapping[str, Judged], threat_of: Mapping[str, str]) -> dict[str, Verdict]:
    """Judges every threat class on its own; they are never mixed in one number.

    An attack is valid if its best clone of the baseline reaches `bench.validity` times the baseline's accuracy.
    A victim's figure is the maximum over all attacks of the class, invalid ones included: they may raise it. With
    no valid attack in a class nothing is claimed.

    Args:
        config: the run's configuration.
        victims: what was measured of each, and its cells.
        threat_of: threat class per attack name.

    Returns:
        Per threat class: its attacks with their validity, and per victim the worst case and the difference in
        points to the baseline.
    """
    baseline = victims[config.bench.baseline]
    bar = config.bench.validity * baseline["accuracy_expected"]
    verdicts: dict[str, Verdict] = {}
    for threat in dict.fromkeys(threat_of[attack.name] for attack in config.attacks):
        attacks = [attack for attack in config.attacks if threat_of[attack.name] == threat]
        names = {attack.name for attack in attacks}
        stolen = {
            name: worst_case([cell for cell in victim["cells"] if cell["attack"] in names])
            for name, victim in victims.items()
        }
        reference = stolen[config.bench.baseline]["clone_accuracy"]
        judged = [_validity(attack, baseline, bar) for attack in attacks]
        verdicts[threat] = {
            "meaning": THREATS[threat],
            "bar": bar,
            "attacks": judged,
            "victims": {
                name: {**case, "points_below_baseline": 100 * (reference - case["clone_accuracy"])}
                for name, case in stolen.items()
            },
            "conclusive": any(attack["valid"] for attack in judged),
        }
    return verdicts


def _validity(attack: AttackConfig, baseline: Judged, bar: float) -> JudgedAttack:
    best = worst_case([cell for cell in baseline["cells"] if cell["attack"] == attack.name])
    return {
        "attack": attack.name,
        "baseline_clone_accuracy": best["clone_accuracy"],
        "valid": best["clone_accuracy"] >= bar,
    }


def gates(config: Config, victims: Mapping[str, Judged]) -> list[str]:
    """Returns one sentence per gate of the configuration that a victim misses.

    Args:
        config: the run's configuration.
        victims: what was measured of each.
    """
    missed = []
    for victim in config.victims:
        accuracy = victims[victim.name]["accuracy_expected"]
        share = victims[victim.name]["flash_share_of_baseline"]
        if accuracy < victim.minimum_accuracy:
            missed.append(
                f"{victim.name}: expected accuracy {accuracy:.1%} is below minimum_accuracy "
                f"{victim.minimum_accuracy:.1%}"
            )
        if victim.maximum_flash_share and share > victim.maximum_flash_share:
            missed.append(
                f"{victim.name}: the file has {share:.1%} of the baseline's bytes, above maximum_flash_share "
                f"{victim.maximum_flash_share:.1%}"
            )
        for key, bytes_taken, allowed in (
            ("file", victims[victim.name]["flash_bytes"], victim.flash_bytes),
            ("arena", victims[victim.name]["arena_bytes"], victim.ram_bytes),
        ):
            if allowed and (bytes_taken is None or bytes_taken > allowed):
                taken = "was not measured" if bytes_taken is None else f"takes {bytes_taken:,} bytes"
                missed.append(f"{victim.name}: the {key} {taken}, its budget is {allowed:,}")
    return missed
