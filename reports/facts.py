"""Small readings of `metrics.json` that several pages share."""

from collections.abc import Sequence
from typing import TypeVar

from tinycerb.reports.metrics import DeviceCost, Metrics, Verdict, VictimMetrics
from tinycerb.reports.separation_text import separation_sentences

Item = TypeVar("Item")

_HANDLING_POINTS = 5.0
# Differences below this are within what seeds alone were seen to make.
CHANCE_POINTS = 4.0


def in_groups(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Returns the items in order, `size` at a time; the last group may be smaller."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def percent(share: float) -> str:
    """0.876 -> 87.6%."""
    return f"{100 * share:.1f}%"


def cycles_text(device: DeviceCost | None) -> str:
    """4.79 M (3.74 - 5.55): estimated cycles and their band, in millions; a dash where there is no estimate."""
    cycles = device.get("estimated_cycles") if device else None
    if cycles is None or "cycles" not in cycles:
        return "-"
    whole, low, high = (cycles.get(key, 0) / 1e6 for key in ("cycles", "cycles_low", "cycles_high"))
    return f"{whole:.2f} M ({low:.2f} - {high:.2f})"


def stolen(victim: VictimMetrics, attacks: set[str], mean_head: bool) -> float | None:
    """Returns the best clone among a victim's cells of these attacks, or None without a cell."""
    found = [
        cell["clone_accuracy"]
        for cell in victim["cells"]
        if cell["attack"] in attacks and cell["reference_row"] == mean_head
    ]
    return max(found, default=None)


def attack_names(verdict: Verdict) -> set[str]:
    """Returns the names of a threat class's attacks."""
    return {attack["attack"] for attack in verdict["attacks"]}


def defended_names(metrics: Metrics) -> list[str]:
    """Returns the victims that have a defence, in training or in how they answer."""
    return [name for name, victim in metrics["victims"].items() if _is_defended(victim)]


def _is_defended(victim: VictimMetrics) -> bool:
    return victim["defense"] != "none" or victim.get("response", "none") != "none"


def control_name(metrics: Metrics, name: str) -> str | None:
    """Returns the undefended victim that is pruned like `name`, if the run has one besides the baseline."""
    ratio = metrics["victims"][name]["channel_ratio"]
    for other, victim in metrics["victims"].items():
        if other != metrics["baseline"] and not _is_defended(victim) and victim["channel_ratio"] == ratio:
            return other
    return None


def verdict_sentences(metrics: Metrics) -> list[tuple[str, str]]:
    """Returns what may be claimed: (`good`, `bad` or `open`, sentence) per defended victim and threat class."""
    sentences = []
    baseline = metrics["baseline"]
    if not metrics["threats"] and defended_names(metrics):
        sentences.append(("open", "Stealing was not measured: the run has no attacks."))
    for name in defended_names(metrics):
        for threat, verdict in metrics["threats"].items():
            case = verdict["victims"][name]
            reference = verdict["victims"][baseline]["clone_accuracy"]
            if not verdict["conclusive"]:
                text = f"{threat}: inconclusive. No attack reached {percent(verdict['bar'])} on {baseline}."
                if case["points_below_baseline"] <= -CHANCE_POINTS:
                    text += (
                        f" What there was points the wrong way: the best clone of {name} reaches "
                        f"{percent(case['clone_accuracy'])}, that of {baseline} {percent(reference)}."
                    )
                sentences.append(("open", text))
                continue
            points = case["points_below_baseline"]
            margins = [points]
            mean = " (mean of all heads)" if case["selection"] == "mean" else ""
            text = (
                f"{threat}: the best clone of {name} reaches {percent(case['clone_accuracy'])}{mean}, "
                f"{abs(points):.1f} points {'below' if points > 0 else 'above'} that of {baseline} "
                f"({percent(reference)})"
            )
            control = control_name(metrics, name)
            if control is not None:
                difference = 100 * (verdict["victims"][control]["clone_accuracy"] - case["clone_accuracy"])
                margins.append(difference)
                side = "below" if difference > 0 else "above"
                text += f" and {abs(difference):.1f} {side} that of {control}, the control"
            text += f"; {verdict['meaning']}."
            sentences.append((_status(min(margins)), text))
        sentences.append(_cost_sentence(metrics, name))
        sentences += handling_sentences(metrics, name)
    sentences += separation_sentences(metrics.get("separation", []))
    sentences += [("bad", f"Gate missed: {gate}.") for gate in metrics["gates_missed"]]
    return sentences


def _status(points: float) -> str:
    """Protection counts only against both the baseline and the control, and beyond what one seed may give by chance."""
    return "good" if points >= CHANCE_POINTS else "bad" if points <= 0 else "open"


def _cost_sentence(metrics: Metrics, name: str) -> tuple[str, str]:
    victims, baseline, control = metrics["victims"], metrics["baseline"], control_name(metrics, name)

    def lost_against(other: str) -> float:
        return 100 * (victims[other]["accuracy"]["accuracy_expected"] - victims[name]["accuracy"]["accuracy_expected"])

    def told(points: float, other: str) -> str:
        return f"{abs(points):.1f} points of accuracy {'lost' if points > 0 else 'gained'} against {other}"

    cost = lost_against(baseline)
    text = f"Cost of {name}: {told(cost, baseline)}"
    if control is not None:
        text += f" ({told(lost_against(control), control)})"
    text += f"; the file has {percent(victims[name]['file']['flash_share_of_baseline'])} of the bytes of {baseline}."
    return cost_status(cost), text


def handling_sentences(metrics: Metrics, name: str) -> list[tuple[str, str]]:
    """Returns what a victim loses beyond the baseline when its own images come another way; nothing where it does not.

    Five points are beyond what 1,000 images leave to chance.
    """
    baseline = metrics["victims"][metrics["baseline"]].get("handling", {})
    own = metrics["victims"][name].get("handling", {})
    if not baseline or not own:
        return []
    allowed = baseline["nothing"] - own["nothing"] + _HANDLING_POINTS / 100
    worse = {way: share for way, share in own.items() if baseline.get(way, share) - share > allowed}
    if not worse:
        return []
    told = " and ".join(
        f"{way} ({percent(share)} right, {metrics['baseline']} {percent(baseline[way])})"
        for way, share in worse.items()
    )
    return [
        (
            "bad",
            f"{name} loses its own images after {told}. What it protects is in doubt, too: it tells how images were "
            "stored. Add focus+jpeg to training.augmentation.",
        )
    ]


def cost_status(lost: float) -> str:
    """Returns how points of accuracy lost are judged."""
    return "good" if lost <= 1 else "open" if lost <= 3 else "bad"


def channels_removed(victim: VictimMetrics) -> float:
    """Returns the share of the backbone's prunable channels that is really gone."""
    groups = victim["training"]["channel_groups"]
    channels = sum(group["channels"] for group in groups)
    return 1 - sum(group["kept"] for group in groups) / channels if channels else 0.0
