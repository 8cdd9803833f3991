"""What each operator of the files costs."""

import json

from matplotlib.figure import Figure

from tinycerb.reports.facts import in_groups
from tinycerb.reports.metrics import Metrics, VictimMetrics
from tinycerb.reports.style import SERIES, blank_axes, new_page
from tinycerb.reports.table import draw_table

_ROWS = 24
_NAMED = 4


def draw(metrics: Metrics) -> list[Figure]:
    """Draws one table for victims with the same layers, two to a page."""
    alike: dict[str, list[str]] = {}
    for name, victim in metrics["victims"].items():
        alike.setdefault(json.dumps(victim["file"]["operators"]), []).append(name)
    groups = list(alike.values())
    figures = []
    # Long tables get a page of their own.
    longest = max(len(victim["file"]["operators"]) for victim in metrics["victims"].values())
    on_a_page = 2 if longest <= _ROWS else 1
    for group in in_groups(groups, on_a_page):
        figure = new_page(
            "Layers",
            "Operators of the int8 files, counted from the files themselves; MACs are multiply-accumulate operations",
        )
        for index, names in enumerate(group):
            victim = metrics["victims"][names[0]]
            title = f"{_named(names)}: {victim['file']['flash_bytes']:,} bytes in all"
            _table(figure, title, victim, 0.905 - 0.44 * index, _ROWS * (3 - on_a_page))
        figures.append(figure)
    return figures


def _named(names: list[str]) -> str:
    """Names the first few; files with the same layers differ by a few bytes of what they say about themselves."""
    others = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {others} more with the same layers" if others > 0 else "")


def _table(figure: Figure, title: str, victim: VictimMetrics, top: float, most: int) -> None:
    operators = victim["file"]["operators"]
    total = max(sum(row["multiply_accumulates"] for row in operators), 1)
    rows = [
        [
            f"{index:2}  {row['operator']}",
            "x".join(map(str, row["output_shape"])),
            f"{row['multiply_accumulates']:,}",
            f"{row['weight_bytes']:,}",
            f"{row['activation_bytes']:,}",
            "",
        ]
        for index, row in enumerate(operators[:most])
    ]
    if len(operators) > most:
        rows.append([f"... {len(operators) - most} more", "", "", "", "", ""])
    sums = [sum(row[key] for row in operators) for key in ("multiply_accumulates", "weight_bytes")]
    largest = max(row["activation_bytes"] for row in operators)
    rows.append(["all", "", f"{sums[0]:,}", f"{sums[1]:,}", f"largest {largest:,}", ""])
    height = 0.0172 * (len(rows) + 1)
    figure.text(0.07, top, title, weight="bold", size=min(10, 800 / len(title)))
    axes = blank_axes(figure, (0.07, top - 0.008 - height, 0.86, height))
    header = [
        "operator",
        "output",
        "MACs",
        "weights, bytes",
        "output, bytes",
        "share of MACs",
    ]
    edges = [0.01, 0.38, 0.53, 0.69, 0.83, 1.0]
    draw_table(axes, header, rows, edges, 1 / (len(rows) + 1), size=7.6, bold_rows=[len(rows) - 1])
    for index, row in enumerate(operators[:most]):
        bottom = 1 - (index + 1.8) / (len(rows) + 1)
        share = row["multiply_accumulates"] / total
        axes.barh(bottom, 0.13 * share, height=0.6 / (len(rows) + 1), left=0.86, color=SERIES[0], align="edge")
