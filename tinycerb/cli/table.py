"""The results of a run as a table for the terminal."""

import typer
from rich.console import Group
from rich.text import Text

from tinycerb.cli.console import plain_console
from tinycerb.cli.side_by_side import side_by_side
from tinycerb.reports.facts import attack_names, channels_removed, stolen
from tinycerb.reports.metrics import JudgedVictim, Metrics, VictimMetrics
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_text


def print_results(run: RunDirectory, metrics: Metrics, as_json: bool) -> None:
    """Prints the table, or the JSON."""
    if as_json:
        typer.echo(read_text(run.metrics), nl=False)
    else:
        console = plain_console()
        console.print(results_table(metrics, console.width))


def results_table(metrics: Metrics, width: int) -> Group:
    """Returns victims side by side: task, size, time, and the worst clone per threat class.

    Args:
        metrics: the content of `metrics.json`.
        width: of the terminal, in characters.
    """
    lines = rows(metrics)
    columns = [(name, [values[index] for _, values in lines]) for index, name in enumerate(metrics["victims"])]
    title = f"{metrics['name']}: int8 files under tflite-runtime"
    return side_by_side(title, [label for label, _ in lines], columns, width, _caption(metrics))


def rows(metrics: Metrics) -> list[tuple[str, list[str]]]:
    """Returns the rows as text: a label and one value per victim."""
    victims = list(metrics["victims"].values())
    lines = [
        ("heads / channels removed", [f"{v['heads']} / {channels_removed(v):.0%}" for v in victims]),
        *_responses(victims),
        ("accuracy, expected", [f"{v['accuracy']['accuracy_expected']:.1%}" for v in victims]),
        ("accuracy, worst head", [f"{v['accuracy']['accuracy_worst_head']:.1%}" for v in victims]),
        ("flip rate, asked twice", [f"{v['accuracy']['flip_rate']:.1%}" for v in victims]),
        ("file, bytes", [f"{v['file']['flash_bytes']:,}" for v in victims]),
        (f"  of {metrics['baseline']}", [f"{v['file']['flash_share_of_baseline']:.0%}" for v in victims]),
        (
            "arena, bytes",
            [f"{v['memory']['arena_bytes']:,}" if v["memory"] else "not measured" for v in victims],
        ),
        ("host µs, median", [f"{v['latency']['optimised']['latency_us_p50']:.0f}" for v in victims]),
    ]
    for threat, verdict in metrics["threats"].items():
        names = attack_names(verdict)
        # The mean head stands in a row of its own, so that nobody fools themselves.
        lines.append((f"stolen {threat}, as deployed", [_stolen(v, names, False) for v in victims]))
        lines.append((f"stolen {threat}, mean head", [_stolen(v, names, True) for v in victims]))
        worst = [verdict["victims"][name] for name in metrics["victims"]]
        lines.append((f"stolen {threat}, worst case", [f"{case['clone_accuracy']:.1%}" for case in worst]))
        if verdict["conclusive"]:
            lines.append((f"  to {metrics['baseline']}, points", [_points(case) for case in worst]))
        else:
            lines.append((f"  {threat} is inconclusive", ["?" for _ in worst]))
    return lines


def _responses(victims: list[VictimMetrics]) -> list[tuple[str, list[str]]]:
    found = [victim.get("response", "none") for victim in victims]
    return [("response", found)] if set(found) != {"none"} else []


def _stolen(victim: VictimMetrics, attacks: set[str], mean_head: bool) -> str:
    found = stolen(victim, attacks, mean_head)
    return "-" if found is None else f"{found:.1%}"


def _points(case: JudgedVictim) -> str:
    difference = case["points_below_baseline"]
    return f"{-difference:+.1f}" if abs(difference) > 1e-9 else "-"


def _caption(metrics: Metrics) -> Text:
    lines = []
    for threat, verdict in metrics["threats"].items():
        for attack in verdict["attacks"]:
            word = "valid" if attack["valid"] else "not valid"
            lines.append(
                f"{threat}, {attack['attack']}: {word} attack (clone of {metrics['baseline']} "
                f"{attack['baseline_clone_accuracy']:.1%}, bar {verdict['bar']:.1%})"
            )
    return Text("\n".join(lines))
