"""Victims side by side: one column each."""

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from tinycerb.reports.facts import attack_names, channels_removed, cycles_text, percent, stolen
from tinycerb.reports.metrics import Metrics, VictimMetrics
from tinycerb.reports.table import draw_table

_RESPONSE_NAME = re.compile(r"(?:^|\+)([a-z0-9_]+)(?=,|\+|$)")
# More columns than this leave no room for their figures.
MOST_COLUMNS = 4


def victim_rows(metrics: Metrics, names: Sequence[str]) -> tuple[list[list[str]], list[int]]:
    """Returns the rows of these victims, a title first, and the indices of the rows that matter most."""
    values = [metrics["victims"][name] for name in names]
    tested = values[0]["accuracy"]["test_images"]
    rows = [
        ["defence", *(defence_text(v) for v in values)],
        ["heads, how one is chosen", *(f"{v['heads']}, {v['selection']}" for v in values)],
        ["backbone channels removed", *(percent(channels_removed(v)) for v in values)],
        ["parameters", *(f"{v['training']['parameters']:,}" for v in values)],
        [
            f"accuracy, expected ({tested:,} test images)",
            *(percent(v["accuracy"]["accuracy_expected"]) for v in values),
        ],
        ["validation, float > quantized", *(_validation(v) for v in values)],
        ["accuracy, worst head", *(percent(v["accuracy"]["accuracy_worst_head"]) for v in values)],
        ["label flips when asked twice", *(percent(v["accuracy"]["flip_rate"]) for v in values)],
        ["flash: .tflite file, bytes", *(f"{v['file']['flash_bytes']:,}" for v in values)],
        [
            "RAM: TFLM arena, bytes",
            *(f"{v['memory']['arena_bytes']:,}" if v["memory"] else "-" for v in values),
        ],
        ["multiply-accumulates", *(f"{v['file']['multiply_accumulates']:,}" for v in values)],
        *_device_rows(values),
        ["host µs, optimised kernels, min / p50 / p90", *(_latency(v) for v in values)],
    ]
    bold = [4]
    for threat, verdict in metrics["threats"].items():
        attacks = attack_names(verdict)
        for mean_head, label in ((False, "as deployed"), (True, "mean-head oracle")):
            found = [stolen(v, attacks, mean_head) for v in values]
            rows.append([f"stolen accuracy {threat}, {label}", *("-" if f is None else percent(f) for f in found)])
        cases = [verdict["victims"][name] for name in names]
        mark = "" if verdict["conclusive"] else " inconcl."
        rows.append([f"stolen accuracy {threat}, worst case", *(percent(c["clone_accuracy"]) + mark for c in cases)])
        bold.append(len(rows) - 1)
    rows.append(["random guess", *(percent(1 / len(metrics["class_names"])) for _ in values)])
    return rows, bold


def draw_victims(axes: Axes, names: Sequence[str], rows: list[list[str]], bold: Sequence[int]) -> None:
    """Draws the rows of up to `MOST_COLUMNS` victims."""
    longest = max(map(len, names))
    edges = [0.01, *np.linspace(1.0, 0.36, len(names), endpoint=False)[::-1]]
    draw_table(
        axes, ["", *names], rows, edges, 1 / (len(rows) + 1), size=8, bold_rows=bold, header_size=min(8, 110 / longest)
    )


def defence_text(victim: VictimMetrics) -> str:
    """Training part and response, as the command line writes them, without options."""
    response = "+".join(_RESPONSE_NAME.findall(victim.get("response", "none")))
    if response in ("none", victim["defense"]):
        return victim["defense"]
    return response if victim["defense"] == "none" else f"{victim['defense']}+{response}"


def _validation(victim: VictimMetrics) -> str:
    """Validation accuracy after the last epoch in float and in quantization-aware training."""
    history = victim["training"]["history"]
    last_float = [row for row in history if row["stage"] != "quantize"][-1]
    return f"{percent(last_float['validation_accuracy'])} > {percent(history[-1]['validation_accuracy'])}"


def _device_rows(values: Sequence[VictimMetrics]) -> list[list[str]]:
    """What an emulated board counted, and the estimate beside it; nothing where none was asked."""
    devices = [victim.get("device") for victim in values]
    boards = sorted({board for device in devices if device and (board := device.get("board"))})
    if not boards:
        return []
    counted = [device.get("instructions_per_inference") if device else None for device in devices]
    return [
        [f"{', '.join(boards)}: instructions", *("-" if count is None else f"{count:,}" for count in counted)],
        ["cycles: an ESTIMATE (band)", *(cycles_text(device) for device in devices)],
    ]


def _latency(victim: VictimMetrics) -> str:
    times = victim["latency"]["optimised"]
    shown = (times["latency_us_min"], times["latency_us_p50"], times["latency_us_p90"])
    return " / ".join(f"{value:.0f}" for value in shown)
