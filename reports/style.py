"""The look of every page: A4, one type family, colours that colour-blind readers can tell apart."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinycerb.reports.plain_text import wrapped

# For columns that line up; letters that the typewriter's face lacks come from the other one.
TYPEWRITER = ["DejaVu Sans Mono", "DejaVu Sans"]
# From a bullet point to the right margin.
_PARAGRAPH_POINTS = 530
A4_INCHES = (8.27, 11.69)
INK, PALE, RULE = "#1d2733", "#f2f4f7", "#c3cad4"
GOOD, BAD, OPEN = "#1b7f5c", "#b3402a", "#8a6d1a"
# Okabe and Ito's palette.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_MARKS = ("o", "s", "^", "D")
_LINES = ("-", "--", ":", "-.")

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e8ee",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    # Text stays text: searchable, and the same on every machine.
    "pdf.fonttype": 42,
    # A dollar in somebody's name begins no formula.
    "text.parse_math": False,
}


def series_look(index: int) -> dict[str, Any]:
    """Returns colour, marker and line of a series; the first 24 all look different."""
    lap = index // len(SERIES)
    return {"color": SERIES[index % len(SERIES)], "marker": _MARKS[lap % 4], "linestyle": _LINES[lap % 4]}


def new_page(title: str, subtitle: str) -> Figure:
    """Returns an empty A4 page with a heading; content goes below 0.92 of its height."""
    figure = Figure(figsize=A4_INCHES)
    figure.text(0.07, 0.955, title, fontsize=17, weight="bold")
    figure.text(0.07, 0.935, subtitle, fontsize=9, color="#5a6675")
    return figure


def add_footer(figure: Figure, left: str, page: int, pages: int) -> None:
    """Puts provenance and the page number at the foot."""
    figure.text(0.07, 0.025, left, fontsize=7, color="#5a6675")
    figure.text(0.93, 0.025, f"{page} / {pages}", fontsize=7, color="#5a6675", ha="right")


def blank_axes(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Returns axes without frame, ticks or grid: left, bottom, width, height in page shares."""
    axes = figure.add_axes(box)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return axes


def write_paragraphs(figure: Figure, x: float, top: float, paragraphs: list[str], width: int) -> float:
    """Writes bullet points, wrapped at `width` characters; returns where they end."""
    for paragraph in paragraphs:
        figure.text(x, top, "•", fontsize=8.5, va="top")
        text = "\n".join(_lines(paragraph, width))
        figure.text(x + 0.018, top, text, fontsize=8.5, va="top", linespacing=1.45)
        top -= paragraph_height(paragraph, width)
    return top


def paragraph_height(paragraph: str, width: int) -> float:
    """Returns what a bullet point takes of the page's height."""
    return 0.0155 * len(_lines(paragraph, width)) + 0.007


def _lines(paragraph: str, width: int) -> list[str]:
    return wrapped(paragraph, width, _PARAGRAPH_POINTS, 8.5)
