"""A model that is ready to run, in whichever runtime."""

from typing import Protocol

import numpy as np

from tinycerb.events import OnProgress, ignore
from tinycerb.runtimes.engines import EngineName
from tinycerb.runtimes.model_artifact import ModelArtifact


class RunningModel(Protocol):
    """A loaded file."""

    @property
    def artifact(self) -> ModelArtifact:
        """The file."""
        ...

    @property
    def engine(self) -> EngineName:
        """The runtime and its kernels."""
        ...

    def all_heads(self, images: np.ndarray, on_progress: OnProgress = ignore) -> np.ndarray:
        """Returns the int8 outputs [N, heads, classes] of int8 images [N, height, width, channels]."""
        ...
