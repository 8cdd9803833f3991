"""A converted file as the firmware's own C, compiled for this computer: the device's bytes, several times as fast.

Where there is no C compiler, or the C runtime lacks an operator, the reference kernels answer instead: the same bytes.
"""

import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from tinycerb import __version__
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.head_table import as_head_table
from tinycerb.converters.c_model.host import CompilerError, HostModel, build_host_model
from tinycerb.converters.head_select_op.build import default_cache
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import OnProgress, ignore
from tinycerb.runtimes.engines import EngineName
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.runtimes.running_model import RunningModel

C_RUNTIME = "tinycerb-c"
_CHECKED_IMAGES = 16


@dataclass(frozen=True)
class CompiledModel:
    """A converted model in the C runtime.

    Attributes:
        artifact: the file.
        host: the shared library, which answers with all heads at once.
        engine: the runtime and its kernels.
    """

    artifact: ModelArtifact
    host: HostModel
    engine: EngineName

    def all_heads(self, images: np.ndarray, on_progress: OnProgress = ignore) -> np.ndarray:
        """Returns the int8 logits [N, heads, classes] of int8 images [N, height, width, channels]."""
        return self.host.infer(images).reshape(len(images), self.artifact.heads, self.artifact.classes)


def open_fastest(artifact: ModelArtifact) -> RunningModel:
    """Opens a converted file in the C runtime, or in the reference kernels where that cannot be.

    The C runtime is held against the reference kernels on a few random images each time.

    Raises:
        EnvironmentProblem: no runtime is installed, or the two differ.
    """
    reference = open_interpreter(artifact)
    try:
        compiled = _compile(artifact)
    except (CompilerError, UnsupportedModelError, OSError):
        return reference
    shape = (_CHECKED_IMAGES, *artifact.image_shape)
    images = np.random.default_rng(0).integers(-128, 128, shape, dtype=np.int8)
    differing = int((compiled.all_heads(images) != reference.all_heads(images)).sum())
    if differing:
        raise EnvironmentProblem(
            f"{artifact.card.victim}: the C runtime and the reference kernels differ in {differing} bytes on "
            f" {_CHECKED_IMAGES} images; this must not happen: please report it with the file"
        )
    return compiled


def _compile(artifact: ModelArtifact) -> CompiledModel:
    # The library stays loaded when its file is gone.
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as folder:
        runtime = Path(str(resources.files("tinycerb.firmware_stub")))
        table = as_head_table(artifact.file)
        host = build_host_model(table, runtime, Path(folder) / "model", cache=default_cache())
    name = EngineName(C_RUNTIME, __version__, host.model.target.kernels)
    return CompiledModel(artifact, host, name)
