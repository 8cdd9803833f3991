"""The results of a run as a table for the terminal."""

from typing import Any

from rich.console import Group
from rich.text import Text

from reports.facts import attack_names, channels_removed, stolen
from tinycerb.cli.side_by_side import side_by_side


def results_table(metrics: dict[str, Any]) -> Group:
    """Returns victims side by side: task, size, time, and the worst clone per threat class."""
    lines = rows(metrics)
    columns = {name: [values[index] for _, values in lines] for index, name in enumerate(metrics["victims"])}
    title = f"{metrics['name']}: int8 files under tflite-runtime"
    return side_by_side(title, [label for label, _ in lines], columns, _caption(metrics))


def rows(metrics: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Returns the rows as text: a label and one value per victim."""
    victims = list(metrics["victims"].values())
    lines = [
        ("heads / channels removed", [f"{v['heads']} / {channels_removed(v):.0%}" for v in victims]),
        *_responses(victims),
        ("accuracy, expected", [f"{v['accuracy']['accuracy_expected']:.1%}" for v in victims]),
        ("accuracy, worst head", [f"{v['accuracy']['accuracy_worst_head']:.1%}" for v in victims]),
        ("flip rate, asked twice", [f"{v['accuracy']['flip_rate']:.1%}" for v in victims]),
        ("file, bytes (of baseline)", [_size(v) for v in victims]),
        (
            "arena, bytes",
            [f"{v['memory']['arena_bytes']:,}" if v["memory"] else "not measured" for v in victims],
        ),
        ("host µs, optimised kernels, min / p50 / p90", [_latency(v) for v in victims]),
    ]
    for threat, verdict in metrics["threats"].items():
        names = attack_names(verdict)
        # The mean head stands in a row of its own, so that nobody fools themselves.
        lines.append((f"stolen {threat}, as deployed", [_stolen(v, names, False) for v in victims]))
        lines.append((f"stolen {threat}, mean head", [_stolen(v, names, True) for v in victims]))
        worst = [verdict["victims"][name] for name in metrics["victims"]]
        lines.append((f"stolen {threat}, worst case", [_case(case, verdict["conclusive"]) for case in worst]))
    return lines


def _responses(victims: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    found = [victim["response"] for victim in victims]
    return [("response", found)] if set(found) != {"none"} else []


def _size(victim: dict[str, Any]) -> str:
    return f"{victim['file']['flash_bytes']:,} ({victim['file']['flash_share_of_baseline']:.0%})"


def _latency(victim: dict[str, Any]) -> str:
    times = victim["latency"]["optimised"]
    return " / ".join(f"{times[key]:.0f}" for key in ("latency_us_min", "latency_us_p50", "latency_us_p90"))


def _stolen(victim: dict[str, Any], attacks: set[str], mean_head: bool) -> str:
    found = stolen(victim, attacks, mean_head)
    return "-" if found is None else f"{found:.1%}"


def _case(case: dict[str, Any], conclusive: bool) -> str:
    difference = case["points_below_baseline"]
    claim = f" ({-difference:+.1f})" if abs(difference) > 1e-9 else ""
    return f"{case['clone_accuracy']:.1%}{claim if conclusive else ' inconclusive'}"


def _caption(metrics: dict[str, Any]) -> Text:
    lines = []
    for threat, verdict in metrics["threats"].items():
        for attack in verdict["attacks"]:
            word = "valid" if attack["valid"] else "not valid"
            lines.append(
                f"{threat}, {attack['attack']}: {word} attack (clone of {metrics['baseline']} "
                f"{attack['baseline_clone_accuracy']:.1%}, bar {verdict['bar']:.1%})"
            )
    return Text("\n".join(lines))
