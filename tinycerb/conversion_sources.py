"""What `tinycerb convert` takes: a run, a saved Keras model, or a .tflite file that is there already."""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from converters.contract import DEFAULT_TARGETS, contract_violations, load_targets
from converters.foreign import ForeignModelError, adopt
from converters.head_select_op.surgery import SurgeryError, select_by_custom_op
from converters.metadata import MetadataError, embed_metadata, read_metadata
from converters.model_file import ModelFile, ModelFileError, parse_model
from converters.own_folder import own_folder
from tinycerb.answers.responses import check_heads, combined_by, parse_response, portable_text
from tinycerb.atomic import describe_os_error, make_directory
from tinycerb.bounded.arrays import read_npz
from tinycerb.bounded.files import HOW_TO_RAISE, require_memory
from tinycerb.datasets.arrays import as_labels, check_class_names
from tinycerb.datasets.remedies import describe_pixels
from tinycerb.errors import EnvironmentProblem, GateError, UsageError, suggest
from tinycerb.events import Report
from tinycerb.handover import MODEL, SIDE_FILE, hand_over
from tinycerb.seal.files import is_made, read_bytes, write_bytes

CUSTOM = "model.custom.tflite"
# What --op names, and whether the operator draws the head itself; None makes no further file.
OPERATORS: dict[str, bool | None] = {"builtin": None, "custom": False, "custom-draw": True}
_RANDOM_IMAGES = 128


@dataclass(frozen=True)
class Wishes:
    """The options of a conversion.

    Attributes:
        operator: one of `OPERATORS`.
        response: what is done to every posterior, or None to leave what the file says.
        max_accuracy_drop: points of accuracy that any head may lose, or None for no gate.
        targets: runtimes that must be able to run the file.
        class_names: names of the classes, where the source does not know them.
        data: an .npz with `images` (uint8) and, for the gate, `labels`.
        force: whether an older conversion may be replaced.
        allow_code: whether a Keras file is opened though code in it may run.
    """

    operator: str = "builtin"
    response: str | None = None
    max_accuracy_drop: float | None = None
    targets: tuple[str, ...] = DEFAULT_TARGETS
    class_names: tuple[str, ...] = ()
    data: Path | None = None
    force: bool = False
    allow_code: bool = False

    def check(self) -> None:
        """Checks everything that can be checked before any work.

        Raises:
            UsageError: a value is not among the allowed ones.
        """
        for kind, value, allowed in (
            ("--op", self.operator, OPERATORS),
            *(("--target", target, load_targets()) for target in self.targets),
        ):
            if value not in allowed:
                raise UsageError(f"{kind} is {value!r}{suggest(value, allowed)}; allowed: {', '.join(allowed)}")
        if self.response is not None:
            parse_response(self.response)
        if self.max_accuracy_drop is not None and not 0 <= self.max_accuracy_drop <= 100:
            raise UsageError(f"--max-accuracy-drop is {self.max_accuracy_drop}; allowed: 0 to 100 points")


def convert_keras_file(path: Path, out: Path, wishes: Wishes, report: Report) -> dict[str, Any]:
    """Converts a quantization-aware multi-head model, HDF5 or SavedModel, into a new directory.

    Returns:
        The contents of `model.json`.
    """
    from tinycerb.accuracy_gate import check_accuracy
    from tinycerb.conversion import convert_model
    from tinycerb.trained_model import count_heads, from_quantization_aware

    model = _open_keras_file(path, wishes)
    heads = count_heads(model)
    shape = tuple(model.input_shape[1:])
    if len(shape) != 3 or None in shape:
        raise UsageError(f"the model takes {model.input_shape}; expected fixed images [batch, height, width, channels]")
    outputs = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    images, labels = _data(wishes, shape, int(outputs[0][-1]))
    response = portable_text(wishes.response or "none", int(outputs[0][-1]))
    # Whoever brings such a model says by the response what its heads are trained for.
    check_heads(parse_response(response), heads, combined_by(response))
    facts = {
        "schema_version": 1,
        "victim": path.stem,
        "class_names": _class_names(wishes, int(outputs[0][-1])),
        "image_shape": list(shape),
        "image_range": [0.0, 1.0],
        "selection": "random" if heads > 1 else "fixed",
        "quantization": "quantization-aware training; no calibration images",
        "response": response,
        **({"combined_by": combined_by(response)} if combined_by(response) else {}),
        "tensorflow": version("tensorflow"),
    }

    def make(folder: Path) -> dict[str, Any]:
        card = convert_model(from_quantization_aware(model, heads), facts, images, folder, report, wishes.targets)
        check_accuracy(model, folder / MODEL, card, images, labels, wishes.max_accuracy_drop)
        make_custom(folder, wishes)
        return card

    return in_new_directory(out, wishes.force, make)


