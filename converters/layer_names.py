"""The layer that an operator came from, read out of the name chains that the converter makes."""

import re

from tinycerb.converters.model_file import Operator

_QUANTIZED = re.compile(r"\bquant_(\w+)")


def layer_name(operator: Operator) -> str:
    """Returns a short name for people: the Keras layer's where it can be told, else the operator's own."""
    return (layer_of_chain(operator.outputs[0].name) if operator.outputs else "") or operator.name


def layer_of_chain(chain: str) -> str:
    """Returns the layer that a tensor came from, "" where its name tells nothing.

    A fused operator is called `model/quant_stem_relu/Relu;model/quant_stem_norm/...;model/quant_stem/Conv2D1`: the
    shortest of the layers' names is the one that holds the weights.
    """
    layers = _QUANTIZED.findall(chain)
    if not layers:
        paths = [part.split("/") for part in chain.split(";") if part]
        layers = [path[-2] if len(path) > 1 else path[0] for path in paths]
    return min(layers, key=len)[:60] if layers else ""
