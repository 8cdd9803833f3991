"""Somebody's own CMSIS-NN tree: where its sources and headers are."""

from dataclasses import dataclass
from pathlib import Path

from tinycerb.errors import UsageError


@dataclass(frozen=True)
class CmsisNn:
    """A CMSIS-NN tree.

    Attributes:
        includes: its headers' folder, and CMSIS-Core's where the tree needs that and it lies beside it.
        sources: its C files.
    """

    includes: tuple[Path, ...]
    sources: tuple[Path, ...]


def open_cmsis_nn(root: Path) -> CmsisNn:
    """Opens a tree: a folder with `Include/arm_nnfunctions.h` and `Source/`.

    CMSIS-Core's `cmsis_compiler.h` is taken from `../cmsis_core/Include` or `../Core/Include`, as in CMSIS 5.

    Raises:
        UsageError: it is none.
    """
    root = root.resolve()
    if not (root / "Include" / "arm_nnfunctions.h").is_file() or not (root / "Source").is_dir():
        raise UsageError(f"{root} is no CMSIS-NN tree: it lacks Include/arm_nnfunctions.h or Source/")
    core = (root.parent / name / "Include" for name in ("cmsis_core", "Core"))
    found = [folder for folder in core if (folder / "cmsis_compiler.h").is_file()]
    return CmsisNn((root / "Include", *found), tuple(sorted((root / "Source").rglob("*.c"))))
