"""Can this network go the whole way? Asked of TF-MOT, the pruner and the converter before anything is trained.

`python -m tinycerb.conversion.preflight` reads a configuration from standard input.
"""

import sys
import warnings
from typing import TypedDict

from tinycerb.compression.channel_plan import plan_channels
from tinycerb.compression.quantization import quantize_aware
from tinycerb.config import Config, parse_config
from tinycerb.config.user_sources import USER
from tinycerb.conversion.trained_model import from_quantization_aware
from tinycerb.converters.contract import contract_violations
from tinycerb.converters.export import FULLY_CONNECTED, PER_HEAD_BACKBONES, export_int8
from tinycerb.converters.layer_names import layer_name
from tinycerb.converters.model_file import ModelFile, parse_model
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.model_optimization import tfmot
from tinycerb.run.victim import Victim, victims_of
from tinycerb.subprocess_call import answer
from tinycerb.training.model_source import build_model, first_build
from tinycerb.training.setup import make_repeatable

_L = keras.layers
_SCALED = "TinyCerb gives the network images in 0..1 and the device takes the bytes as they are"
# What to do about layers that people do bring along; all others get the list of what TF-MOT takes.
_FIXES = {
    "Rescaling": f"take it out: {_SCALED}; divide the first layer's weights if they were trained with another range",
    "Normalization": f"take it out: {_SCALED}; fold its mean and variance into the first layer's weights",
    "Resizing": "take it out and resize the images beforehand",
    "CenterCrop": "take it out and crop the images beforehand",
    "Lambda": "write it with Keras' own layers, such as Add or ReLU",
    "TFOpLambda": "write it with Keras' own layers: x + y is Add()([x, y])",
    "LayerNormalization": "use BatchNormalization right after a convolution",
    "BatchNormalization": "put it right after a Conv2D, DepthwiseConv2D or Dense that has no activation",
    "PReLU": "use ReLU",
    "ELU": "use ReLU",
    "LeakyReLU": "use ReLU",
    "Multiply": "leave squeeze-and-excitation out, or use Add",
    "Concatenate": "use Add",
    "SeparableConv2D": "write it as DepthwiseConv2D followed by Conv2D with kernel size 1",
    "GlobalMaxPooling2D": "use GlobalAveragePooling2D",
}
_OTHERWISE = (
    "build the network of Conv2D, DepthwiseConv2D, Dense, BatchNormalization, ReLU, Add, MaxPooling2D, "
    "GlobalAveragePooling2D, Flatten and Dropout"
)
# It asks for a class that nobody can hand over here.
_ADVICE_OF_TF_MOT = "You can quantize this layer by passing"
_PREPROCESSING = (_L.Rescaling, _L.Normalization, _L.Resizing, _L.CenterCrop)


class NetworkFacts(TypedDict):
    """What is known of a network that can go the whole way."""

    sha256: str
    parameters: int
    operators: int


def check(config: Config) -> NetworkFacts:
    """Builds the victims' network once and takes it through the planning of pruning, quantization and conversion.

    Returns:
        `sha256` of the user's model ("" for a registered backbone), `parameters` of the multi-head model and
        `operators` of its int8 file.

    Raises:
        UsageError: a layer that cannot be taken; the message names it and the way out.
    """
    make_repeatable(config.seed)
    dataset = load_dataset(config.data)
    sha256 = ""
    if config.model.backbone == USER:
        model, sha256 = first_build(config)
        check_layers(model)
        if first_build(config)[1] != sha256:
            raise UsageError(
                f"{config.model.source} builds other weights every time; load them, seed your own generator, or leave "
                "them to Keras' initialisers, which TinyCerb seeds"
            )
    largest = max(victims_of(config).values(), key=_extent)
    model = build_model(config, largest.defense, dataset)
    if config.model.backbone != USER:
        check_layers(model)
    if any(victim.channel_ratio for victim in config.victims):
        plan_channels(model)
    file = check_target(model, largest.heads.in_file, dataset)
    return {
        "sha256": sha256,
        "parameters": int(model.count_params()),
        "operators": len(file.operators),
    }


def _extent(victim: Victim) -> tuple[int, int]:
    """How much of a graph a victim makes: backbones, then heads."""
    return len(victim.defense.architecture.backbones), victim.heads.in_file


