"""What pruning and quantization took, and what they cost."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from tinycerb.reports.facts import channels_removed, percent
from tinycerb.reports.metrics import LayerNoise, Metrics, Quantization, VictimMetrics
from tinycerb.reports.plain_text import shortened
from tinycerb.reports.style import blank_axes, new_page, write_paragraphs
from tinycerb.reports.table import draw_table

_NAMES = {"channels": "channels", "unstructured": "TF-MOT unstructured", "two_of_four": "TF-MOT 2:4"}
_LAYERS = 26


def draw(metrics: Metrics) -> list[Figure]:
    """Draws the victims' compression side by side, noisy layers where accuracy was lost, and notes."""
    figure = new_page("Compression", "What pruning and quantization took away, and what they cost")
    victims = metrics["victims"]
    rows = [[name, *_row(victim)] for name, victim in victims.items()]
    header = [
        "",
        "pruning",
        "removed",
        "parameters",
        "quantization",
        "float",
        "int8",
        "agree",
        "off task",
    ]
    edges = [0.01, 0.31, 0.43, 0.53, 0.66, 0.735, 0.81, 0.91, 1.0]
    height = 0.022 * (len(rows) + 1)
    axes = blank_axes(figure, (0.07, 0.905 - height, 0.86, height))
    draw_table(axes, header, rows, edges, 1 / (len(rows) + 1), size=7.2)
    top = write_paragraphs(figure, 0.07, 0.89 - height, _notes(metrics), 118) - 0.02
    figures = [figure]
    for name, victim in victims.items():
        quantization = victim["quantization"]
        if layers := quantization["layers"]:
            layers = layers[:_LAYERS]
            if top - _noise_height(layers) < 0.05:
                figures.append(new_page("Compression", "Layers of victims that lost accuracy by quantization"))
                top = 0.905
            top = _noise(figures[-1], name, quantization, layers, top)
    return figures


def _row(victim: VictimMetrics) -> list[str]:
    zeros = victim["training"]["zero_weight_share"]
    removed = percent(channels_removed(victim)) if zeros is None else f"{percent(zeros)} zeros"
    quantization, coherence = victim["quantization"], victim["coherence"]
    method: str = {"aware": "aware training", "post": "post-training"}[quantization["method"]]
    return [
        _NAMES[victim["pruning"]] if victim["channel_ratio"] else "none",
        removed,
        f"{victim['training']['parameters']:,}",
        method,
        percent(quantization["float_accuracy_expected"]),
        percent(quantization["float_accuracy_expected"] - quantization["accuracy_lost_points"] / 100),
        percent(victim["accuracy"]["head_agreement_mean"]) if coherence else "one head",
        f"{coherence['cosine']:.2f}" if coherence else "-",
    ]


def _notes(metrics: Metrics) -> list[str]:
    notes = [
        "float and int8: expected accuracy on the test set before and after quantization, without response. agree: "
        "pairs of heads with the same label on the test set. off task: mean cosine of two heads on procedural "
        "images (1: heads say the same, lower is harder to clone).",
    ]
    if any(victim["training"]["zero_weight_share"] is not None for victim in metrics["victims"].values()):
        notes.append(
            "TF-MOT's own modes set single weights to zero. They do not shrink the model on a microcontroller: the "
            "int8 file, its arena and its multiply-accumulates keep their size. Only whole channels that are cut do."
        )
    for name, victim in metrics["victims"].items():
        manifest = victim["calibration"]
        if manifest:
            shares = manifest["in_distribution_images"], manifest["out_of_distribution_images"]
            histogram = ", ".join(map(str, manifest["class_histogram"]))
            notes.append(
                f"{name} was calibrated on {shares[0]} images of the training split (per class: {histogram}) and "
                f"{shares[1]} procedural ones; model.json lists them."
            )
    return notes


def _noise_height(layers: Sequence[LayerNoise]) -> float:
    return 0.0152 * (len(layers) + 1)


def _noise(figure: Figure, name: str, quantization: Quantization, layers: Sequence[LayerNoise], top: float) -> float:
    """Draws signal-to-noise of every layer; returns where the next block may start."""
    worst = quantization["worst_layer"] or ""
    lost = quantization["accuracy_lost_points"]
    title = f"{name} lost {lost:.1f} points by quantization; {shortened(worst, 36)} adds most noise"
    figure.text(0.07, top, title, weight="bold", size=min(9.5, 760 / len(title)))
    rows = [
        [
            shortened(row["layer"], 36),
            shortened(row["operator"], 24),
            f"{row['signal_to_noise_db']:.1f}",
            f"{100 * row['added_noise_share']:.2f}",
        ]
        for row in layers
    ]
    height = _noise_height(layers)
    axes = blank_axes(figure, (0.07, top - 0.008 - height, 0.86, height))
    marked = [index for index, row in enumerate(layers) if row["layer"] == worst]
    header = ["layer", "operator", "signal to noise, dB", "noise added, % of signal"]
    draw_table(axes, header, rows, [0.01, 0.52, 0.74, 1.0], 1 / (len(rows) + 1), size=7.2, bold_rows=marked)
    return top - height - 0.03
