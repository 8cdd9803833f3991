"""The first pages of a run with many victims: what stands on one page otherwise, each part on as many as it takes."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tinycerb.reports.facts import in_groups
from tinycerb.reports.front_texts import STATUS_COLOURS, VERDICT_NOTE, provenance_lines, title_of, validity_lines
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.style import BAD, SERIES, TYPEWRITER, blank_axes, new_page
from tinycerb.reports.victim_table import MOST_COLUMNS, draw_victims, victim_rows

_LINES_PER_PAGE = 62
_CHARACTERS = 108
_BARS_PER_PAGE = 20
_PROVENANCE_LINES = 75
# From 0.92 of the page's height down to its footer.
_BODY = (0.07, 0.06, 0.86, 0.86)


def draw(metrics: Metrics, sentences: Sequence[tuple[str, str]]) -> list[Figure]:
    """Draws the verdict, the victims in groups, their best clones, the attacks' validity, and the provenance."""
    return [
        *_verdicts(metrics, sentences),
        *_tables(metrics),
        *_charts(metrics),
        *_texts("Validity of the attacks", "Who may count", validity_lines(metrics), 8.0, "DejaVu Sans"),
        *_texts("Provenance", "Where the figures come from", provenance_lines(metrics), 6.6, TYPEWRITER),
    ]


def _verdicts(metrics: Metrics, sentences: Sequence[tuple[str, str]]) -> list[Figure]:
    figures: list[Figure] = []
    left = 0
    for status, sentence in sentences:
        lines = textwrap.wrap(sentence, _CHARACTERS)
        if left < len(lines) + 1:
            title, below = title_of(metrics)
            figures.append(new_page(f"{title}, continued" if figures else title, below if figures else VERDICT_NOTE))
            axes, left = blank_axes(figures[-1], _BODY), _LINES_PER_PAGE
        top = left / _LINES_PER_PAGE
        axes.text(0.0, top, "■", color=STATUS_COLOURS[status], va="top", size=9)
        axes.text(0.025, top, "\n".join(lines), va="top", linespacing=1.3)
        left -= len(lines) + 1
    return figures


def _tables(metrics: Metrics) -> list[Figure]:
    figures = []
    groups = in_groups(list(metrics["victims"]), MOST_COLUMNS)
    for pair in in_groups(groups, 2):
        figures.append(new_page("Victims side by side", f"{len(metrics['victims'])} victims, four at a time"))
        for index, names in enumerate(pair):
            rows, bold = victim_rows(metrics, names)
            draw_victims(blank_axes(figures[-1], (0.07, 0.50 - 0.44 * index, 0.86, 0.40)), names, rows, bold)
    return figures


def _charts(metrics: Metrics) -> list[Figure]:
    figures = []
    for threat, verdict in metrics["threats"].items():
        for names in in_groups(list(metrics["victims"]), _BARS_PER_PAGE):
            figures.append(new_page(f"Victims and their best clones ({threat})", "Accuracy on the test set, %"))
            axes = figures[-1].add_axes((0.26, 0.9 - 0.04 * len(names), 0.64, 0.04 * len(names)))
            places = -np.arange(len(names))
            own = [100 * metrics["victims"][name]["accuracy"]["accuracy_expected"] for name in names]
            clones = [100 * verdict["victims"][name]["clone_accuracy"] for name in names]
            for offset, widths, colour, label in ((0.2, own, SERIES[0], "victim"), (-0.2, clones, SERIES[1], "clone")):
                axes.bar_label(
                    axes.barh(places + offset, widths, 0.38, color=colour, label=label), fmt="%.1f", padding=2
                )
            axes.axvline(100 / len(metrics["class_names"]), color=BAD, linewidth=0.8, linestyle=":")
            axes.set_yticks(places, list(names))
            axes.set_xlim(0, 112)
            axes.grid(visible=False, axis="y")
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02 - 0.6 / len(names)), ncols=2)
    return figures


def _texts(title: str, below: str, lines: list[str], size: float, family: str | list[str]) -> list[Figure]:
    figures = []
    for part in in_groups(lines, _PROVENANCE_LINES):
        figures.append(new_page(f"{title}, continued" if figures else title, below))
        figures[-1].text(0.07, 0.91, "\n".join(part), size=size, va="top", family=family, linespacing=1.4)
    return figures
