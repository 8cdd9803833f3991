"""A trained model to `model.tflite`, and everything that it is handed over with."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.answers.responses import combined_by, parse_response, response_text
from tinycerb.config import Config, VictimConfig
from tinycerb.config.user_sources import PUBLIC
from tinycerb.conversion.bundle import hand_over
from tinycerb.conversion.fitted_responses.gradient_redirection import write_side_model
from tinycerb.conversion.fitted_responses.noise_transition import learned_response
from tinycerb.conversion.trained_model import SOURCES, TrainedModel, without_quantization
from tinycerb.converters.contract import DEFAULT_TARGETS, contract_violations
from tinycerb.converters.export import APART, FULLY_CONNECTED, export_float, export_int8
from tinycerb.converters.head_layout import LayoutChoice, choose_layout
from tinycerb.converters.model_file import parse_model
from tinycerb.converters.wide_head import WideHead, widen
from tinycerb.datasets.images import Dataset
from tinycerb.defenses import Defense, defense_of, uses_owner_key, victim_response
from tinycerb.errors import GateError
from tinycerb.events import Progress, Report
from tinycerb.seal.files import read_json
from tinycerb.training.artefacts import SUMMARY
from tinycerb.training.setup import make_repeatable

_MEASURED_IMAGES = 128


def convert_victim(
    config: Config,
    victim_name: str,
    dataset: Dataset,
    folder: Path,
    report: Report,
    key_words: tuple[int, ...] = (),
) -> None:
    """Converts one trained victim and checks the file against the contract.

    Args:
        config: the run's configuration.
        victim_name: one of its victims.
        dataset: the victim's data, for names, shapes and golden vectors.
        folder: the victim's folder; `model.tflite`, `model.json` and the rest go there.
        report: takes progress events.
        key_words: of the owner key, for what a response hides.

    Raises:
        EnvironmentProblem: the victim is not trained, or its files are damaged.
        GateError: the file breaks the contract; nothing is written then.
    """
    make_repeatable(config.seed)
    training = read_json(folder / SUMMARY)
    report(Progress(0, 4, "loading the trained model"))
    model = SOURCES[training["quantization"]](config, dataset, folder, _rows(training))
    victim = config.victim(victim_name)
    facts = facts_of(config, victim, defense_of(victim), dataset, model.description)
    facts["channel_ratio"] = training["channel_ratio"]
    write_side_model(config, victim_name, dataset, folder, report, key_words)
    facts["response"] = learned_response(facts["response"], folder, config, victim_name, dataset, report)
    card = convert_model(model, facts, dataset.validation.images, folder, report)
    report(Progress(4, 4, f"{card['file_bytes']:,} bytes"))


def _rows(training: dict[str, Any]) -> int:
    """Heads of the network, those that never answer themselves included; runs of before had none."""
    return int(training.get("rows", training["heads"]))


def facts_of(
    config: Config, victim: VictimConfig, defense: Defense, dataset: Dataset, quantization: str
) -> dict[str, Any]:
    """Returns what a victim's file says about itself, beside its heads."""
    response = victim_response(victim)
    if "file=" in response:
        response = response_text(parse_response(response))
    return {
        "schema_version": 1,
        "victim": victim.name,
        "defense": victim.defense,
        "selection": defense.selection,
        "channel_ratio": victim.channel_ratio,
        "backbone": config.model.backbone,
        "dataset": dataset.name,
        "class_names": list(dataset.class_names),
        "image_shape": list(dataset.image_shape),
        "image_range": [0.0, 1.0],
        "quantization": quantization,
        "response": response,
        **({"combined_by": combined_by(response)} if combined_by(response) else {}),
        **({"owner_key": config.owner or PUBLIC} if uses_owner_key(victim) else {}),
        "seed": config.seed,
        "tensorflow": version("tensorflow"),
    }


def convert_model(
    model: TrainedModel,
    facts: dict[str, Any],
    images: np.ndarray,
    folder: Path,
    report: Report,
    targets: Sequence[str] = DEFAULT_TARGETS,
) -> dict[str, Any]:
    """Converts a trained multi-head model.

    Args:
        model: its backbone and heads.
        facts: what the file should say about itself, `image_shape` and `victim` among it.
        images: uint8 [N, height, width, channels], for measuring head layouts and for golden vectors.
        folder: where the files go.
        report: takes progress events.
        targets: runtimes that must be able to run the file.

    Returns:
        The contents of `model.json`.

    Raises:
        GateError: the file breaks the contract; nothing is written then.
    """
    report(Progress(1, 4, "measuring head layouts"))
    layout = APART if model.apart else FULLY_CONNECTED
    if model.calibration_images is None and not model.apart:
        choice = measure_layouts(model, images)
        layout = choice.layout
        facts = {**facts, "head_errors_lsb": {name: round(max(found), 4) for name, found in choice.errors.items()}}
        report(Progress(2, 4, f"converting to int8; {choice.sentence()}"))
    content, metadata = export_int8(
        model.backbone, model.heads, tuple(facts["image_shape"]), facts, layout, model.calibration_images
    )
    report(Progress(3, 4, "checking the file"))
    violations = contract_violations(parse_model(content), targets)
    if violations:
        raise GateError(f"{facts['victim']}: the converted file breaks the contract:\n  " + "\n  ".join(violations))
    return hand_over(folder, content, metadata, images, model.manifest)


def measure_layouts(model: TrainedModel, images: np.ndarray) -> LayoutChoice:
    """Measures both head layouts on what they read for some images, uint8 [N, height, width, channels]."""
    features: Any = model.backbone(images[:_MEASURED_IMAGES].astype(np.float32) / 255, training=False)
    wide = widen(model.heads)
    return choose_layout(wide, _before_logits(wide, features.numpy()))


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
    heads = _rows(read_json(folder / SUMMARY))
    source = without_quantization(config, dataset, folder, heads)
    return export_float(source.backbone, source.heads, dataset.image_shape, source.apart)
