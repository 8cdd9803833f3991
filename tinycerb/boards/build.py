"""Compiles firmware images with Debian's cross compiler, and says what does not fit."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tinycerb.advice.install import system_command
from tinycerb.boards.board import Board
from tinycerb.boards.cmsis_nn import CmsisNn
from tinycerb.boards.elf import memory_use
from tinycerb.boards.fit import Need, refuse_shortage
from tinycerb.boards.lowered import lowered
from tinycerb.converters.c_model.host import runtime_sources, write_model
from tinycerb.converters.c_model.model import CModel
from tinycerb.converters.child_process import die_with_parent
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import EnvironmentProblem

COMPILER_PACKAGES = ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi")
EMULATOR_PACKAGE = "qemu-system-arm"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
# Applications and what they are linked with beside the runtime.
MEASURE = ("application/measure.c", "target/startup.c", "target/ticks.c", "target/semihosting.c")


@dataclass(frozen=True)
class Image:
    """A linked firmware image.

    Attributes:
        elf: the file.
        model: what was compiled into it.
        flash_bytes: code, constants and initial values.
        ram_bytes: variables and arena, without the stack.
    """

    elf: Path
    model: CModel
    flash_bytes: int
    ram_bytes: int


def firmware_folder() -> Path:
    """Returns the folder `firmware_stub`."""
    return Path(str(resources.files("tinycerb.firmware_stub")))


def build_image(
    file: ModelFile,
    board: Board,
    folder: Path,
    application: Sequence[str] = MEASURE,
    optimisation: str = "-O3",
    extra: Sequence[Path] = (),
    defines: Sequence[str] = (),
    system: Sequence[Path] = (),
    relaxed: bool = False,
    cmsis_nn: CmsisNn | None = None,
) -> Image:
    """Compiles a model with an application for a board.

    Args:
        file: the model.
        board: the board.
        folder: where everything goes; the runtime's objects are kept there and used again.
        application: sources under `firmware_stub`.
        optimisation: of the compiler, for the runtime.
        extra: further C files, such as golden vectors.
        defines: further definitions, `NAME=VALUE`.
        system: include folders of other people's headers.
        relaxed: GNU C and no warnings, for other people's sources.
        cmsis_nn: a tree whose kernels take the place of TinyCerb's where it has them.

    Raises:
        UsageError: the model or its response cannot run on this runtime.
        HardwareError: it does not fit the board.
        EnvironmentProblem: no cross compiler, or it failed.
    """
    model = lowered(file, kernels_for(board, cmsis_nn))
    write_model(model, folder)
    root = firmware_folder()
    script = (root / "target" / "link.ld.in").read_text()
    for name, value in (
        ("FLASH_ORIGIN", board.flash.origin), ("FLASH_BYTES", board.flash.bytes), ("RAM_ORIGIN", board.ram.origin),
        ("RAM_BYTES", board.ram.bytes), ("STACK_BYTES", board.stack_bytes),
    ):  # fmt: skip
        script = script.replace(f"@{name}@", hex(value))
    (folder / "link.ld").write_text(script)
    elf = folder / "firmware.elf"
    # What runs once per question may be small; the runtime's kernels are to be fast.
    flags = [*compiler_flags(board, "-Os"), f"-I{folder}"]
    flags += [f"-DTC_SERIAL_{name.upper()}={value:#x}u" for name, value in board.serial.items()]
    flags += [f"-D{define}" for define in defines] + [f"-isystem{path}" for path in system]
    if relaxed:
        flags = ["-std=gnu99", *(flag for flag in flags if flag not in (*WARNINGS, "-std=c99"))]
    parts = (*application, *(f"target/{name}" for name in board.sources))
    sources = [*(root / part for part in parts), folder / "model.c", *extra]
    archives = [_runtime_archive(board, folder.parent, optimisation)]
    if cmsis_nn is not None:
        flags += ["-DTINYCERB_CMSIS_NN", f"-I{root / 'kernels' / 'cmsis_nn'}"]
        archives = [*_cmsis_nn_archives(cmsis_nn, board, folder.parent, optimisation), *archives]
    _run(
        [_tool("gcc"), *flags, *map(str, sources), *map(str, archives),
         "-nostartfiles", "--specs=nano.specs", "-T", str(folder / "link.ld"), "-Wl,--gc-sections", "-o", str(elf)],
        board,
    )  # fmt: skip
    return Image(elf, model, *memory_use(elf))


def kernels_for(board: Board, cmsis_nn: CmsisNn | None = None) -> str:
    """Returns the target that a model is lowered to."""
    return board.kernels if cmsis_nn is None else f"{board.kernels}+cmsis-nn"


def compiler_flags(board: Board, optimisation: str) -> list[str]:
    """Returns the flags that every file of an image is compiled with."""
    root = firmware_folder()
    includes = [f"-I{root / part}" for part in ("include", "kernels", "target", "application")]
    # Loops of a few bytes stay loops: as calls of the C library they would go byte by byte.
    return [
        "-std=c99", "-mthumb", *board.flags, optimisation, *WARNINGS, "-ffunction-sections", "-fdata-sections",
        "-fno-strict-aliasing", "-fno-tree-loop-distribute-patterns", *includes,
    ]  # fmt: skip


def _runtime_archive(board: Board, folder: Path, optimisation: str) -> Path:
    """The runtime for a board's core."""
    sources = runtime_sources(firmware_folder(), board.kernels)
    return _archive("runtime", sources, compiler_flags(board, optimisation), board, folder)