def check_layers(model: keras.Model) -> None:
    """Walks the layers in order and asks TF-MOT's registry for each of them.

    Raises:
        UsageError: the first one that 8-bit quantization-aware training does not take.
    """
    registry = tfmot.quantization.keras.default_8bit.Default8BitQuantizeRegistry()
    names = [layer.name for layer in model.layers]
    for layer in model.layers:
        where = f"layer {layer.name!r} ({names.index(layer.name) + 1} of {len(names)}, {type(layer).__name__})"
        if isinstance(layer, keras.Model):
            raise UsageError(
                f"{where} is a model inside the model, which TF-MOT does not take; build one graph: call its layers "
                "on your tensors, or use keras.Model(inner.input, your_layers(inner.output))"
            )
        if isinstance(layer, _PREPROCESSING):
            raise UsageError(f"{where} prepares images, which the device does not; {_fix(layer)}")
        if isinstance(layer, _L.InputLayer):
            if layer.dtype != "float32":
                raise UsageError(f"{where} has dtype {layer.dtype}; allowed: float32 (images in 0..1)")
            continue
        # TF-MOT takes batch normalisation, too, where it can fold it into the layer before.
        if before := _activation_before(layer):
            raise UsageError(f"{where} stands behind {before}; {_fix(layer)}, and the ReLU behind both")
        if not registry.supports(layer) and not _is_folded(layer):
            raise UsageError(f"{where}: TF-MOT's 8-bit quantization does not take it; {_fix(layer)}")


def _is_folded(layer: object) -> bool:
    if not isinstance(layer, _L.BatchNormalization) or not layer.inbound_nodes:
        return False
    before = [node.layer for node in layer.inbound_nodes[0].parent_nodes]
    return len(before) == 1 and isinstance(before[0], _L.Conv2D | _L.DepthwiseConv2D | _L.Dense)


def _activation_before(layer: keras.layers.Layer) -> str:
    """What is said of an activation between the layer and the one that it could be folded into; empty for none."""
    if not _is_folded(layer):
        return ""
    before = layer.inbound_nodes[0].parent_nodes[0].layer
    return "" if _activation(before) == "linear" else f"the activation {_activation(before)!r} of layer {before.name!r}"


def _activation(layer: keras.layers.Layer) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def _fix(layer: keras.layers.Layer | None) -> str:
    activation = _activation(layer)
    if activation not in ("linear", "relu"):
        return f"use 'relu' in place of the activation {activation!r}"
    return _FIXES.get(type(layer).__name__, _OTHERWISE)


def check_target(model: keras.Model, heads: int, dataset: Dataset) -> ModelFile:
    """Quantizes and converts the untrained model as after training, and holds the file against the contract.

    Raises:
        UsageError: TF-MOT or the converter refuses it, or the file has an operator that the target does not run.
    """
    quantized = _quantized(model)
    try:
        with warnings.catch_warnings():
            # The contract judges the file; what the converter remarks about ranges is the same thing, less clearly.
            warnings.simplefilter("ignore")
            source = from_quantization_aware(quantized, heads)
            layout = PER_HEAD_BACKBONES if source.per_head_backbones else FULLY_CONNECTED
            content = export_int8(source.backbone, source.heads, dataset.image_shape, {}, layout)
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UsageError(f"the model cannot be converted to int8: {first}") from error
    file = parse_model(content)
    violations = contract_violations(file)
    if violations:
        culprit = _layer_behind(violations[0], file, model)
        named = f"layer {culprit.name!r} ({type(culprit).__name__}): " if culprit else ""
        raise UsageError(f"{named}the target cannot run what becomes of it: {violations[0]}; {_fix(culprit)}")
    return file


def _quantized(model: keras.Model) -> keras.Model:
    try:
        return quantize_aware(model)
    except (UsageError, ValueError) as error:
        reason = str(error.__cause__ or error).partition(_ADVICE_OF_TF_MOT)[0].strip(" .")
        for layer in model.layers:
            if _refused_alone(layer):
                raise UsageError(
                    f"layer {layer.name!r} ({type(layer).__name__}): TF-MOT's 8-bit quantization does not take it; "
                    f"{_fix(layer)}"
                ) from error
        raise UsageError(f"quantization-aware training does not take this model: {reason}; {_OTHERWISE}") from error


def _refused_alone(layer: keras.layers.Layer) -> bool:
    """Whether TF-MOT refuses a model of this layer alone, which tells whose fault it is."""
    if isinstance(layer, _L.InputLayer | _L.BatchNormalization):
        return False
    given = layer.input if isinstance(layer.input, list) else [layer.input]
    inputs = [_L.Input(tuple(tensor.shape[1:])) for tensor in given]
    alone = type(layer).from_config(layer.get_config())
    try:
        quantize_aware(keras.Model(inputs, alone(inputs if len(inputs) > 1 else inputs[0])))
    except (UsageError, ValueError):
        return True
    return False


def _layer_behind(violation: str, file: ModelFile, model: keras.Model) -> keras.layers.Layer | None:
    """The Keras layer whose name stands in the output of the operator that a violation names."""
    for operator in file.operators:
        if f"(operator {operator.index}, " in violation:
            return next((layer for layer in model.layers if layer.name == layer_name(operator)), None)
    return None


if __name__ == "__main__":
    answer(lambda: check(parse_config(sys.stdin.read(), "the configuration")))
