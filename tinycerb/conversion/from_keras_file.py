"""A saved Keras model to an int8 file."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tinycerb.answers.responses import check_heads, combined_by, parse_response, portable_text
from tinycerb.bounded.files import HOW_TO_RAISE
from tinycerb.conversion.bundle import Bundle
from tinycerb.conversion.from_tflite import make_custom
from tinycerb.conversion.new_directory import in_new_directory
from tinycerb.conversion.options import ConversionOptions, _class_names, _data
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.events import OnProgress
from tinycerb.file_names import MODEL
from tinycerb.runtimes.model_card import ModelDescription

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras


def convert_keras_file(path: Path, out: Path, options: ConversionOptions, on_progress: OnProgress) -> Bundle:
    """Converts a quantization-aware multi-head model, HDF5 or SavedModel, into a new directory."""
    from tinycerb.conversion.accuracy_gate import check_accuracy
    from tinycerb.conversion.from_run import convert_model
    from tinycerb.conversion.trained_model import count_heads, from_quantization_aware

    model = _open_keras_file(path, options)
    heads = count_heads(model)
    shape = tuple(model.input_shape[1:])
    if len(shape) != 3 or None in shape:
        raise UsageError(f"the model takes {model.input_shape}; expected fixed images [batch, height, width, channels]")
    outputs = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    data = _data(options, shape, int(outputs[0][-1]))
    response = portable_text(options.response or "none", int(outputs[0][-1]))
    # Whoever brings such a model says by the response what its heads are trained for.
    check_heads(parse_response(response), heads, combined_by(response))
    description = ModelDescription(
        victim=path.stem,
        class_names=tuple(_class_names(options, int(outputs[0][-1]), data.class_names)),
        image_shape=shape,
        selection="random" if heads > 1 else "fixed",
        quantization="quantization-aware training; no calibration images",
        response=response,
        combined_by=combined_by(response) or None,
        tensorflow=version("tensorflow"),
    )

    def make(folder: Path) -> Bundle:
        trained = from_quantization_aware(model, heads)
        bundle = convert_model(trained, description, data.images, folder, on_progress, options.targets)
        check_accuracy(model, folder / MODEL, bundle.artifact, data.images, data.labels, options.max_accuracy_drop)
        make_custom(folder, bundle.artifact, options)
        return bundle

    return in_new_directory(out, options.force, make)


def _open_keras_file(path: Path, options: ConversionOptions) -> "keras.Model":
    from tinycerb.compression.quantization import open_quantization_aware
    from tinycerb.keras_models.keras_file import DamagedKerasFileError, ForeignCodeError, KerasFileError, TooLargeError

    try:
        return open_quantization_aware(path, options.allow_code)
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
