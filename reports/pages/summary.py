"""The first page: what may be claimed, what it costs, and where the figures come from."""

import textwrap
from collections.abc import Iterable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tinycerb.reports.facts import verdict_sentences
from tinycerb.reports.front_texts import STATUS_COLOURS, VERDICT_NOTE, provenance_lines, title_of, validity_lines
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.pages import overview
from tinycerb.reports.plain_text import shortened
from tinycerb.reports.style import BAD, PALE, SERIES, TYPEWRITER, blank_axes, new_page
from tinycerb.reports.victim_table import MOST_COLUMNS, draw_victims, victim_rows

# In shares of the page: a line of the verdict, the space after a sentence, title and note.
_LINE, _SPACE, _FRAME = 0.0148, 0.0065, 0.049
# The verdict's box where it is smallest; what more it takes, the table gives first, then the chart.
_BOX, _OF_TABLE, _OF_CHART = 0.185, 0.06, 0.03
_CHARACTERS = 100


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the verdict box, the victims side by side, a chart, and the provenance."""
    sentences = verdict_sentences(metrics)
    # What the classes mean stands once, below the sentences.
    meanings = {threat: verdict["meaning"] for threat, verdict in metrics["threats"].items()}
    short = [(status, _without(text, meanings.values())) for status, text in sentences]
    note = "\n".join([*(f"{threat}: {meaning}." for threat, meaning in meanings.items()), VERDICT_NOTE])
    height = sum(_LINE * len(textwrap.wrap(text, _CHARACTERS)) + _SPACE for _, text in short)
    more = max(0.0, height + _FRAME + 0.75 * _LINE * len(meanings) - _BOX)
    if len(metrics["victims"]) > MOST_COLUMNS or more > _OF_TABLE + _OF_CHART:
        return overview.draw(metrics, sentences)
    figure = new_page(*title_of(metrics))
    _verdict(figure, short, note, _BOX + more)
    _victims(figure, metrics, more)
    _chart(figure, metrics, max(0.0, more - _OF_TABLE))
    _provenance(figure, metrics)
    return [figure]


def _without(text: str, meanings: Iterable[str]) -> str:
    for meaning in meanings:
        text = text.replace(f"; {meaning}.", ".")
    return text


def _verdict(figure: Figure, sentences: list[tuple[str, str]], note: str, height: float) -> None:
    axes = blank_axes(figure, (0.07, 0.92 - height, 0.86, height))
    axes.add_patch(
        FancyBboxPatch((0.005, 0.01), 0.99, 0.98, boxstyle="round,pad=0,rounding_size=0.02", fc=PALE, ec="none")
    )
    axes.text(0.025, 1 - 0.0185 / height, "Verdict", weight="bold", size=10.5, va="center")
    top = 1 - 0.034 / height
    for status, sentence in sentences:
        lines = textwrap.wrap(sentence, _CHARACTERS)
        axes.text(0.025, top, "■", color=STATUS_COLOURS[status], va="top", size=8)
        axes.text(0.05, top, "\n".join(lines), va="top", size=8.0, linespacing=1.3)
        top -= (_LINE * len(lines) + _SPACE) / height
    axes.text(0.025, 0.006 / height, note, size=7.0, color="#5a6675", va="bottom", linespacing=1.3)


def _victims(figure: Figure, metrics: Metrics, more: float) -> None:
    rows, bold = victim_rows(metrics, list(metrics["victims"]))
    figure.text(0.07, 0.705 - more, "Victims side by side", weight="bold", size=10.5)
    given = min(more, _OF_TABLE)
    axes = blank_axes(figure, (0.07, 0.385 - (more - given), 0.86, 0.31 - given))
    draw_victims(axes, list(metrics["victims"]), rows, bold)


def _chart(figure: Figure, metrics: Metrics, given: float) -> None:
    victims = metrics["victims"]
    if not metrics["threats"]:
        return
    threat, verdict = next(iter(metrics["threats"].items()))
    axes = figure.add_axes((0.12, 0.235, 0.46, 0.115 - given))
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
    axes.axhline(100 / len(metrics["class_names"]), color=BAD, linewidth=0.8, linestyle=":", label="random guess")
    # So much as stands beside each other without touching.
    axes.set_xticks(places, [shortened(name, 60 // len(victims)) for name in victims], fontsize=7)
    axes.set_ylim(0, 112)
    axes.set_ylabel("%")
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=6.8, handlelength=1.6)
    lines = ["Validity of the attacks", "", *validity_lines(metrics)]
    figure.text(0.725, 0.335 - given, "\n".join(lines), size=7, va="top", linespacing=1.45)


def _provenance(figure: Figure, metrics: Metrics) -> None:
    figure.text(0.07, 0.195, "Provenance", weight="bold", size=10.5)
    text = "\n".join(provenance_lines(metrics))
    figure.text(0.07, 0.185, text, size=6.6, va="top", family=TYPEWRITER, linespacing=1.5)
