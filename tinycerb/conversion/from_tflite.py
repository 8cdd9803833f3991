"""A .tflite file that is there already to one with head selection or a response."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinycerb import file_names
from tinycerb.answers.responses import check_heads, parse_response, portable_text
from tinycerb.conversion.bundle import Bundle, write_bundle
from tinycerb.conversion.new_directory import in_new_directory
from tinycerb.conversion.options import CUSTOM, OPERATORS, ConversionOptions, _class_names, _data
from tinycerb.converters.contract import contract_violations
from tinycerb.converters.foreign import ForeignModelError, adopt
from tinycerb.converters.head_select_op.surgery import SurgeryError, select_by_custom_op
from tinycerb.converters.metadata import METADATA_NAME, MetadataError, embed_metadata
from tinycerb.converters.model_file import ModelFileError, parse_model
from tinycerb.converters.pixel_codes import image_range
from tinycerb.errors import GateError, UsageError
from tinycerb.file_names import MODEL, MODEL_JSON
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.runtimes.model_json import read_model_json
from tinycerb.seal.files import is_made, read_bytes, write_bytes


def convert_tflite(path: Path, out: Path, options: ConversionOptions) -> Bundle:
    """Puts a response or the custom operator on an existing file, TinyCerb's or another int8 classifier's."""
    if options.max_accuracy_drop is not None:
        raise UsageError("--max-accuracy-drop compares with the trained model: give a run or a .h5 file, not a .tflite")
    artifact = _with_response(_take_in(path, options), options)
    data = _data(options, artifact.image_shape, artifact.classes)
    if options.class_names or list(artifact.card.class_names or ()) == _class_names(
        ConversionOptions(), artifact.classes
    ):
        names = tuple(_class_names(options, artifact.classes, data.class_names))
        artifact = replace(artifact, card=replace(artifact.card, class_names=names))
    return in_new_directory(out, options.force, lambda folder: _amend(folder, artifact, data.images, options))


def amend_victim(folder: Path, images: np.ndarray, options: ConversionOptions) -> Bundle:
    """Puts a response or the custom operator on a victim's file, in place.

    Raises:
        UsageError: the run is benched already, and its figures would no longer be those of the file.
    """
    artifact = _take_in(folder / MODEL, options)
    amended = _with_response(artifact, options)
    if amended.card == artifact.card:
        make_custom(folder, artifact, options)
        return Bundle(artifact, read_model_json(folder / MODEL_JSON))
    if is_made(folder / file_names.MEASUREMENTS):
        raise UsageError(
            f"{folder} has been benched as it is; put the response on a copy: tinycerb convert {folder / MODEL} "
            f"--response {options.response} --out DIRECTORY"
        )
    return _amend(folder, amended, images, options)


def _take_in(path: Path, options: ConversionOptions) -> ModelArtifact:
    """Returns a file whose ends have names, and what it says about itself; of another origin, what is known of it."""
    try:
        file = parse_model(read_bytes(path))
        if METADATA_NAME in file.metadata:
            artifact = ModelArtifact.of(file)
            if "image" not in file.inputs or "logits" not in file.outputs:
                raise UsageError(f"{path} has no input 'image' or no output 'logits'; make it again: tinycerb convert")
            return replace(artifact, card=replace(artifact.card, image_range=tuple(image_range(artifact.image))))
        artifact = ModelArtifact.of(parse_model(adopt(file)))
    except (ModelFileError, MetadataError, ForeignModelError) as error:
        raise UsageError(f"{path}: {error}") from error
    card = replace(
        artifact.card,
        victim=path.stem,
        class_names=tuple(_class_names(options, artifact.classes)),
        image_shape=artifact.image_shape,
        image_range=tuple(image_range(artifact.image)),
        selection="fixed",
        quantization="not made by TinyCerb",
    )
    return replace(artifact, card=card)


def _with_response(artifact: ModelArtifact, options: ConversionOptions) -> ModelArtifact:
    if not options.response:
        return artifact
    response = portable_text(options.response, artifact.classes)
    check_heads(parse_response(response), artifact.heads, artifact.card.combined_by or "")
    return replace(artifact, card=replace(artifact.card, response=response))


def _amend(folder: Path, artifact: ModelArtifact, images: np.ndarray, options: ConversionOptions) -> Bundle:
    violations = contract_violations(artifact.file, options.targets)
    if violations:
        raise GateError(f"{artifact.card.victim}: the file breaks the contract:\n  " + "\n  ".join(violations))
    content = embed_metadata(artifact.file.content, artifact.card.to_json())
    bundle = write_bundle(folder, ModelArtifact.of(parse_model(content)), images)
    make_custom(folder, bundle.artifact, options)
    return bundle


def make_custom(folder: Path, artifact: ModelArtifact, options: ConversionOptions) -> None:
    """Writes the file with the custom operator beside the one with builtin operators, if that is wished for."""
    draw = OPERATORS[options.operator]
    if draw is None:
        return
    try:
        write_bytes(folder / CUSTOM, select_by_custom_op(artifact.file, draw))
    except SurgeryError as error:
        raise UsageError(f"--op {options.operator}: {error}") from error
