"""How many multiply-accumulates a layer does."""

from collections.abc import Mapping

from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.layer_costs import cost_of


def multiply_accumulates(layer: Layer) -> int:
    """Returns those that are done: of several heads in one dense layer, the selected one's alone."""
    whole = cost_of(layer.operator).multiply_accumulates
    product = layer.parameters.get("product")
    if not layer.parameters.get("head_weights") or not isinstance(product, Mapping):
        return whole
    selected, rows = product["rows"], layer.operator.outputs[0].shape[-1]
    return whole * selected // rows if isinstance(selected, int) else whole
