"""Quantization-aware training with TF-MOT's 8-bit scheme."""

from pathlib import Path

from keras_models.legacy import Keras3ModelError, keras, require_legacy_model
from keras_models.model_optimization import tfmot
from tinycerb.errors import EnvironmentProblem, UsageError


def quantize_aware(model: keras.Model, keep_zeros: bool = False) -> keras.Model:
    """Wraps every layer with TF-MOT's fake quantization.

    Args:
        model: a plain model.
        keep_zeros: whether weights that are zero stay so in training (TF-MOT's prune-preserving scheme).

    Raises:
        UsageError: a Keras 3 model, or a layer that TF-MOT does not know.
    """
    try:
        require_legacy_model(model)
        if not keep_zeros:
            return tfmot.quantization.keras.quantize_model(model)
        scheme = tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
        with tfmot.quantization.keras.quantize_scope():
            return tfmot.quantization.keras.quantize_apply(
                tfmot.quantization.keras.quantize_annotate_model(model), scheme
            )
    except (Keras3ModelError, RuntimeError) as error:
        raise UsageError(f"quantization-aware training does not take this model: {error}") from error


def load_quantization_aware(path: Path) -> keras.Model:
    """Loads a quantization-aware model from the HDF5 file that it was saved to.

    Raises:
        EnvironmentProblem: missing or unreadable.
    """
    try:
        with tfmot.quantization.keras.quantize_scope():
            return require_legacy_model(keras.models.load_model(path, compile=False))
    except (OSError, ValueError, KeyError) as error:
        raise EnvironmentProblem(f"cannot load the trained model {path}: {error}") from error
