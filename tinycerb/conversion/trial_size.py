"""The size of a network before it is trained: cut at random, converted for real, and run in TFLite Micro."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinycerb import file_names
from tinycerb.advice.install import install_command
from tinycerb.compression.budget import Size
from tinycerb.compression.calibration import choose_calibration
from tinycerb.compression.masks import ChannelMasks
from tinycerb.compression.quantization import quantize_aware
from tinycerb.config import Config
from tinycerb.conversion.from_run import describe_victim, export_artifact
from tinycerb.conversion.trained_model import TrainedModel, from_float, from_quantization_aware
from tinycerb.converters.export import FULLY_CONNECTED, PER_HEAD_BACKBONES
from tinycerb.converters.model_file import ModelFile, Operator
from tinycerb.datasets.images import Dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.keras_models.legacy import keras
from tinycerb.run.victim import Victim
from tinycerb.runtimes.engines import installed_runtimes
from tinycerb.runtimes.isolated import head_inputs, run_model
from tinycerb.runtimes.model_card import HeadErrors
from tinycerb.training.model_source import build_model

# How many digits a head's scale factor has is not known yet.
_SPARE_BYTES_PER_HEAD = 24
# As long as what conversion measures on a trained network.
_HEAD_ERRORS = HeadErrors(0.1234, 0.1234)


def measure_size(config: Config, victim: Victim, dataset: Dataset, ratio: float) -> Size:
    """Builds, cuts, quantizes and converts an untrained victim: which channels go does not change the sizes.

    Raises:
        UsageError: the network cannot be pruned or quantized.
        EnvironmentProblem: tflite-micro is not installed.
    """
    if "tflite-micro" not in installed_runtimes():
        raise EnvironmentProblem(f"--ram and --flash measure with tflite-micro: {install_command('tflite-micro')}")
    model = build_model(config, victim.defense, dataset)
    rng = np.random.default_rng(config.seed)
    # Untrained biases are all zero, and equal vectors stand in a file once.
    model.set_weights([weight + rng.uniform(0.01, 0.05, weight.shape) for weight in model.get_weights()])
    if ratio > 0:
        masks = ChannelMasks(model, ratio, 1, 2, multiple=config.pruning.multiple)
        masks.update(2)
        model = masks.cut()
    source = _quantized(config, dataset, model, victim.heads.in_file)
    description = describe_victim(config, victim, dataset, source.description)
    if source.calibration_images is None and not source.per_head_backbones:
        description = replace(description, head_errors_lsb=_HEAD_ERRORS)
    layout = PER_HEAD_BACKBONES if source.per_head_backbones else FULLY_CONNECTED
    artifact = export_artifact(source, description, dataset.image_shape, layout)
    file = artifact.file
    operator, operator_bytes = _largest_operator(file)
    return Size(
        ratio=ratio,
        file_bytes=len(file.content) + _SPARE_BYTES_PER_HEAD * victim.heads.in_file,
        constant_bytes=sum(tensor.constant_bytes for op in file.operators for tensor in op.inputs),
        arena_bytes=_arena(file.content, artifact.heads, dataset.image_shape),
        largest_operator=operator,
        largest_operator_bytes=operator_bytes,
    )


def _quantized(config: Config, dataset: Dataset, model: keras.Model, heads: int) -> TrainedModel:
    images = dataset.validation.images[:32]
    if config.quantization.method == "post":
        return from_float(model, heads, choose_calibration(config, dataset))
    wrapped = quantize_aware(model)
    # Ranges of nothing would not convert.
    wrapped(images.astype(np.float32) / 255, training=True)
    return from_quantization_aware(wrapped, heads)


def _arena(content: bytes, heads: int, image_shape: tuple[int, int, int]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file_names.MODEL
        path.write_bytes(content)
        asked = head_inputs(np.zeros((1, *image_shape), np.int8), heads)
        return run_model(path, asked, "tflite-micro", called="the network on trial").arena["total"]


def _largest_operator(file: ModelFile) -> tuple[str, int]:
    def activations(operator: Operator) -> int:
        return sum(tensor.bytes for tensor in (*operator.inputs, *operator.outputs) if not tensor.constant_bytes)

    largest = max(file.operators, key=activations)
    return f"{largest.name} {largest.outputs[0].name!r}", activations(largest)
