"""Somebody's own CMSIS-NN tree: where its sources and headers are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinycerb.bounded.files import MOST_TEXT, read_bytes
from tinycerb.errors import UsageError

# Float kernels, which its own build leaves out as well; they do not compile without a definition of their own.
_FLOAT = re.compile(r"_(f16|f32|flt)$")
_CORE_HEADER = "cmsis_compiler.h"


@dataclass(frozen=True)
class CmsisNn:
    """A CMSIS-NN tree.

    Attributes:
        includes: its headers' folder, and CMSIS-Core's where it lies beside it.
        sources: its C files without the float kernels.
    """

    includes: tuple[Path, ...]
    sources: tuple[Path, ...]


def open_cmsis_nn(root: Path) -> CmsisNn:
    """Opens a tree: a folder with `Include/arm_nnfunctions.h` and `Source/`.

    CMSIS-Core's `cmsis_compiler.h` is taken from `CMSIS/Core/Include` in the tree, beside it or in a folder beside it
    (CMSIS_6, CMSIS_5, as TFLite Micro has it), from `../Core/Include` (inside of CMSIS 5) or `../cmsis_core/Include`.

    Raises:
        UsageError: it is none, or it asks for CMSIS-Core's headers, which are in none of these places.
    """
    root = root.resolve()
    if not (root / "Include" / "arm_nnfunctions.h").is_file() or not (root / "Source").is_dir():
        raise UsageError(f"{root} is no CMSIS-NN tree: it lacks Include/arm_nnfunctions.h or Source/")
    core = next((folder for folder in _core_folders(root) if (folder / _CORE_HEADER).is_file()), None)
    if core is None and _asks_for_core(root):
        raise UsageError(
            f"{root} needs CMSIS-Core's {_CORE_HEADER}, which is not in {root}/CMSIS/Core/Include, nor in "
            f"{root.parent}/CMSIS/Core/Include or {root.parent}/*/CMSIS/Core/Include; put it there with: "
            f"git clone --depth 1 https://github.com/ARM-software/CMSIS_6 {root.parent}/CMSIS_6"
        )
    sources = (path for path in (root / "Source").rglob("*.c") if not _FLOAT.search(path.stem))
    return CmsisNn((root / "Include", *([core] if core else [])), tuple(sorted(sources)))


def _core_folders(root: Path) -> Iterator[Path]:
    yield from (root.parent / "cmsis_core" / "Include", root.parent / "Core" / "Include")
    yield from (folder / "CMSIS" / "Core" / "Include" for folder in (root, root.parent))
    # The newest first.
    yield from sorted(root.parent.glob("*/CMSIS/Core/Include"), reverse=True)


def _asks_for_core(root: Path) -> bool:
    line = f'#include "{_CORE_HEADER}"'.encode()
    return any(line in read_bytes(path, MOST_TEXT) for path in (root / "Include").rglob("*.h"))
