"""Builds the delegate with the system's C compiler, once per source text."""

import hashlib
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from tinycerb.converters.child_process import die_with_parent
from tinycerb.converters.own_folder import own_folder

_SOURCES = ("delegate.c", "tflite_abi.h")
_FLAGS = ("-std=c99", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wconversion", "-Werror")


class DelegateBuildError(RuntimeError):
    """There is no C compiler, or it refuses."""


def default_cache() -> Path:
    """Returns the user's cache directory for TinyCerb."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinycerb"


def build_delegate(cache: Path | None = None) -> Path:
    """Returns the shared library, built unless it is there already.

    Args:
        cache: directory for built libraries; by default the user's cache.

    Raises:
        DelegateBuildError: no compiler, or it fails; the message holds what to do.
        OSError: the directory cannot be written.
    """
    sources = {name: (resources.files("tinycerb.converters.head_select_op") / name).read_bytes() for name in _SOURCES}
    digest = hashlib.sha256(b"".join(sources.values())).hexdigest()[:16]
    library = (cache or default_cache()) / f"libtinycerb_head_select-{digest}.so"
    if library.exists():
        return library
    compiler = os.environ.get("CC") or next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise DelegateBuildError(
            "no C compiler (cc, gcc, clang) for the delegate; install one with: sudo apt-get install -y gcc   or use "
            "tinycerb.converters.head_select_op.registerer with tflite-runtime, which needs none"
        )
    library.parent.mkdir(parents=True, exist_ok=True)
    with own_folder(library.parent) as folder:
        for name, text in sources.items():
            (folder / name).write_bytes(text)
        built = folder / "built.so"
        command = [compiler, *_FLAGS, str(folder / _SOURCES[0]), "-o", str(built)]
        try:
            finished = subprocess.run(die_with_parent(command), capture_output=True, text=True, check=False)
        except OSError as error:
            raise DelegateBuildError(f"cannot start the C compiler {compiler}: {error.strerror}") from error
        if finished.returncode != 0:
            raise DelegateBuildError(f"{' '.join(command)} failed:\n{finished.stderr.strip()[-1000:]}")
        # Another process may have built it meanwhile: the same bytes, so the last one wins.
        built.replace(library)
    return library
