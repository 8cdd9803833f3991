"""How the victims were trained."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinycerb.reports.facts import in_groups, percent
from tinycerb.reports.metrics import Epoch, Metrics, VictimMetrics
from tinycerb.reports.plain_text import shortened
from tinycerb.reports.style import blank_axes, new_page, series_look
from tinycerb.reports.table import draw_table
from tinycerb.reports.victim_table import MOST_COLUMNS

# Above it, names stand below all panels, and what pruning kept on pages of its own.
_NAMES_IN_EVERY_PANEL = 9
# What has no room is in `metrics.json`.
_MOST_CHOICES, _CHOICE_CHARACTERS = 3, 140
_STAGE_NAMES = {"dense": "dense", "prune": "pruning", "recover": "cut network", "quantize": "quantization-aware"}


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the curves of all victims and the table of pruned channel groups."""
    figure = new_page("Training", "Every victim of a run gets the same epochs; validation images are never test images")
    for number, line in enumerate(_choices(metrics)):
        figure.text(0.07, 0.922 - 0.0092 * number, line, fontsize=6.4)
    panels = (
        ("validation_accuracy", "Validation accuracy, mean of heads", 100.0, "%"),
        ("cross_entropy", "Cross-entropy on the task, mean of heads", 1.0, ""),
        (
            "defense_loss",
            "Defence's term on out-of-distribution images (1: heads alike, 0: heads orthogonal)",
            1.0,
            "",
        ),
        ("kept_share", "Channels (or weights) kept", 100.0, "%"),
    )
    for index, (key, title, factor, unit) in enumerate(panels):
        axes = figure.add_axes((0.11, 0.755 - 0.172 * index, 0.82, 0.125))
        axes.set_title(title)
        for number, (name, victim) in enumerate(metrics["victims"].items()):
            history = victim["training"]["history"]
            if key == "defense_loss" and victim["defense"] == "none":
                continue
            epochs = [row["epoch"] for row in history]
            axes.plot(epochs, [factor * row[key] for row in history], ms=3, label=name, **series_look(number))
        history = next(iter(metrics["victims"].values()))["training"]["history"]
        _mark_stages(axes, history, with_names=index == 0)
        axes.set_ylabel(unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(history[0]["epoch"] - 0.5, history[-1]["epoch"] + 0.5)
        _name_lines(axes)
    axes.set_xlabel("epoch")
    if len(metrics["victims"]) > _NAMES_IN_EVERY_PANEL:
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, fontsize=6.5, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 0.05))
    groups = in_groups(
        [name for name, victim in metrics["victims"].items() if victim["training"]["channel_groups"]], MOST_COLUMNS
    )
    crowded = len(metrics["victims"]) > _NAMES_IN_EVERY_PANEL or len(groups) > 1
    pages = [new_page("Training", "What pruning kept") for _ in groups] if crowded else [figure] * len(groups)
    for page, members in zip(pages, groups, strict=True):
        _groups(page, {name: metrics["victims"][name] for name in members})
    return [figure, *pages] if crowded else [figure]


def _choices(metrics: Metrics) -> list[str]:
    """How the networks of victims with several trainings were chosen, mostly a line each; three have room."""
    lines = []
    for name, victim in metrics["victims"].items():
        if choice := victim.get("choice"):
            kept = [each["training_seed"] for each in choice["candidates"]].index(choice["training_seed"]) + 1
            clones = " ".join(percent(each["development_clone_accuracy"]) for each in choice["candidates"])
            own = " ".join(percent(each["validation_accuracy"]) for each in choice["candidates"])
            line = (
                f"{shortened(name, 24)}: training {kept} of {len(choice['candidates'])} kept by the {choice['keep']} "
                f"(clones {clones}; themselves {own}; validation images)"
            )
            lines += textwrap.wrap(line, _CHOICE_CHARACTERS)
    return lines[:_MOST_CHOICES]


def _name_lines(axes) -> None:
    """Many names would hide the lines: they stand below all panels."""
    names = axes.get_legend_handles_labels()[1]
    if not names:
        axes.text(0.5, 0.5, "no victim has a defence with a loss", transform=axes.transAxes, ha="center", size=8)
    elif len(names) <= _NAMES_IN_EVERY_PANEL:
        axes.legend(fontsize=7.5, ncols=3, loc="best")


def _mark_stages(axes, history: list[Epoch], with_names: bool) -> None:
    for stage in dict.fromkeys(row["stage"] for row in history):
        first = min(row["epoch"] for row in history if row["stage"] == stage)
        if first > history[0]["epoch"]:
            axes.axvline(first - 0.5, color="#8894a3", linewidth=0.8, linestyle="--")
        if with_names:
            axes.text(
                first - 0.45,
                0.03,
                _STAGE_NAMES.get(stage, stage),
                transform=axes.get_xaxis_transform(),
                size=7,
                color="#5a6675",
            )


def _groups(figure: Figure, pruned: dict[str, VictimMetrics]) -> None:
    # Heads with hidden layers bring groups of their own, so that victims may differ in their lists.
    channels = {
        tuple(group["producers"]): group["channels"]
        for victim in pruned.values()
        for group in victim["training"]["channel_groups"]
    }
    kept = [
        {tuple(g["producers"]): g["kept"] for g in victim["training"]["channel_groups"]} for victim in pruned.values()
    ]
    rows = [
        [shortened(", ".join(names), 64), str(count), *(str(found.get(names, "-")) for found in kept)]
        for names, count in channels.items()
    ]
    figure.text(0.07, 0.19, "Channels kept, by groups of layers that lose the same ones", weight="bold", size=9.5)
    axes = blank_axes(figure, (0.07, 0.05, 0.86, 0.13))
    header = ["convolutions of the group", "channels", *pruned]
    edges = [0.01, 0.46, *(1 - 0.52 * (len(pruned) - 1 - index) / len(pruned) for index in range(len(pruned)))]
    height = min(0.12, 1 / (len(rows) + 1))
    draw_table(axes, header, rows, edges, height, size=7.5, header_size=min(7.5, 90 / max(map(len, pruned))))
