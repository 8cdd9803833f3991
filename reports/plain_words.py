"""What a run has shown of one victim, for readers who know none of its words."""

from tinycerb.reports.facts import CHANCE_POINTS, control_name, cost_status, defended_names, handling_sentences, percent
from tinycerb.reports.metrics import Metrics, Verdict
from tinycerb.reports.separation_text import separation_sentences

# A status of `tinycerb.reports.front_texts` and a sentence.
Sentence = tuple[str, str]


def plain_verdict(metrics: Metrics, name: str) -> list[Sentence]:
    """Returns what was shown of a victim: stealing per threat class and dose, whom misdirection can reach, the cost.

    Args:
        metrics: the content of `metrics.json`.
        name: the victim that is to be deployed.
    """
    more = [*_doses(metrics, name), *separation_sentences(metrics.get("separation", []))]
    if name not in defended_names(metrics):
        return [("open", f"{name} has no defence."), *more, _cost(metrics, name)]
    stealing = [_stealing(metrics, name, threat, verdict) for threat, verdict in metrics["threats"].items()]
    nothing = ("open", "Stealing was not measured, as the attacker had no images: nothing is known of protection.")
    return [*(stealing or [nothing]), *more, _cost(metrics, name), *handling_sentences(metrics, name)]


def nearest_attack(verdict: Verdict) -> str:
    """Returns the attack of a threat class that stole the baseline best."""
    return max(verdict["attacks"], key=lambda attack: attack["baseline_clone_accuracy"])["attack"]


def _stealing(metrics: Metrics, name: str, threat: str, verdict: Verdict) -> Sentence:
    baseline, control = metrics["baseline"], control_name(metrics, name)
    clone = {victim: case["clone_accuracy"] for victim, case in verdict["victims"].items()}
    who = f"{threat}, {verdict['meaning']}:"
    points = 100 * (clone[baseline] - clone[name])
    if not verdict["conclusive"]:
        best = max(attack["baseline_clone_accuracy"] for attack in verdict["attacks"])
        told = (
            f"{who} inconclusive. No attack copied {baseline} well enough to judge a defence by: its best copy is "
            f"right on {percent(best)} of the test images, {percent(verdict['bar'])} are needed."
        )
        if points <= -CHANCE_POINTS:
            told += f" What it did points the wrong way: the best copy of {name} is right on {percent(clone[name])}."
        return "open", told
    margins = {other: 100 * (clone[other] - clone[name]) for other in (baseline, control) if other is not None}
    worst = min(margins.values())
    if points <= -CHANCE_POINTS:
        status, word = "bad", f"{name} is EASIER to steal than {baseline}"
    elif worst >= CHANCE_POINTS:
        status, word = "good", f"{name} protects"
    elif worst > 0:
        status, word = "open", f"{name} may protect; less than {CHANCE_POINTS:.0f} points can be chance"
    elif control is not None and points > 0:
        status, word = "bad", f"{name} protects no better than {control}, which has no defence"
    else:
        status, word = "bad", f"{name} does not protect"
    compared = " and ".join(f"of {other} on {percent(clone[other])}" for other in margins)
    return status, f"{who} {word}. Its best copy is right on {percent(clone[name])} of the test images, {compared}."


def _doses(metrics: Metrics, name: str) -> list[Sentence]:
    """What the fewest and the most images of the victim's own kind give a thief, in one sentence."""
    doses = metrics.get("doses")
    if doses is None or name not in doses["victims"]:
        return []

    baseline, curve = metrics["baseline"], doses["victims"][name]
    ends = dict.fromkeys((0, len(curve) - 1))
    first, *last = [f"{curve[end]['images']:,}" for end in ends]
    shown = {
        victim: [percent(doses["victims"][victim][end]["clone_accuracy"]) for end in ends]
        for victim in (name, baseline)
    }
    text = f"With {first} unlabelled images of your own kind a thief's copy of {name} is right on {shown[name][0]}"
    text += "".join(f", with {images} on {right}" for images, right in zip(last, shown[name][1:], strict=True))
    text += " of the test images"
    return [("open", f"{text} ({baseline}: {', '.join(shown[baseline])})." if name != baseline else f"{text}.")]


def _cost(metrics: Metrics, name: str) -> Sentence:
    baseline, victim = metrics["baseline"], metrics["victims"][name]
    accuracy = victim["accuracy"]["accuracy_expected"]
    told = f"{name} itself is right on {percent(accuracy)} of the test images"
    lost = 100 * (metrics["victims"][baseline]["accuracy"]["accuracy_expected"] - accuracy)
    if name != baseline:
        told += f", {abs(lost):.1f} points {'less' if lost >= 0 else 'more'} than {baseline}"
    bytes_ = victim["file"]["flash_bytes"]
    told += f"; its file has {bytes_:,} bytes ({percent(victim['file']['flash_share_of_baseline'])} of {baseline}'s)."
    return cost_status(lost), told
