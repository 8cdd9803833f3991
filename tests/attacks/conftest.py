"""What real int8 victims answer to foreign images, head by head."""

from collections.abc import Callable

import numpy as np
import pytest

from tinycerb.datasets.query_pools import load_animal_mnist

FOREIGN = load_animal_mnist()[::3][:3000]

_ALL_HEADS = """
import sys
from pathlib import Path
import numpy as np
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.datasets.query_pools import load_animal_mnist
artifact = open_artifact(Path(sys.argv[1]))
images = artifact.quantize(load_animal_mnist()[::3][:3000])
np.save(sys.argv[2], artifact.posteriors(open_fastest(artifact).all_heads(images)))
"""


@pytest.fixture(scope="module")
def head_codes(smoke_run, run_child: Callable[..., str], tmp_path_factory) -> Callable[[str], np.ndarray]:
    """Posterior codes of every head of a victim of the smoke run to `FOREIGN`, uint8 [3000, heads, classes]."""

    def read(victim: str) -> np.ndarray:
        path = tmp_path_factory.mktemp("heads") / "codes.npy"
        run_child(_ALL_HEADS, smoke_run.model(victim), path)
        return np.load(path)

    return read
