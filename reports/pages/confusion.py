"""Where the victims err, and where their heads part."""

import numpy as np
from matplotlib.figure import Figure

from tinycerb.reports.metrics import Metrics
from tinycerb.reports.plain_text import fitted
from tinycerb.reports.style import new_page

# Points that there are for names below a matrix and beside it.
_BELOW, _BESIDE = 68, 58


def draw(metrics: Metrics) -> list[Figure]:
    """Draws a confusion matrix per victim, and the agreement of heads where there are several."""
    names = metrics["class_names"]
    victims = list(metrics["victims"].items())
    figures = []
    for start in range(0, len(victims), 4):
        figure = new_page(
            "Confusion",
            "True classes (down) and answers (across) of a random head on the test set, per cent of each class",
        )
        for index, (name, victim) in enumerate(victims[start : start + 4]):
            left, bottom = 0.14 + 0.45 * (index % 2), 0.56 - 0.45 * (index // 2)
            matrix = np.array(victim["accuracy"]["confusion_expected"])
            shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            _matrix(
                figure,
                (left, bottom, 0.335, 0.335),
                shares,
                names,
                name,
                "%.0f",
            )
        spare = len(victims[start : start + 4])
        several = [(name, victim) for name, victim in victims[start : start + 4] if victim["heads"] > 1]
        if several and spare < 4:
            name, victim = several[0]
            left, bottom = 0.14 + 0.45 * (spare % 2), 0.62 - 0.45 * (spare // 2)
            heads = [f"head {index}" for index in range(victim["heads"])]
            agreement = 100 * np.array(victim["accuracy"]["head_agreement"])
            _matrix(
                figure,
                (left, bottom, 0.2, 0.2),
                agreement,
                heads,
                f"{name}: heads with the same label, %",
                "%.1f",
            )
        figures.append(figure)
    return figures


def _matrix(figure: Figure, box, values: np.ndarray, names: list[str], title: str, form: str) -> None:
    left, bottom, width, height = box
    # Square on an A4 page.
    axes = figure.add_axes((left, bottom, width, height * 8.27 / 11.69))
    axes.imshow(values, cmap="Blues", vmin=0, vmax=100)
    axes.set_title(title, fontsize=8.5)
    below, beside = ([fitted(name, points, 6.5) for name in names] for points in (_BELOW, _BESIDE))
    axes.set_xticks(range(len(names)), below, rotation=90, fontsize=6.5)
    axes.set_yticks(range(len(names)), beside, fontsize=6.5)
    axes.grid(visible=False)
    if len(names) > 20:
        return
    for (row, column), value in np.ndenumerate(values):
        if value >= 0.5:
            colour = "white" if value > 55 else "#1d2733"
            axes.text(column, row, form % value, ha="center", va="center", fontsize=6, color=colour)
