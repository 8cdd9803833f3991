"""What a training leaves in a victim's folder."""

import csv
import io
import warnings
from pathlib import Path

import h5py
import tensorflow as tf

from tinycerb.bounded.files import memory_limit
from tinycerb.errors import EnvironmentProblem
from tinycerb.file_names import HISTORY
from tinycerb.keras_models.keras_file import KerasFileError, open_keras_file
from tinycerb.keras_models.legacy import keras
from tinycerb.seal.files import verify, write_bytes, write_text


def write_history(folder: Path, rows: list[dict[str, object]]) -> None:
    """Writes all rows to `history.csv`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / HISTORY, text.getvalue())


def save_history(folder: Path, rows: list[dict[str, object]]) -> None:
    """Writes all rows to `history.csv` and the last one to TensorBoard's event files."""
    write_history(folder, rows)
    # tf.summary.scalar wants the tensorboard package; the same record can be written without it.
    scalar = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
    try:
        events = tf.summary.create_file_writer(str(folder / "events"))
        with events.as_default(step=rows[-1]["epoch"]):
            for key, value in rows[-1].items():
                if isinstance(value, float):
                    tf.summary.write(key, tf.constant(value), metadata=scalar)
        events.close()
    except tf.errors.OpError as error:
        raise EnvironmentProblem(f"cannot write {folder / 'events'}: {error.message}") from error


def save_model(model: keras.Model, path: Path) -> None:
    """Saves a whole model as HDF5, atomically.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file, warnings.catch_warnings():
        # Keras calls HDF5 legacy; its successor cannot reload a quantization-aware model.
        warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
        model.save(file, save_format="h5")
    write_bytes(path, buffer.getvalue())


def load_float_model(path: Path) -> keras.Model:
    """Loads a float model from the HDF5 file that it was saved to.

    Raises:
        EnvironmentProblem: missing, unreadable, holding code, or not the one that was written.
    """
    verify(path)
    try:
        return open_keras_file(path, most_bytes=memory_limit())
    except KerasFileError as error:
        raise EnvironmentProblem(f"cannot load the trained model: {error}; delete it to train anew") from error
