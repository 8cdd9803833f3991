"""What TFLite's reference kernels say, computed in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import ModelFile, parse_model
from tinycerb.run.directory import RunDirectory

VICTIMS = ("undefended", "cerberos")


@dataclass(frozen=True)
class Case:
    """A model, inputs, and the expected int8 outputs [N, heads, bytes]."""

    file: ModelFile
    images: np.ndarray
    expected: np.ndarray
    reference_seconds: float


Draw = Callable[[Sequence[int], int], np.ndarray]
Cases = Callable[..., dict[str, Case]]


def noise(shape: Sequence[int], count: int) -> np.ndarray:
    """Random int8 images [count, *shape]."""
    return np.random.default_rng(len(shape)).integers(-128, 128, (count, *shape), dtype=np.int8)


@pytest.fixture(scope="session")
def cases(tmp_path_factory) -> Cases:
    """Runs models by name on `count` images with BUILTIN_REF."""

    def make(models: Mapping[str, bytes], count: int, draw: Draw = noise) -> dict[str, Case]:
        folder = tmp_path_factory.mktemp("reference")
        files = {name: parse_model(content) for name, content in models.items()}
        for name, file in files.items():
            model = lower_model(file)
            images = draw(model.image.shape[1:], count)
            (folder / f"{name}.tflite").write_bytes(file.content)
            (folder / f"{name}.heads").write_text(str(model.heads))
            np.save(folder / f"{name}.images.npy", images)
        script = Path(__file__).with_name("reference_kernels.py")
        finished = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        return {
            name: Case(
                file,
                np.load(folder / f"{name}.images.npy"),
                np.load(folder / f"{name}.expected.npy"),
                float((folder / f"{name}.seconds").read_text()),
            )
            for name, file in files.items()
        }

    return make


@pytest.fixture(scope="session")
def victims(smoke_run: RunDirectory, cases: Cases) -> dict[str, Case]:
    """The models of the smoke run, with 100 images each."""
    return cases({name: (smoke_run.path / "victims" / name / "model.tflite").read_bytes() for name in VICTIMS}, 100)
