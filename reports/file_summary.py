"""A .tflite file as a text table: one line per layer, then totals, ends, arena and what runtimes lack."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

_BAR = 12
_NAME = 24


class LayerFacts(TypedDict):
    """An operator and what it costs."""

    index: int
    layer: str
    operator: str
    version: int
    input_shape: list[int]
    output_shape: list[int]
    dtype: str
    multiply_accumulates: int
    weight_bytes: int
    activation_bytes: int


class EndFacts(TypedDict):
    """An input or output."""

    dtype: str
    shape: list[int]
    scales: list[float]
    zero_points: list[int]


class ArenaFacts(TypedDict):
    """The planned memory."""

    origin: str
    arena_bytes: int
    nonpersistent_bytes: int
    persistent_bytes: int


class SummaryFacts(TypedDict):
    """What is shown of a file."""

    file_bytes: int
    subgraphs: int
    inputs: dict[str, EndFacts]
    outputs: dict[str, EndFacts]
    layers: list[LayerFacts]
    totals: dict[str, int]
    arena: ArenaFacts | None
    missing_operators: dict[str, list[str]]
    card: dict[str, object] | None
    card_error: str | None


def render_summary(name: str, facts: SummaryFacts) -> str:
    """Returns the text for a terminal.

    Args:
        name: the file's name.
        facts: what `tinycerb.converters.summary.summarise` returns.
    """
    totals = facts["totals"]
    lines = [
        f"{_plain(name)}: {facts['file_bytes']:,} bytes, {_count(totals['operators'], 'operator')}"
        + (f" in {facts['subgraphs']} subgraphs (the first is shown)" if facts["subgraphs"] > 1 else ""),
        "",
        *_layers(facts["layers"], totals["multiply_accumulates"]),
        "",
        f"totals    {totals['multiply_accumulates']:,} multiply-accumulates, {totals['weight_bytes']:,} weight bytes, "
        f"largest activation {totals['largest_activation_bytes']:,} bytes",
        *_ends("input", facts["inputs"]),
        *_ends("output", facts["outputs"]),
        _arena(facts["arena"]),
        *_missing(facts["missing_operators"]),
        *_card(facts["card"], facts["card_error"]),
    ]
    return "\n".join(lines)


def _layers(layers: Sequence[LayerFacts], total: int) -> list[str]:
    rows = [("", "layer", "operator", "v", "in", "out", "type", "MACs", "weights", "activation", "share of MACs")]
    rows += [
        (
            str(layer["index"]),
            _plain(layer["layer"])[:_NAME],
            _plain(layer["operator"])[:_NAME],
            str(layer["version"]),
            _shape(layer["input_shape"]),
            _shape(layer["output_shape"]),
            layer["dtype"],
            f"{layer['multiply_accumulates']:,}",
            f"{layer['weight_bytes']:,}",
            f"{layer['activation_bytes']:,}",
            _bar(layer["multiply_accumulates"], total),
        )
        for layer in layers
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = {0, 3, 7, 8, 9}
    return [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _bar(part: int, total: int) -> str:
    if part == 0:
        return ""
    share = part / total
    return f"{'#' * round(_BAR * share):<{_BAR}} {share:6.1%}"


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "-"


def _ends(kind: str, tensors: Mapping[str, EndFacts]) -> list[str]:
    return [
        f"{kind:<10}{_plain(name)[:60]}: {tensor['dtype']} {_shape(tensor['shape'])}{_quantization(tensor)}"
        for name, tensor in tensors.items()
    ]


def _quantization(tensor: EndFacts) -> str:
    if not tensor["scales"]:
        return ""
    zero_point = tensor["zero_points"][0] if tensor["zero_points"] else 0
    sign = "-" if zero_point > 0 else "+"
    return f", scale {tensor['scales'][0]:.8g}, zero point {zero_point}: real = (code {sign} {abs(zero_point)}) * scale"


def _arena(arena: ArenaFacts | None) -> str:
    if arena is None:
        return "arena     not planned: too many activations for a microcontroller"
    return (
        f"arena     {arena['arena_bytes']:,} bytes, {arena['origin']}: {arena['nonpersistent_bytes']:,} for "
        f"activations, about {arena['persistent_bytes']:,} for the interpreter on a 32-bit core"
    )


def _missing(missing: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        f"{runtime}: " + (f"lacks {_plain(', '.join(names))}" if names else "knows all operators")
        for runtime, names in missing.items()
    ]


def _card(card: Mapping[str, object] | None, error: str | None) -> list[str]:
    if error is not None:
        return [f"TinyCerb  card unreadable: {_plain(error)}"]
    if card is None:
        return ["TinyCerb  no card inside: this file was not made by tinycerb convert"]
    alphas = ", ".join(f"{alpha:.4g}" for alpha in cast(list[float], card["alphas"]))
    lines = [f"TinyCerb  {_count(cast(int, card['heads']), 'head')} x {card['classes']} classes, alpha {alphas}"]
    shown = (
        "backbone", "dataset", "defense", "owner_key", "selection", "head_layout", "response", "quantization",
        "tensorflow",
    )  # fmt: skip
    lines += [f"          {key}: {_plain(str(card[key]))[:100]}" for key in shown if key in card]
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(text: str) -> str:
    """A file of unknown origin must not send control sequences to the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
