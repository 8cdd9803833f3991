"""A saved Keras model to an int8 file."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from tinycerb.answers.responses import check_heads, combined_by, parse_response, portable_text
from tinycerb.conversion.bundle import MODEL
from tinycerb.conversion.from_tflite import _open_keras_file, make_custom
from tinycerb.conversion.new_directory import in_new_directory
from tinycerb.conversion.options import Wishes, _class_names, _data
from tinycerb.errors import UsageError
from tinycerb.events import Report


def convert_keras_file(path: Path, out: Path, wishes: Wishes, report: Report) -> dict[str, Any]:
    """Converts a quantization-aware multi-head model, HDF5 or SavedModel, into a new directory.

    Returns:
        The contents of `model.json`.
    """
    from tinycerb.conversion.accuracy_gate import check_accuracy
    from tinycerb.conversion.from_run import convert_model
    from tinycerb.conversion.trained_model import count_heads, from_quantization_aware

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
