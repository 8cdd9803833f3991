"""The first page: what may be claimed, what it costs, and where the figures come from."""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from reports.facts import Metrics, attack_names, channels_removed, percent, stolen, verdict_sentences
from reports.style import BAD, GOOD, OPEN, PALE, SERIES, blank_axes, new_page
from reports.table import draw_table

_COLOURS = {"good": GOOD, "bad": BAD, "open": OPEN}


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the verdict box, the victims side by side, a chart, and the provenance."""
    figure = new_page("Model-stealing report", f"TinyCerb run “{metrics['name']}”, int8 artefacts")
    _verdict(figure, metrics)
    _victims(figure, metrics)
    _chart(figure, metrics)
    _provenance(figure, metrics)
    return [figure]


def _verdict(figure: Figure, metrics: Metrics) -> None:
    axes = blank_axes(figure, (0.07, 0.735, 0.86, 0.185))
    axes.add_patch(
        FancyBboxPatch((0.005, 0.01), 0.99, 0.98, boxstyle="round,pad=0,rounding_size=0.02", fc=PALE, ec="none")
    )
    axes.text(0.025, 0.9, "Verdict", weight="bold", size=10.5, va="center")
    top = 0.80
    for status, sentence in verdict_sentences(metrics):
        lines = textwrap.wrap(sentence, 108)
        axes.text(0.025, top, "■", color=_COLOURS[status], va="top", size=9)
        axes.text(0.05, top, "\n".join(lines), va="top", linespacing=1.4)
        top -= 0.095 * len(lines) + 0.045
    axes.text(
        0.025,
        0.06,
        "Worst case over the attacks of this report, one seed each; see the last page for what was not measured.",
        size=7.5,
        color="#5a6675",
        va="center",
    )


def _victims(figure: Figure, metrics: Metrics) -> None:
    victims = metrics["victims"]
    values = list(victims.values())
    rows = [
        ["defence", *(v["defense"] for v in values)],
        ["heads, how one is chosen", *(f"{v['heads']}, {v['selection']}" for v in values)],
        ["backbone channels removed", *(percent(channels_removed(v)) for v in values)],
        ["parameters", *(f"{v['training']['parameters']:,}" for v in values)],
        ["accuracy, expected (10 k test)", *(percent(v["accuracy"]["accuracy_expected"]) for v in values)],
        ["validation, float > quantized", *(_validation(v) for v in values)],
        ["accuracy, worst head", *(percent(v["accuracy"]["accuracy_worst_head"]) for v in values)],
        ["label flips when asked twice", *(percent(v["accuracy"]["flip_rate"]) for v in values)],
        ["flash: .tflite file, bytes", *(f"{v['file']['flash_bytes']:,}" for v in values)],
        [
            "RAM: TFLM arena, bytes",
            *(f"{v['memory']['arena_bytes']:,}" if v["memory"] else "-" for v in values),
        ],
        ["multiply-accumulates", *(f"{v['file']['multiply_accumulates']:,}" for v in values)],
        ["host µs, optimised kernels, min / p50 / p90", *(_latency(v) for v in values)],
    ]
    bold = [4]
    for threat, verdict in metrics["threats"].items():
        names = attack_names(verdict)
        for mean_head, label in ((False, "as deployed"), (True, "mean-head oracle")):
            found = [stolen(v, names, mean_head) for v in values]
            rows.append([f"stolen accuracy {threat}, {label}", *("-" if f is None else percent(f) for f in found)])
        cases = [verdict["victims"][name] for name in victims]
        mark = "" if verdict["conclusive"] else " inconcl."
        rows.append([f"stolen accuracy {threat}, worst case", *(percent(c["clone_accuracy"]) + mark for c in cases)])
        bold.append(len(rows) - 1)
    rows.append(["random guess", *(percent(1 / len(metrics["class_names"])) for _ in values)])
    figure.text(0.07, 0.705, "Victims side by side", weight="bold", size=10.5)
    axes = blank_axes(figure, (0.07, 0.385, 0.86, 0.31))
    edges = [0.01, *np.linspace(1.0, 0.36, len(values), endpoint=False)[::-1]]
    rows[4][0] = f"accuracy, expected ({values[0]['accuracy']['test_images']:,} test images)"
    draw_table(axes, ["", *victims], rows, edges, 1 / (len(rows) + 1), size=8, bold_rows=bold)


def _validation(victim: dict) -> str:
    """Validation accuracy after the last epoch in float and in quantization-aware training."""
    history = victim["training"]["history"]
    last_float = [row for row in history if row["stage"] != "quantize"][-1]
    return f"{percent(last_float['validation_accuracy'])} > {percent(history[-1]['validation_accuracy'])}"


def _latency(victim: dict) -> str:
    times = victim["latency"]["optimised"]
    return " / ".join(f"{times[f'latency_us_{key}']:.0f}" for key in ("min", "p50", "p90"))


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
    lines = ["Validity of the attacks", ""]
    for name, judged in metrics["threats"].items():
        for attack in judged["attacks"]:
            word = "valid" if attack["valid"] else "not valid"
            lines += [
                f"{name} {attack['attack']}: {word}",
                f"   clone of {metrics['baseline']} {percent(attack['baseline_clone_accuracy'])},",
                f"   bar {percent(judged['bar'])} ({metrics['validity']:.2f} x its accuracy)",
            ]
    figure.text(0.69, 0.335, "\n".join(lines), size=7.5, va="top", linespacing=1.45)


def _provenance(figure: Figure, metrics: Metrics) -> None:
    facts = metrics["provenance"]
    packages = ", ".join(f"{name} {found}" for name, found in facts["packages"].items())
    images = facts["dataset_images"]
    lines = [
        f"Command    {facts['command']}",
        f"Created    {facts['created_utc']} UTC, TinyCerb {facts['tinycerb']}, seed {facts['seed']}, "
        f"configuration {facts['config_sha256_prefix']}",
        f"Machine    {facts['system']}, {facts['processor']}, {facts['cores']} cores, Python {facts['python']}",
        *textwrap.wrap(f"Packages   {packages}", 120, subsequent_indent=" " * 11),
        f"Data       {facts['dataset']} ({facts['dataset_source']}): {images['train']:,} train, "
        f"{images['validation']:,} validation, {images['test']:,} test",
        f"           SHA-256 {facts['dataset_sha256']}",
        *_network(facts.get("inputs", {}).get("model", {})),
        *(f"Model      {name}: SHA-256 {victim['file']['sha256']}" for name, victim in metrics["victims"].items()),
    ]
    figure.text(0.07, 0.195, "Provenance", weight="bold", size=10.5)
    figure.text(0.07, 0.185, "\n".join(lines), size=6.6, va="top", family="DejaVu Sans Mono", linespacing=1.5)


def _network(model: dict) -> list[str]:
    """The network that the user has brought along, if any."""
    if not model.get("source"):
        return []
    return [f"Network    {model['source'].rsplit('/', 1)[-1]}, SHA-256 {model['sha256']}"]
