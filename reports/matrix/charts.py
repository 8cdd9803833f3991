"""The charts of a matrix, each as PNG and PDF, from `results.json` alone."""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from tinycerb.reports.matrix.results import Results, ThreatVerdict, VictimVerdict
from tinycerb.reports.plain_text import clean, drawable
from tinycerb.reports.style import RULE, STYLE, series_look

# Defences are told apart by colour and, from the seventh on, by line and mark, too.
_COSTS = (
    ("utility_loss", "utility lost, points of accuracy"),
    ("flash_bytes", "model file, thousand bytes"),
    ("instructions", "instructions per answer, millions"),
)


def draw_charts(results: Results) -> dict[str, bytes]:
    """Draws all charts that the results hold figures for.

    Returns:
        Files by name: `heat-map-T1.png`, `pareto-T1.pdf` and so on, for each threat class with cells; budget curves
        where attacks were run with two budgets or more.
    """
    results = clean(results, drawable)
    files: dict[str, bytes] = {}
    with matplotlib.rc_context(STYLE):
        for threat, verdict in results["threats"].items():
            judged = {name: case for name, case in verdict["victims"].items() if case}
            if not judged:
                continue
            charts = {
                "heat-map": _heat_map(threat, verdict, judged),
                "pareto": _pareto(results, threat, judged),
                "budget-curves": _budget_curves(threat, verdict, judged),
            }
            for name, figure in charts.items():
                if figure is not None:
                    files |= _rendered(f"{name}-{threat}", figure)
    return files


def _rendered(name: str, figure: Figure) -> dict[str, bytes]:
    files = {}
    # Without dates: the same results make the same bytes.
    for kind, metadata in (("png", {"Software": None}), ("pdf", {"CreationDate": None, "Producer": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=160, metadata=metadata, bbox_inches="tight", facecolor="white")
        files[f"{name}.{kind}"] = buffer.getvalue()
    return files


def _heat_map(threat: str, verdict: ThreatVerdict, judged: dict[str, VictimVerdict]) -> Figure:
    attacks = [attack["attack"] for attack in verdict["attacks"]]
    figure = Figure(figsize=(2.6 + 0.95 * (len(attacks) + 1), 1.4 + 0.34 * len(judged)))
    axes = figure.add_subplot()
    values = np.full((len(judged), len(attacks) + 1), np.nan)
    for row, case in enumerate(judged.values()):
        for column, attack in enumerate(attacks):
            if attack in case["by_attack"]:
                values[row, column] = 100 * case["by_attack"][attack]["stolen_accuracy"]["mean"]
        values[row, -1] = 100 * case["stolen_accuracy"]["mean"]
    axes.imshow(values, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "-" if np.isnan(value) else f"{value:.1f}"
        weight = "bold" if column == len(attacks) else "normal"
        ink = "black" if np.isnan(value) or value > 55 else "white"
        axes.text(column, row, text, ha="center", va="center", color=ink, weight=weight)
    marked = [attack["attack"] + ("" if attack["valid"] else "\n(not valid)") for attack in verdict["attacks"]]
    axes.set_xticks(range(len(attacks) + 1), [*marked, "worst case"], rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(judged)), list(judged))
    axes.axvline(len(attacks) - 0.5, color="white", linewidth=3)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(_titled(f"{threat}: accuracy of the best clone, %", verdict))
    return figure


def _titled(title: str, verdict: ThreatVerdict) -> str:
    return title if verdict["conclusive"] else f"{title} (inconclusive: no valid attack)"


def _pareto(results: Results, threat: str, judged: dict[str, VictimVerdict]) -> Figure | None:
    """Stolen accuracy against what the defence costs; the line joins those that nothing beats in both."""
    costs = {name: _costs(results, name) for name in judged}
    panels = [(key, label) for key, label in _COSTS if any(cost[key] is not None for cost in costs.values())]
    if not panels:
        return None
    figure = Figure(figsize=(3.5 * len(panels) + 1.6, 3.6), layout="constrained")
    all_axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for axes, (key, label) in zip(all_axes, panels, strict=True):
        points = {
            name: (value, 100 * judged[name]["stolen_accuracy"]["mean"])
            for name, cost in costs.items()
            if (value := cost[key]) is not None
        }
        _front(axes, list(points.values()))
        for index, name in enumerate(judged):
            if name in points:
                low, high = (100 * judged[name]["stolen_accuracy"][end] for end in ("low", "high"))
                x, y = points[name]
                errors = [[max(y - low, 0)], [max(high - y, 0)]]
                axes.errorbar(
                    x,
                    y,
                    yerr=errors,
                    label=name,
                    ms=6,
                    capsize=2,
                    elinewidth=0.9,
                    **{**series_look(index), "linestyle": "none"},
                )
        axes.set_xlabel(label)
        axes.margins(x=0.12)
    all_axes[0].set_ylabel("stolen accuracy, worst case, %")
    handles = {}
    for axes in all_axes:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    ordered = [name for name in judged if name in handles]
    figure.legend([handles[name] for name in ordered], ordered, loc="outside right center", fontsize=8)
    all_axes[0].set_title(f"{threat}: down and left is better")
    return figure


def _costs(results: Results, name: str) -> dict[str, float | None]:
    victim = results["victims"][name]
    loss, device = victim["utility_loss"], victim["device"] or {}
    instructions, flash = device.get("instructions_per_inference"), victim.get("flash_bytes")
    lost = 0.0 if name == results["baseline"] else None
    return {
        "utility_loss": 100 * loss["mean"] if loss else lost,
        "flash_bytes": flash / 1000 if flash else None,
        "instructions": instructions / 1e6 if instructions else None,
    }


def _front(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Draws the steps below which no defence lies."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not best or y < best[-1][1]:
            best.append((x, y))
    if len(best) > 1:
        axes.step(*zip(*best, strict=True), where="post", color=RULE, linewidth=2, zorder=0)


def _budget_curves(threat: str, verdict: ThreatVerdict, judged: dict[str, VictimVerdict]) -> Figure | None:
    attacks = [
        attack["attack"]
        for attack in verdict["attacks"]
        if any(len(case["by_attack"].get(attack["attack"], {}).get("budget_curve", [])) > 1 for case in judged.values())
    ]
    if not attacks:
        return None
    columns = min(3, len(attacks))
    rows = -(-len(attacks) // columns)
    figure = Figure(figsize=(3.4 * columns + 1.6, 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, attack in zip(panels, attacks, strict=False):
        for index, (name, case) in enumerate(judged.items()):
            curve = case["by_attack"].get(attack, {}).get("budget_curve", [])
            calls = [point["queries_charged"] for point in curve]
            axes.plot(calls, [100 * point["clone_accuracy"] for point in curve], ms=4, label=name, **series_look(index))
        axes.set_xscale("log")
        # Matplotlib's own labels of such an axis are formulas.
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(0, 100)
        axes.set_xlabel("questions asked")
        axes.set_title(f"{threat}, {attack}")
    for axes in panels[len(attacks) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel("accuracy of the best clone, %")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=8)
    return figure
