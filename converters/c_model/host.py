"""The same C on this computer: a shared library that answers like the device, byte for byte, and fast."""

import contextlib
import ctypes
import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.converters.c_model.emit import emit_header, emit_source
from tinycerb.converters.c_model.model import CModel, lower_model
from tinycerb.converters.c_model.response import ResponseStep
from tinycerb.converters.child_process import die_with_parent
from tinycerb.converters.model_file import ModelFile
from tinycerb.converters.own_folder import own_folder


class CompilerError(RuntimeError):
    """There is no C compiler, or it refused the sources."""


@dataclass(frozen=True)
class HostModel:
    """A model compiled for this computer. One inference at a time: it works in static memory."""

    model: CModel
    library: ctypes.CDLL

    def infer(self, images: np.ndarray, head: int = 0) -> np.ndarray:
        """Runs the model.

        Args:
            images: int8 [N, height, width, channels].
            head: 0 to heads - 1.

        Returns:
            int8 [N, output bytes].

        Raises:
            ValueError: images of another type or size, or a head that does not exist.
        """
        flat = np.ascontiguousarray(images).reshape(len(images), -1)
        if flat.dtype != np.int8 or flat.shape[1] != self.model.image.bytes:
            raise ValueError(
                f"images are {images.dtype} {images.shape}; expected int8 (N, {self.model.image.shape[1:]})"
            )
        if not 0 <= head < self.model.heads:
            raise ValueError(f"head is {head}; expected 0 to {self.model.heads - 1}")
        outputs = np.empty((len(flat), self.model.output.bytes), np.int8)
        self.library.tc_host_infer(_pointer(flat), len(flat), head, _pointer(outputs))
        return outputs

    def answer(self, logits: np.ndarray, head: int = 0) -> np.ndarray:
        """Turns int8 [N, output bytes] into uint8 codes [N, classes]: one head's, or all of them where combined."""
        codes = np.empty((len(logits), self.model.answer_bytes), np.uint8)
        logits = np.ascontiguousarray(logits)
        self.library.tc_host_answer(_pointer(logits), len(logits), head, _pointer(codes))
        return codes


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def runtime_sources(runtime: Path, kernels: str) -> list[Path]:
    """Returns the C files of the runtime; a family's own kernel replaces the common one of the same name."""
    folders = (
        runtime / "runtime",
        runtime / "runtime" / "responses",
        runtime / "kernels",
        runtime / "kernels" / kernels,
    )
    return sorted({path.name: path for folder in folders for path in folder.glob("*.c")}.values())


def write_model(model: CModel, folder: Path) -> None:
    """Writes model.c and model.h."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.h").write_text(emit_header(model))
    (folder / "model.c").write_text(emit_source(model))


def build_host_model(
    file: ModelFile,
    runtime: Path,
    folder: Path,
    flags: tuple[str, ...] = ("-O3",),
    target: str | None = None,
    cache: Path | None = None,
    responses: Sequence[ResponseStep] = (),
) -> HostModel:
    """Compiles a model for this computer.

    Args:
        file: the model.
        runtime: the folder `firmware_stub`.
        folder: where model.c, model.h and the library go.
        flags: for the compiler.
        target: `host` or `host-avx2`; what this computer can by default.
        cache: where the compiled runtime is kept and found again; beside `folder` by default.
        responses: what is done to every posterior, as for `lower_model`.

    Raises:
        UnsupportedModelError: the runtime cannot run it.
        CompilerError: no compiler, or an error from it.
    """
    runtime = runtime.resolve()
    target = target or ("host-avx2" if _has_avx2() else "host")
    model = lower_model(file, target, responses)
    write_model(model, folder)
    command = [_compiler(), "-std=c99", "-fPIC", "-fno-strict-aliasing", *flags]
    command += ["-mavx2"] if target == "host-avx2" else []
    command += [f"-I{runtime / part}" for part in ("include", "kernels")]
    sources = [*runtime_sources(runtime, model.target.kernels), runtime / "host" / "host.c"]
    objects = _runtime_objects(command, sources, sorted(runtime.rglob("*.h")), cache or folder.parent)
    library = folder / "model.so"
    _compile([*command, "-shared", f"-I{folder}", "-o", str(library), str(folder / "model.c"), *map(str, objects)])
    return HostModel(model, ctypes.CDLL(str(library.resolve())))


def _runtime_objects(command: list[str], sources: list[Path], headers: list[Path], cache: Path) -> list[Path]:
    """Compiles the runtime, once per compiler options and text of its sources."""
    digest = hashlib.sha256("\0".join(command).encode())
    for path in (*sources, *headers):
        digest.update(path.read_bytes())
    folder = cache / f"c-runtime-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with own_folder(cache) as part:
            objects = part / "objects"
            objects.mkdir()
            _compile([*command, "-c", *(str(path.resolve()) for path in sources)], objects)
            # Another process may have built the same meanwhile.
            with contextlib.suppress(OSError):
                objects.rename(folder)
    return [folder / f"{path.stem}.o" for path in sources]


def _compile(command: list[str], folder: Path | None = None) -> None:
    finished = subprocess.run(die_with_parent(command), capture_output=True, text=True, check=False, cwd=folder)
    if finished.returncode != 0:
        raise CompilerError(f"{command[0]} failed:\n{finished.stderr[-4000:]}")


def _compiler() -> str:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise CompilerError("there is no C compiler; install one with: sudo apt-get install -y gcc")
    return compiler


def _has_avx2() -> bool:
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