def _open_keras_file(path: Path, wishes: Wishes) -> Any:
    from keras_models.keras_file import DamagedKerasFileError, ForeignCodeError, KerasFileError, TooLargeError
    from tinycerb.compression.quantization import open_quantization_aware

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
        from tinycerb.side_file import read_side_file

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


def in_new_directory(out: Path, force: bool, make: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Lets `make` fill a directory that appears under its name only once it is complete.

    Raises:
        UsageError: something is there already.
        EnvironmentProblem: it cannot be written.
    """
    try:
        occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise describe_os_error(out, error) from error
    ours = (out / SIDE_FILE).is_file() and not (out / "config.toml").exists()
    if occupied and not (force and ours):
        remedy = "choose another --out" + (" or replace it with --force" if ours else "")
        raise UsageError(f"{out} exists already; {remedy}")
    make_directory(out.absolute().parent)
    try:
        with own_folder(out.absolute().parent, hidden=True) as folder:
            part = folder / "part"
            make_directory(part)
            card = make(part)
            if out.exists():
                shutil.rmtree(out)
            part.rename(out)
    except OSError as error:
        raise describe_os_error(out, error) from error
    return card


def _data(wishes: Wishes, shape: Sequence[int], classes: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the user's images and labels, or random images where there are none."""
    if wishes.data is None:
        if wishes.max_accuracy_drop is not None:
            raise UsageError("--max-accuracy-drop needs labelled images: --data FILE.npz with images and labels")
        require_memory(_RANDOM_IMAGES * math.prod(shape), f"{_RANDOM_IMAGES} images of {tuple(shape)}")
        return np.random.default_rng(0).integers(0, 256, (_RANDOM_IMAGES, *shape), dtype=np.uint8), None
    arrays, where = read_npz(wishes.data), f"images of {wishes.data}"
    images = arrays.get("images")
    if images is None:
        found = ", ".join(arrays) or "nothing"
        raise UsageError(f"{wishes.data} holds {found}; allowed: images, and labels for the gate")
    if images.dtype != np.uint8:
        about = describe_pixels(images, "images")
        raise UsageError(f"{where} has dtype {images.dtype}{about}; allowed: uint8, 0 to 255")
    if images.shape[1:] != tuple(shape) or len(images) == 0:
        raise UsageError(f"{where} has shape {images.shape}; allowed: (N, {', '.join(map(str, shape))})")
    if "labels" in arrays:
        return images, as_labels(arrays["labels"], len(images), classes, f"labels of {wishes.data}")
    if wishes.max_accuracy_drop is not None:
        raise UsageError(f"{wishes.data} has no labels; --max-accuracy-drop needs them")
    return images, None


def _class_names(wishes: Wishes, classes: int) -> list[str]:
    if wishes.class_names and len(wishes.class_names) != classes:
        raise UsageError(f"--class-names has {len(wishes.class_names)} names; the model has {classes} classes")
    check_class_names(wishes.class_names)
    return list(wishes.class_names) or [f"class {index}" for index in range(classes)]
