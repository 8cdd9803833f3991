"""Golden vectors: random images and what TFLite's reference kernels say."""

import tempfile
from pathlib import Path

import numpy as np

from tinycerb import file_names
from tinycerb.converters.c_model.model import CModel
from tinycerb.converters.model_file import ModelFile
from tinycerb.runtimes.engines import default_runtime
from tinycerb.runtimes.isolated import run_model


def golden_vectors(file: ModelFile, model: CModel, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns int8 images [count, ...] and int8 outputs [count, heads, output bytes].

    The interpreter runs in a process of its own: the file may come from anywhere, and TensorFlow may be loaded here.
    """
    rng = np.random.default_rng(seed)
    images = rng.integers(-128, 128, (count, *model.image.shape), dtype=np.int8)
    runs = count * model.heads
    inputs = {
        name: np.repeat(images, model.heads, axis=0)
        if tensor.index == model.image.index
        else np.resize(np.arange(model.heads, dtype=np.int32), (runs, *tensor.shape))
        for name, tensor in file.inputs.items()
    }
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as folder:
        path = Path(folder) / file_names.MODEL
        path.write_bytes(file.content)
        (outputs,) = run_model(path, inputs, default_runtime(), called="the model").outputs.values()
    return images, outputs.reshape(count, model.heads, model.output.bytes)
