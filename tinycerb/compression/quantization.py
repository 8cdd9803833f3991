"""Quantization-aware training with TF-MOT's 8-bit scheme."""

from pathlib import Path

from tinycerb.bounded.files import memory_limit
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.keras_models.keras_file import KerasFileError, open_keras_file
from tinycerb.keras_models.legacy import Keras3ModelError, keras, require_legacy_model
from tinycerb.keras_models.model_optimization import tfmot
from tinycerb.seal.files import verify


def quantize_aware(model: keras.Model, keep_zeros: bool = False) -> keras.Model:
    """Wraps every layer with TF-MOT's fake quantization, and images in that of pixels: 0..1 in steps of 1/255.

    Args:
        model: a plain model.
        keep_zeros: whether weights that are zero stay so in training (TF-MOT's prune-preserving scheme).

    Raises:
        UsageError: a Keras 3 model, or a layer that TF-MOT does not know.
    """
    try:
        require_legacy_model(model)
        if not keep_zeros:
            return _of_pixels(tfmot.quantization.keras.quantize_model(model))
        scheme = tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
        with tfmot.quantization.keras.quantize_scope():
            annotated = tfmot.quantization.keras.quantize_annotate_model(model)
            return _of_pixels(tfmot.quantization.keras.quantize_apply(annotated, scheme))
    except (Keras3ModelError, RuntimeError) as error:
        raise UsageError(f"quantization-aware training does not take this model: {error}") from error


def _of_pixels(model: keras.Model) -> keras.Model:
    """Begins the range of the inputs at 0..1; training only widens it, where images leave that."""
    for layer in model.layers:
        # Of a name that TF-MOT keeps to itself.
        if type(layer).__name__ == "QuantizeLayer":
            layer.quantizer_vars["max_var"].assign(1.0)
    return model


def load_quantization_aware(path: Path) -> keras.Model:
    """Loads a run's quantization-aware model from the HDF5 file that it was saved to.

    Raises:
        EnvironmentProblem: missing, unreadable, holding code, or not the one that was written.
    """
    verify(path)
    try:
        return open_quantization_aware(path)
    except KerasFileError as error:
        raise EnvironmentProblem(f"cannot load the trained model: {error}; delete it to train anew") from error


def open_quantization_aware(path: Path, allow_code: bool = False) -> keras.Model:
    """Opens a quantization-aware model, HDF5 or SavedModel, as `open_keras_file` does.

    Raises:
        KerasFileError: likewise.
    """
    with tfmot.quantization.keras.quantize_scope():
        return open_keras_file(path, allow_code, memory_limit())
