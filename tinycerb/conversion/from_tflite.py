"""A .tflite file that is there already to one with head selection or a response."""

from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.answers.responses import check_heads, parse_response, portable_text
from tinycerb.bounded.files import HOW_TO_RAISE
from tinycerb.conversion.bundle import MODEL, SIDE_FILE, hand_over
from tinycerb.conversion.new_directory import in_new_directory
from tinycerb.conversion.options import CUSTOM, OPERATORS, Wishes, _class_names, _data
from tinycerb.converters.contract import contract_violations
from tinycerb.converters.foreign import ForeignModelError, adopt
from tinycerb.converters.head_select_op.surgery import SurgeryError, select_by_custom_op
from tinycerb.converters.metadata import MetadataError, embed_metadata, read_metadata
from tinycerb.converters.model_file import ModelFile, ModelFileError, parse_model
from tinycerb.errors import EnvironmentProblem, GateError, UsageError
from tinycerb.seal.files import is_made, read_bytes, write_bytes


def _open_keras_file(path: Path, wishes: Wishes) -> Any:
    from tinycerb.compression.quantization import open_quantization_aware
    from tinycerb.keras_models.keras_file import DamagedKerasFileError, ForeignCodeError, KerasFileError, TooLargeError

    try:
        return open_quantization_aware(path, wishes.allow_code)
    except ForeignCodeError as error:
        raise UsageError(
            f"{error}; save the network with Keras' own layers. If you trust whoever made it with your machine: "
            "--allow-code"
        ) from error
    except DamagedKerasFileError as error:
        raise EnvironmentProblem(f"{error}; save it again: model.save('model.h5')") from error
    except TooLargeError as error:
        raise UsageError(f"{error}; {HOW_TO_RAISE}") from error
    except KerasFileError as error:
        raise UsageError(
            f"{error}; a quantization-aware model comes back from an .h5 file or a SavedModel: model.save('model.h5')"
        ) from error


def convert_tflite(path: Path, out: Path, wishes: Wishes) -> dict[str, Any]:
    """Puts a response or the custom operator on an existing file, TinyCerb's or another int8 classifier's.

    Returns:
        The contents of `model.json`.
    """
    if wishes.max_accuracy_drop is not None:
        raise UsageError("--max-accuracy-drop compares with the trained model: give a run or a .h5 file, not a .tflite")
    content, metadata = _take_in(path, wishes)
    shape = parse_model(content).inputs["image"].shape[1:]
    images, _ = _data(wishes, shape, int(metadata["classes"]))
    return in_new_directory(out, wishes.force, lambda folder: _amend(folder, content, metadata, images, wishes))


def amend_victim(folder: Path, images: np.ndarray, wishes: Wishes) -> dict[str, Any]:
    """Puts a response or the custom operator on a victim's file, in place.

    Raises:
        UsageError: the run is benched already, and its figures would no longer be those of the file.
    """
    content, metadata = _take_in(folder / MODEL, wishes)
    if metadata["response"] == _old_metadata(parse_model(content), folder / MODEL)["response"]:
        make_custom(folder, wishes)
        from tinycerb.runtimes.model_json import read_side_file

        return read_side_file(folder / SIDE_FILE)
    if is_made(folder / "measurements.json"):
        raise UsageError(
            f"{folder} has been benched as it is; put the response on a copy: tinycerb convert {folder / MODEL} "
            f"--response {wishes.response} --out DIRECTORY"
        )
    return _amend(folder, content, metadata, images, wishes)


def _take_in(path: Path, wishes: Wishes) -> tuple[bytes, dict[str, Any]]:
    """Returns a file whose ends have names, and the metadata that it is to carry."""
    try:
        content = read_bytes(path)
        file = parse_model(content)
        if read_metadata(file) is None:
            content = adopt(content)
            file = parse_model(content)
    except (ModelFileError, MetadataError, ForeignModelError) as error:
        raise UsageError(f"{path}: {error}") from error
    old = _old_metadata(file, path, wishes)
    response = old["response"]
    if wishes.response:
        response = portable_text(wishes.response, int(old["classes"]))
        check_heads(parse_response(response), int(old["heads"]), old.get("combined_by", ""))
    return content, {**old, "response": response}


def _old_metadata(file: ModelFile, path: Path, wishes: Wishes | None = None) -> dict[str, Any]:
    found = read_metadata(file)
    if found is not None:
        return {"response": "none", **found}
    classes = file.outputs["logits"].shape[-1]
    return {
        "schema_version": 1,
        "victim": path.stem,
        "heads": 1,
        "classes": classes,
        "alphas": [1.0],
        "class_names": _class_names(wishes or Wishes(), classes),
        "image_shape": list(file.inputs["image"].shape[1:]),
        "image_range": [0.0, 1.0],
        "selection": "fixed",
        "quantization": "not made by TinyCerb",
        "response": "none",
    }


def _amend(
    folder: Path, content: bytes, metadata: dict[str, Any], images: np.ndarray, wishes: Wishes
) -> dict[str, Any]:
    violations = contract_violations(parse_model(content), wishes.targets)
    if violations:
        raise GateError(f"{metadata['victim']}: the file breaks the contract:\n  " + "\n  ".join(violations))
    card = hand_over(folder, embed_metadata(content, metadata), metadata, images)
    make_custom(folder, wishes)
    return card


def make_custom(folder: Path, wishes: Wishes) -> None:
    """Writes the file with the custom operator beside the one with builtin operators, if that is wished for."""
    draw = OPERATORS[wishes.operator]
    if draw is None:
        return
    try:
        write_bytes(folder / CUSTOM, select_by_custom_op(read_bytes(folder / MODEL), draw))
    except SurgeryError as error:
        raise UsageError(f"--op {wishes.operator}: {error}") from error
