"""The first page: what may be claimed, what it costs, and where the figures come from."""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tinycerb.reports.facts import Metrics, verdict_sentences
from tinycerb.reports.front_texts import STATUS_COLOURS, VERDICT_NOTE, provenance_lines, title_of, validity_lines
from tinycerb.reports.pages import overview
from tinycerb.reports.style import BAD, PALE, SERIES, TYPEWRITER, blank_axes, new_page
from tinycerb.reports.victim_table import MOST_COLUMNS, draw_victims, victim_rows

# In shares of the verdict's box: a line, the space after a sentence, and what title and note leave.
_LINE, _SPACE, _ROOM = 0.095, 0.045, 0.72
_CHARACTERS = 108


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the verdict box, the victims side by side, a chart, and the provenance."""
    sentences = verdict_sentences(metrics)
    height = sum(_LINE * len(textwrap.wrap(text, _CHARACTERS)) + _SPACE for _, text in sentences)
    if len(metrics["victims"]) > MOST_COLUMNS or height > _ROOM:
        return overview.draw(metrics, sentences)
    figure = new_page(*title_of(metrics))
    _verdict(figure, sentences)
    _victims(figure, metrics)
    _chart(figure, metrics)
    _provenance(figure, metrics)
    return [figure]


def _verdict(figure: Figure, sentences: list[tuple[str, str]]) -> None:
    axes = blank_axes(figure, (0.07, 0.735, 0.86, 0.185))
    axes.add_patch(
        FancyBboxPatch((0.005, 0.01), 0.99, 0.98, boxstyle="round,pad=0,rounding_size=0.02", fc=PALE, ec="none")
    )
    axes.text(0.025, 0.9, "Verdict", weight="bold", size=10.5, va="center")
    top = 0.80
    for status, sentence in sentences:
        lines = textwrap.wrap(sentence, _CHARACTERS)
        axes.text(0.025, top, "■", color=STATUS_COLOURS[status], va="top", size=9)
        axes.text(0.05, top, "\n".join(lines), va="top", linespacing=1.4)
        top -= _LINE * len(lines) + _SPACE
    axes.text(0.025, 0.06, VERDICT_NOTE, size=7.5, color="#5a6675", va="center")


def _victims(figure: Figure, metrics: Metrics) -> None:
    rows, bold = victim_rows(metrics, list(metrics["victims"]))
    figure.text(0.07, 0.705, "Victims side by side", weight="bold", size=10.5)
    draw_victims(blank_axes(figure, (0.07, 0.385, 0.86, 0.31)), list(metrics["victims"]), rows, bold)


def _chart(figure: Figure, metrics: Metrics) -> None:
    victims = metrics["victims"]
    if not metrics["threats"]:
        return
    threat, verdict = next(iter(metrics["threats"].items()))
    axes = figure.add_axes((0.12, 0.235, 0.46, 0.115))
    axes.set_title(f"Accuracy of the victim and of its best clone ({threat})")
    places = np.arange(len(victims))
    own = [100 * v["accuracy"]["accuracy_expected"] for v in victims.values()]
    clones = [100 * verdict["victims"][name]["clone_accuracy"] for name in victims]
    for offset, heights, colour, label in (
        (-0.2, own, SERIES[0], "victim"),
        (0.2, clones, SERIES[1], "clone"),
    ):
        bars = axes.bar(places + offset, heights, 0.38, color=colour, label=label)
        axes.bar_label(bars, fmt="%.1f", fontsize=7, padding=1)
    axes.axhline(100 / len(metrics["class_names"]), color=BAD, linewidth=0.8, linestyle=":")
    axes.text(
        len(victims) - 0.45,
        100 / len(metrics["class_names"]) + 2,
        "random guess",
        size=6.5,
        color=BAD,
        ha="right",
    )
    axes.set_xticks(places, list(victims))
    axes.set_ylim(0, 112)
    axes.set_ylabel("%")
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=7.5)
    lines = ["Validity of the attacks", "", *validity_lines(metrics)]
    figure.text(0.69, 0.335, "\n".join(lines), size=7.5, va="top", linespacing=1.45)


def _provenance(figure: Figure, metrics: Metrics) -> None:
    figure.text(0.07, 0.195, "Provenance", weight="bold", size=10.5)
    text = "\n".join(provenance_lines(metrics))
    figure.text(0.07, 0.185, text, size=6.6, va="top", family=TYPEWRITER, linespacing=1.5)
