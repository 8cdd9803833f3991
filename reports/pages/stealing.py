"""Every attack cell, and how each clone learned."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinycerb.reports.facts import percent
from tinycerb.reports.metrics import Cell, Metrics
from tinycerb.reports.style import blank_axes, new_page, series_look
from tinycerb.reports.table import draw_table

_ROWS_PER_PAGE = 26
# More names than these victims have do not fit into a small panel.
_MOST_BESIDE_TABLE = 4


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the table of cells and the clones' curves."""
    cells = [cell for victim in metrics["victims"].values() for cell in victim["cells"]]
    figures: list[Figure] = []
    for start in range(0, len(cells), _ROWS_PER_PAGE):
        figure = new_page("Stealing", "A cell is one attack on one int8 victim with one student; its last epoch counts")
        _table(figure, cells[start : start + _ROWS_PER_PAGE])
        figures.append(figure)
    if not figures:
        return []
    if len(metrics["victims"]) <= _MOST_BESIDE_TABLE:
        _curves(figures[0], metrics, [(0.11 + 0.44 * index, 0.09, 0.37, 0.22) for index in range(2)])
    else:
        figures.append(new_page("Stealing", "How the clones of every victim learned"))
        _curves(figures[-1], metrics, [(0.11, 0.62 - 0.43 * index, 0.82, 0.27) for index in range(2)])
    return figures


def _table(figure: Figure, cells: list[Cell]) -> None:
    header = ["victim", "attack", "student", "head", "queries", "clone", "best epoch", "agreement"]
    rows = [
        [
            cell["victim"],
            cell["attack"],
            cell["student"],
            "mean of all" if cell["reference_row"] else cell["selection"],
            f"{cell['queries_charged']:,}",
            percent(cell["clone_accuracy"]),
            percent(cell["clone_accuracy_oracle_best"]),
            percent(cell["agreement_with_victim"]),
        ]
        for cell in cells
    ]
    height = 0.019 * (len(rows) + 1)
    axes = blank_axes(figure, (0.07, 0.91 - height, 0.86, height))
    draw_table(axes, header, rows, [0.01, 0.27, 0.44, 0.56, 0.67, 0.77, 0.88, 1.0], 1 / (len(rows) + 1), size=7.6)
    notes = (
        "Clone: test accuracy after the last epoch. Best epoch: the best measured one, as if test labels were at hand. "
        "Agreement: with the victim's mean head on the test set. Mean of all: the exact average over the heads, which "
        "no device gives away; it bounds what repeating every question can bring."
    )
    lines = textwrap.wrap(notes, 140)
    figure.text(0.07, 0.9 - height, "\n".join(lines), size=7, color="#5a6675", va="top", linespacing=1.4)


def _curves(figure: Figure, metrics: Metrics, boxes: list[tuple[float, float, float, float]]) -> None:
    students = sorted({cell["student"] for v in metrics["victims"].values() for cell in v["cells"]})
    first = next(iter(metrics["threats"].values()))["attacks"][0]["attack"]
    for student, box in zip(students, boxes, strict=False):
        axes = figure.add_axes(box)
        axes.set_title(f"Clone accuracy, {first}, {student}")
        for number, (name, victim) in enumerate(metrics["victims"].items()):
            for cell in victim["cells"]:
                if cell["student"] == student and cell["attack"] == first:
                    label = f"{name}, mean head" if cell["reference_row"] else name
                    epochs = [point["epoch"] for point in cell["curve"]]
                    curve = [100 * point["clone_accuracy"] for point in cell["curve"]]
                    (line,) = axes.plot(epochs, curve, ms=3, label=label, **series_look(number))
                    line.set_linestyle("--" if cell["reference_row"] else "-")
        axes.set_ylim(0, 100)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch of the clone")
        if len(metrics["victims"]) <= _MOST_BESIDE_TABLE:
            axes.legend(fontsize=7, loc="lower right")
        else:
            axes.legend(fontsize=5, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.14))
