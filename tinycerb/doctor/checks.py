"""The checks. Each tries the real thing in a process of its own: importing alone proves little."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tinycerb.advice.install import distribution_of, install_command
from tinycerb.doctor.finding import FAIL, OK, WARN, Finding, try_python, version
from tinycerb.doctor.tools import TOOL_CHECKS
from tinycerb.errors import TinyCerbError

_NEEDED_BYTES = 500 * 2**20

# The bundled model is one dense layer; under NumPy 2 the import works and Interpreter() does not.
_RUN_INTERPRETER = """
import sys
from tflite_runtime.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).shape)
"""

_RUN_MICRO_INTERPRETER = """
import sys
import numpy as np
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1])
interpreter.set_input(np.zeros((1, 4), np.int8), 0)
interpreter.invoke()
"""

_RUN_TENSORFLOW = """
import tensorflow_model_optimization as tfmot
import tf_keras as keras
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
tfmot.quantization.keras.quantize_model(model)
"""


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 11):
        return Finding("python", OK, found)
    return Finding("python", FAIL, f"{found}; tflite-runtime 2.14 needs 3.11", "python3.11 -m venv NEW_ENVIRONMENT")


def _numpy() -> Finding:
    found = version("numpy")
    if found.startswith("1."):
        return Finding("numpy", OK, found)
    return Finding("numpy", FAIL, f"{found}; tflite-runtime 2.14 was built for NumPy 1", install_command("numpy"))


def _tensorflow() -> Finding:
    found, keras = version("tensorflow"), version("tf-keras")
    same_minor = found.split(".")[:2] == keras.split(".")[:2]
    detail = f"tensorflow {found}, tf-keras {keras}, TF-MOT {version('tensorflow-model-optimization')}"
    remedy = install_command("tensorflow")
    if not same_minor:
        return Finding("training", FAIL, f"{detail}: not the same minor version", remedy)
    return try_python("training", _RUN_TENSORFLOW, detail, FAIL, remedy)


def _tflite_runtime() -> Finding:
    detail = f"tflite-runtime {version('tflite-runtime')} built an interpreter"
    return try_python("tflite-runtime", _RUN_INTERPRETER, detail, FAIL, install_command("tflite-runtime"))


def _tflite_micro() -> Finding:
    detail = f"tflite-micro {version('tflite-micro')} built an interpreter"
    return try_python("tflite-micro (arena)", _RUN_MICRO_INTERPRETER, detail, WARN, install_command("tflite-micro"))


def _fashion_mnist() -> Finding:
    from tinycerb.datasets import fashion_mnist as data

    found = data.find_fashion_mnist((data.DEBIAN_FOLDER, data.KERAS_FOLDER))
    if found is None:
        remedy = f"{data.package_command()}   or   {data.download_command()}"
        return Finding("Fashion-MNIST", WARN, "not here yet; the first run will try to download it", remedy)
    try:
        train, test, source = data.load_fashion_mnist([found])
    except TinyCerbError as error:
        return Finding("Fashion-MNIST", FAIL, str(error), data.package_command())
    return Finding("Fashion-MNIST", OK, f"{len(train.images) + len(test.images):,} images, {source}")


def _animal_mnist() -> Finding:
    from tinycerb.datasets.query_pools import ANIMAL_MNIST, load_animal_mnist

    try:
        return Finding("Animal-MNIST", OK, f"{len(load_animal_mnist()):,} distinct images")
    except TinyCerbError as error:
        return Finding("Animal-MNIST", FAIL, str(error), install_command(ANIMAL_MNIST))


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    status = OK if free >= _NEEDED_BYTES else WARN
    return Finding("disk", status, f"{free / 2**30:.1f} GiB free here", "" if status == OK else "free 0.5 GiB or more")


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _numpy,
    _tflite_runtime,
    _tensorflow,
    _tflite_micro,
    *TOOL_CHECKS,
    _fashion_mnist,
    _animal_mnist,
    _disk,
)


def run_check(check: Callable[[], Finding]) -> Finding:
    """Runs a check; one that itself lacks a package is a finding, too."""
    try:
        return check()
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        remedy = install_command(distribution_of(package) or package) if package else ""
        return Finding(check.__name__.strip("_"), FAIL, str(error), remedy)
