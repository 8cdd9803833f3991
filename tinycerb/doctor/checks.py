"""The checks. Each tries the real thing in a process of its own: importing alone proves little."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tinycerb.errors import TinyCerbError

OK, WARN, FAIL = "OK", "WARN", "FAIL"
_INSTALL = f"{sys.executable} -m pip install -r requirements/runtime.lock"
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
import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow_model_optimization as tfmot
import tf_keras as keras
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
tfmot.quantization.keras.quantize_model(model)
"""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        name: what was looked at.
        status: `OK`, `WARN` (some commands lack something) or `FAIL` (nothing will work).
        detail: what was found.
        remedy: the command that mends it, empty where nothing is to be mended.
    """

    name: str
    status: str
    detail: str
    remedy: str = ""


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 11):
        return Finding("python", OK, found)
    return Finding("python", FAIL, f"{found}; tflite-runtime 2.14 needs 3.11", "make PYTHON=python3.11 install")


def _numpy() -> Finding:
    found = _version("numpy")
    if found.startswith("1."):
        return Finding("numpy", OK, found)
    return Finding("numpy", FAIL, f"{found}; tflite-runtime 2.14 was built for NumPy 1", _INSTALL)


def _tensorflow() -> Finding:
    found, keras = _version("tensorflow"), _version("tf-keras")
    same_minor = found.split(".")[:2] == keras.split(".")[:2]
    detail = f"tensorflow {found}, tf-keras {keras}, TF-MOT {_version('tensorflow-model-optimization')}"
    if not same_minor:
        return Finding("training", FAIL, f"{detail}: not the same minor version", _INSTALL)
    return _try("training", _RUN_TENSORFLOW, detail, FAIL, _INSTALL)


def _tflite_runtime() -> Finding:
    detail = f"tflite-runtime {_version('tflite-runtime')} built an interpreter"
    return _try("tflite-runtime", _RUN_INTERPRETER, detail, FAIL, _INSTALL)


def _tflite_micro() -> Finding:
    detail = f"tflite-micro {_version('tflite-micro')} built an interpreter"
    return _try("tflite-micro (arena)", _RUN_MICRO_INTERPRETER, detail, WARN, _INSTALL)


def _fashion_mnist() -> Finding:
    from tinycerb.datasets import fashion_mnist as data

    found = data.find_fashion_mnist((data.DEBIAN_FOLDER, data.KERAS_FOLDER))
    if found is None:
        remedy = f"{data.INSTALL_COMMAND}   or   {data.DOWNLOAD_COMMAND}"
        return Finding("Fashion-MNIST", WARN, "not here yet; the first run will try to download it", remedy)
    try:
        train, test, source = data.load_fashion_mnist([found])
    except TinyCerbError as error:
        return Finding("Fashion-MNIST", FAIL, str(error), data.INSTALL_COMMAND)
    return Finding("Fashion-MNIST", OK, f"{len(train.images) + len(test.images):,} images, {source}")


def _animal_mnist() -> Finding:
    from tinycerb.datasets.query_pools import ANIMAL_MNIST_COMMAND, load_animal_mnist

    try:
        return Finding("Animal-MNIST", OK, f"{len(load_animal_mnist()):,} distinct images")
    except TinyCerbError as error:
        return Finding("Animal-MNIST", FAIL, str(error), ANIMAL_MNIST_COMMAND)


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
    _fashion_mnist,
    _animal_mnist,
    _disk,
)


def run_check(check: Callable[[], Finding]) -> Finding:
    """Runs a check; one that itself lacks a package is a finding, too."""
    try:
        return check()
    except ImportError as error:
        return Finding(check.__name__.strip("_"), FAIL, str(error), _INSTALL)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _try(name: str, code: str, detail: str, bad: str, remedy: str) -> Finding:
    with resources.as_file(resources.files("tinycerb.doctor") / "tiny.tflite") as model:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        command = [sys.executable, "-c", code, str(model)]
        child = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    if child.returncode == 0:
        return Finding(name, OK, detail)
    last_line = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
    return Finding(name, bad, last_line, remedy)
