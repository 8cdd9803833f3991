"""How many images of the victim's own kind a thief needs: clones by that number, as a curve."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from tinycerb.reports.facts import CHANCE_POINTS, percent
from tinycerb.reports.metrics import Doses, Metrics
from tinycerb.reports.plain_text import shortened
from tinycerb.reports.style import BAD, blank_axes, new_page, series_look, write_paragraphs
from tinycerb.reports.table import draw_table

_CHARACTERS = 118
# In shares of the page: where the table begins, a row of it, and what it takes at most.
_TABLE, _ROW, _MOST = 0.5, 0.021, 0.25


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the curve with the task's chance and the victims' own accuracy, its figures, and what it says."""
    doses = metrics.get("doses")
    if doses is None:
        return []
    figure = new_page(
        "How many images of your own kind a thief needs",
        "Clones trained on the victim's answers to so many unlabelled images of its task, and on nothing else (T2)",
    )
    _curve(figure.add_axes((0.11, 0.57, 0.82, 0.3)), metrics, doses)
    rows = _rows(metrics, doses)
    height = min(_ROW * (len(rows) + 1), _MOST)
    axes = blank_axes(figure, (0.07, _TABLE - height, 0.86, height))
    names = list(doses["victims"])
    edges = [0.01, *np.linspace(1.0, 0.3, len(names), endpoint=False)[::-1]]
    header = ["images of your own kind", *(shortened(name, 40) for name in names)]
    draw_table(axes, header, rows, edges, 1 / (len(rows) + 1), size=8)
    write_paragraphs(figure, 0.07, _TABLE - height - 0.025, _paragraphs(doses), _CHARACTERS)
    return [figure]


def _curve(axes: Axes, metrics: Metrics, doses: Doses) -> None:
    axes.set_title("Accuracy of the clone on the test images")
    numbers = {name: number for number, name in enumerate(metrics["victims"])}
    for name, points in doses["victims"].items():
        look = series_look(numbers[name])
        images = [point["images"] for point in points]
        axes.plot(images, [100 * point["clone_accuracy"] for point in points], ms=5, label=f"clone of {name}", **look)
        own = 100 * metrics["victims"][name]["accuracy"]["accuracy_expected"]
        axes.axhline(own, color=look["color"], linewidth=0.9, linestyle=(0, (6, 3)), label=f"{name} itself")
    chance = 100 / len(metrics["class_names"])
    axes.axhline(chance, color=BAD, linewidth=0.9, linestyle=":", label="random guess")
    axes.set_xscale("log")
    axes.set_xticks(images, [f"{count:,}" for count in images])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 100)
    axes.set_ylabel("%")
    axes.set_xlabel("unlabelled images of your own kind that the thief asks about, each once (logarithmic)")
    axes.legend(fontsize=7.5, loc="lower right", bbox_to_anchor=(1.0, 0.13))


def _rows(metrics: Metrics, doses: Doses) -> list[list[str]]:
    curves = list(doses["victims"].values())
    own = [percent(metrics["victims"][name]["accuracy"]["accuracy_expected"]) for name in doses["victims"]]
    return [
        *(
            [f"{row[0]['images']:,}", *(percent(dose["clone_accuracy"]) for dose in row)]
            for row in zip(*curves, strict=True)
        ),
        ["the victim itself", *own],
        ["random guess", *(percent(1 / len(metrics["class_names"])) for _ in curves)],
    ]


def _paragraphs(doses: Doses) -> list[str]:
    seeds = max(len(dose["clone_accuracies"]) for curve in doses["victims"].values() for dose in curve)
    mean = f" Each figure is the mean over {seeds} attackers, each with images of its own." if seeds > 1 else ""
    left_out = f" {doses['left_out']}." if doses["left_out"] else ""
    return [
        f"The thief ({doses['student']}) knows no label of these images, which no victim has trained on: the victim's "
        f"answers are all it learns from. A smaller set is part of each larger one.{mean}{left_out}",
        "Images of the task get honest answers, else the victim would be wrong about them. So no change of the answers "
        "moves this curve far: what protects here is that few have such images. Where two curves differ by less than "
        f"{CHANCE_POINTS:.0f} points, that can be chance.",
        "The curve is no part of the verdict: its T2 rows are of the run's attacks, with as many images as they have. "
        "The curve says what a thief with fewer or more would come to.",
    ]
