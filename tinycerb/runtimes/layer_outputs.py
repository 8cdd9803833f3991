"""What every operator of a .tflite file puts out. Never imported where TensorFlow is."""

import numpy as np

from tinycerb.converters.model_file import ModelFile, Operator
from tinycerb.runtimes.engines import REFERENCE_KERNELS, default_runtime, flatbuffer_interpreter


def run_operators(file: ModelFile, images: np.ndarray) -> list[tuple[Operator, np.ndarray]]:
    """Runs images through a file, head 0, with reference kernels.

    Args:
        file: one with the inputs `image` and `head`.
        images: [N, height, width, channels] in the dtype of the file's input.

    Returns:
        Per operator, in execution order, its first output for all images: [N, ...].
    """
    interpreter = flatbuffer_interpreter(
        file.content, default_runtime(), REFERENCE_KERNELS, experimental_preserve_all_tensors=True
    )
    found: list[list[np.ndarray]] = [[] for _ in file.operators]
    for image in images:
        interpreter.set_tensor(file.inputs["image"].index, image[np.newaxis])
        interpreter.set_tensor(file.inputs["head"].index, np.zeros(1, np.int32))
        interpreter.invoke()
        for outputs, operator in zip(found, file.operators, strict=True):
            outputs.append(interpreter.get_tensor(operator.outputs[0].index)[0])
    return [(operator, np.stack(outputs)) for operator, outputs in zip(file.operators, found, strict=True)]
