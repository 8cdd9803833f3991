"""Counts of a question on a board, as JSON and in lines."""

from collections.abc import Sequence
from typing import Any

import typer

from tinycerb.boards.counts import Counts
from tinycerb.converters.c_model.layer import Layer

_PARTS = ("draw", "inference", "answer")


def count_facts(counts: Counts, layers: Sequence[Layer], unit: str) -> dict[str, object]:
    """Returns what commands print with --json; the layers and the rest sum to the inference."""
    return {
        **{f"{part}_{unit}": getattr(counts, part) for part in _PARTS},
        "layers": [
            {"kernel": layer.kernel, "output": list(layer.operator.outputs[0].shape), unit: count}
            for layer, count in zip(layers, counts.layers, strict=True)
        ],
        f"rest_{unit}": counts.rest,
    }


def print_counts(facts: dict[str, Any], unit: str, told: str) -> None:
    """Prints them, one line each."""
    for part in _PARTS:
        typer.echo(f"{part:12} {facts[f'{part}_{unit}']:>12,} {told}")
    for layer in facts["layers"]:
        shape = "x".join(map(str, layer["output"]))
        typer.echo(f"  {layer['kernel'].removeprefix('tc_'):20} {shape:>14} {layer[unit]:>12,}")
    typer.echo(f"  {'rest: calls, copy of the output':35} {facts[f'rest_{unit}']:>12,}")
