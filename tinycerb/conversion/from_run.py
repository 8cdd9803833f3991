"""A trained model to `model.tflite`, and everything that lies beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tinycerb.answers.responses import combined_by, response_text
from tinycerb.config import Config
from tinycerb.config.user_sources import PUBLIC
from tinycerb.conversion.bundle import Bundle, write_bundle
from tinycerb.conversion.fitting import TrainedVictim
from tinycerb.conversion.trained_model import SOURCES, TrainedModel, without_quantization
from tinycerb.converters.contract import DEFAULT_TARGETS, contract_violations
from tinycerb.converters.export import FULLY_CONNECTED, PER_HEAD_BACKBONES, export_float, export_int8
from tinycerb.converters.head_layout import LayoutChoice, choose_layout
from tinycerb.converters.model_file import parse_model
from tinycerb.converters.wide_head import WideHead, widen
from tinycerb.datasets.images import Dataset
from tinycerb.errors import GateError
from tinycerb.events import OnProgress, Progress
from tinycerb.file_names import TRAINING
from tinycerb.run.victim import Victim
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.runtimes.model_card import HeadErrors, ModelDescription
from tinycerb.seal.files import read_json
from tinycerb.training.setup import make_repeatable

_MEASURED_IMAGES = 128


def convert_victim(
    config: Config,
    victim: Victim,
    dataset: Dataset,
    folder: Path,
    on_progress: OnProgress,
    key_words: tuple[int, ...] = (),
) -> None:
    """Converts one trained victim and checks the file against the contract.

    Args:
        config: the run's configuration.
        victim: one of its victims.
        dataset: the victim's data, for names, shapes and golden vectors.
        folder: the victim's folder; `model.tflite`, `model.json` and the rest go there.
        on_progress: takes progress events.
        key_words: of the owner key, for what a response hides.

    Raises:
        EnvironmentProblem: the victim is not trained, or its files are damaged.
        GateError: the file breaks the contract; nothing is written then.
    """
    make_repeatable(config.seed)
    training = read_json(folder / TRAINING)
    on_progress(Progress(0, 4, "loading the trained model"))
    model = SOURCES[training["quantization"]](config, dataset, folder, _heads_in_file(training))
    fitted = victim.response.fit(TrainedVictim(config, victim, dataset, folder, on_progress, key_words))
    description = describe_victim(config, victim, dataset, model.description)
    response = description.response if fitted == victim.response else response_text(fitted)
    description = replace(description, channel_ratio=training["channel_ratio"], response=response)
    bundle = convert_model(model, description, dataset.validation.images, folder, on_progress)
    on_progress(Progress(4, 4, f"{bundle.card.file_bytes:,} bytes"))


def _heads_in_file(training: Mapping[str, int]) -> int:
    """Heads of the network, those that never answer alone included; older runs call them `rows`, or say nothing."""
    return int(training.get("heads_in_file", training.get("rows", training["heads"])))


def describe_victim(config: Config, victim: Victim, dataset: Dataset, quantization: str) -> ModelDescription:
    """Returns what a victim's file says about itself, beside its heads."""
    response = victim.response_text
    if "file=" in response:
        response = response_text(victim.response)
    return ModelDescription(
        victim=victim.name,
        defense=victim.config.defense,
        selection=victim.defense.selection,
        channel_ratio=victim.config.channel_ratio,
        backbone=config.model.backbone,
        dataset=dataset.name,
        class_names=tuple(dataset.class_names),
        image_shape=tuple(dataset.image_shape),
        quantization=quantization,
        response=response,
        combined_by=combined_by(response) or None,
        owner_key=(config.owner or PUBLIC) if victim.uses_owner_key else None,
        seed=config.seed,
        tensorflow=version("tensorflow"),
    )


def convert_model(
    model: TrainedModel,
    description: ModelDescription,
    images: np.ndarray,
    folder: Path,
    on_progress: OnProgress,
    targets: Sequence[str] = DEFAULT_TARGETS,
) -> Bundle:
    """Converts a trained multi-head model.

    Args:
        model: its backbone and heads.
        description: what the file should say about itself beside its heads.
        images: uint8 [N, height, width, channels], for measuring head layouts and for golden vectors.
        folder: where the files go.
        on_progress: takes progress events.
        targets: runtimes that must be able to run the file.

    Raises:
        GateError: the file breaks the contract; nothing is written then.
    """
    on_progress(Progress(1, 4, "measuring head layouts"))
    layout = PER_HEAD_BACKBONES if model.per_head_backbones else FULLY_CONNECTED
    if model.calibration_images is None and not model.per_head_backbones:
        choice = measure_layouts(model, images)
        layout = choice.layout
        errors = HeadErrors(**{name: round(max(found), 4) for name, found in choice.errors.items()})
        description = replace(description, head_errors_lsb=errors)
        on_progress(Progress(2, 4, f"converting to int8; {choice.sentence()}"))
    artifact = export_artifact(model, description, images.shape[1:], layout)
    on_progress(Progress(3, 4, "checking the file"))
    violations = contract_violations(artifact.file, targets)
    if violations:
        raise GateError(f"{description.victim}: the converted file breaks the contract:\n  " + "\n  ".join(violations))
    return write_bundle(folder, artifact, images, model.manifest)


def export_artifact(
    model: TrainedModel, description: ModelDescription, image_shape: Sequence[int], layout: str
) -> ModelArtifact:
    """Exports a model with what its file says about itself, and parses the file: the only time that it is."""
    height, width, channels = image_shape
    facts = description.to_json()
    shape = (height, width, channels)
    content = export_int8(model.backbone, model.heads, shape, facts, layout, model.calibration_images)
    return ModelArtifact.of(parse_model(content))


def measure_layouts(model: TrainedModel, images: np.ndarray) -> LayoutChoice:
    """Measures both head layouts on what they read for some images, uint8 [N, height, width, channels]."""
    features = model.backbone(images[:_MEASURED_IMAGES].astype(np.float32) / 255, training=False)
    wide = widen(model.heads)
    return choose_layout(wide, _before_logits(wide, np.asarray(features)))


def _before_logits(wide: WideHead, features: np.ndarray) -> np.ndarray:
    if wide.hidden is None:
        return features
    return np.clip(features @ wide.hidden.kernel + wide.hidden.bias, 0, wide.hidden.output_range)


def convert_float(config: Config, victim_name: str, dataset: Dataset, folder: Path) -> bytes:
    """Returns the float32 `.tflite` of a trained victim, operator by operator the same graph as its int8 file.

    Raises:
        EnvironmentProblem: the victim is not trained, or its files are damaged.
    """
    make_repeatable(config.seed)
    heads = _heads_in_file(read_json(folder / TRAINING))
    source = without_quantization(config, dataset, folder, heads)
    return export_float(source.backbone, source.heads, dataset.image_shape, source.per_head_backbones)