def _cmsis_nn_archives(cmsis_nn: CmsisNn, board: Board, folder: Path, optimisation: str) -> list[Path]:
    """The adapters and what they call."""
    flags = compiler_flags(board, optimisation)
    flags += [f"-isystem{path}" for path in cmsis_nn.includes]
    adapters = sorted((firmware_folder() / "kernels" / "cmsis_nn").glob("*.c"))
    theirs = ["-std=gnu99", *(flag for flag in flags if flag not in (*WARNINGS, "-std=c99")), "-w"]
    return [
        _archive("adapters", adapters, flags, board, folder),
        _archive("cmsis-nn", cmsis_nn.sources, theirs, board, folder),
    ]


def _archive(name: str, sources: Sequence[Path], flags: Sequence[str], board: Board, folder: Path) -> Path:
    """A library; compiled once per folder."""
    # Boards of one name may differ in their core.
    digest = hashlib.sha256("\0".join([*map(str, sources), *flags]).encode()).hexdigest()[:12]
    archive = folder / f"{name}-{board.name}-{digest}.a"
    inputs = [*sources, *firmware_folder().rglob("*.h")]
    if archive.exists() and archive.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
        return archive
    objects = folder / f"{name}-{board.name}-{digest}"
    objects.mkdir(parents=True, exist_ok=True)
    _run([_tool("gcc"), *flags, "-c", *map(str, sources)], board, cwd=objects)
    archive.unlink(missing_ok=True)
    _run([_tool("ar"), "rcs", str(archive), *(str(objects / f"{path.stem}.o") for path in sources)], board)
    return archive


def _tool(name: str) -> str:
    found = shutil.which(f"arm-none-eabi-{name}")
    if found is None:
        command = system_command(*COMPILER_PACKAGES, EMULATOR_PACKAGE)
        raise EnvironmentProblem(f"arm-none-eabi-{name} is not installed; install it with: {command}")
    return found


def _run(command: Sequence[str], board: Board, cwd: Path | None = None) -> str:
    finished = subprocess.run(die_with_parent(command), capture_output=True, text=True, check=False, cwd=cwd)
    if finished.returncode == 0:
        return finished.stdout
    shortages = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", finished.stderr)
    if shortages:
        sizes = {"FLASH": board.flash.bytes, "RAM": board.ram.bytes}
        refuse_shortage(board, [Need(name, sizes[name] + int(count), sizes[name]) for name, count in shortages])
    raise EnvironmentProblem(f"{Path(command[0]).name} failed for {board.name}:\n{finished.stderr[-3000:]}")
