"""Golden vectors: random images and what TFLite's reference kernels say. Never where TensorFlow is loaded."""

import numpy as np

from converters.c_model.model import CModel
from converters.model_file import ModelFile


def golden_vectors(file: ModelFile, model: CModel, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns int8 images [count, ...] and int8 outputs [count, heads, output bytes]."""
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    rng = np.random.default_rng(seed)
    images = rng.integers(-128, 128, (count, *model.image.shape), dtype=np.int8)
    interpreter = Interpreter(
        model_content=file.content, num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    heads = [tensor for tensor in file.graph_inputs if tensor.dtype == "int32"]
    outputs = np.empty((count, model.heads, model.output.bytes), np.int8)
    for index, image in enumerate(images):
        for head in range(model.heads):
            interpreter.set_tensor(model.image.index, image)
            for tensor in heads:
                interpreter.set_tensor(tensor.index, np.array([head], np.int32))
            interpreter.invoke()
            outputs[index, head] = interpreter.get_tensor(model.output.index).reshape(-1)
    return images, outputs
