"""TFLite Micro with CMSIS-NN's kernels, or with its reference kernels, from trees that the reader has."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tinycerb.boards.board import Board
from tinycerb.boards.build import MEASURE, firmware_folder
from tinycerb.boards.cmsis_nn import open_cmsis_nn
from tinycerb.converters.known_operators import tflm_methods
from tinycerb.converters.model_file import ModelFile

# Where its Makefile and its create_tflm_tree.py put what it needs.
_PLACES = ("third_party", "tensorflow/lite/micro/tools/make/downloads")
# Folder for the compiler, and a header in it: a clone has folders of these names that hold nothing but build files.
_NEEDED = {
    "flatbuffers": ("include", "flatbuffers/flatbuffers.h"),
    "gemmlowp": (".", "fixedpoint/fixedpoint.h"),
    "ruy": (".", "ruy/profiler/instrumentation.h"),
}
# What an interpreter needs, of these folders.
_CORE = {
    "tensorflow/lite/micro": (
        "debug_log", "flatbuffer_utils", "memory_helpers", "micro_allocation_info", "micro_allocator", "micro_context",
        "micro_interpreter", "micro_interpreter_context", "micro_interpreter_graph", "micro_log", "micro_op_resolver",
        "micro_profiler", "micro_resource_variable", "micro_time", "micro_utils", "system_setup",
    ),
    "tensorflow/lite/micro/memory_planner": ("greedy_memory_planner", "linear_memory_planner"),
    "tensorflow/lite/micro/arena_allocator": (
        "non_persistent_arena_buffer_allocator", "persistent_arena_buffer_allocator", "single_arena_buffer_allocator",
    ),
    "tensorflow/lite/micro/tflite_bridge": ("flatbuffer_conversions_bridge", "micro_error_reporter"),
    "tensorflow/lite/core/c": ("common",),
    "tensorflow/compiler/mlir/lite/core/api": ("error_reporter",),
    "tensorflow/lite/core/api": ("flatbuffer_conversions", "tensor_utils"),
    "tensorflow/lite/kernels": ("kernel_util",),
    "tensorflow/lite/kernels/internal": (
        "common", "portable_tensor_utils", "quantization_util", "runtime_shape", "tensor_ctypes", "tensor_utils",
    ),
    "tensorflow/lite/kernels/internal/reference": ("portable_tensor_utils",),
    "tensorflow/compiler/mlir/lite/schema": ("schema_utils",),
}  # fmt: skip
# Of these kernels, and what they share; the networks of the table have no others.
_KERNELS = ("add", "conv", "depthwise_conv", "fully_connected", "pooling", "reduce", "reshape", "softmax")
_SHARED = ("kernel_util", "reshape_common", "micro_tensor_utils")
# Its smallest registrations: int8 alone.
_SMALLEST = {
    "ADD": "ADD_INT8", "CONV_2D": "CONV_2D_INT8", "DEPTHWISE_CONV_2D": "DEPTHWISE_CONV_2D_INT8",
    "FULLY_CONNECTED": "FULLY_CONNECTED_INT8", "AVERAGE_POOL_2D": "AVERAGE_POOL_2D_INT8", "SOFTMAX": "SOFTMAX_INT8",
}  # fmt: skip
# What its Makefile compiles with, BUILD_TYPE=release.
_RELEASE = (
    "-DNDEBUG", "-DTF_LITE_STRIP_ERROR_STRINGS", "-DTF_LITE_STATIC_MEMORY", "-DKERNELS_OPTIMIZED_FOR_SPEED",
    "-DARM_NN_ENABLE_F16=0", "-DARM_NN_ENABLE_F32=0", "-ffunction-sections", "-fdata-sections", "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables", "-w", "-mthumb",
)  # fmt: skip
_CXX = ("-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics", "-fno-use-cxa-atexit")


@dataclass(frozen=True)
class Upstream:
    """Trees and what their sources are compiled with.

    Attributes:
        tflm: TFLite Micro's tree.
        cmsis_nn: CMSIS-NN's tree; none for the reference kernels.
        kernels: optimisation of the kernels; the rest is compiled for size.
    """

    tflm: Path
    cmsis_nn: Path | None
    kernels: str = "-O3"

    @property
    def name(self) -> str:
        return "reference" if self.cmsis_nn is None else "cmsis-nn"

    def includes(self) -> list[Path]:
        found = [self.tflm]
        for name, (part, header) in _NEEDED.items():
            places = [self.tflm / place / name / part for place in _PLACES]
            here = [place for place in places if (place / header).is_file()]
            if not here:
                raise SystemExit(
                    f"{self.tflm} has no {name}; get it with: "
                    f"make -C {self.tflm} -f tensorflow/lite/micro/tools/make/Makefile third_party_downloads"
                )
            found.append(here[0])
        if self.cmsis_nn is not None:
            found += [self.cmsis_nn, *open_cmsis_nn(self.cmsis_nn).includes]
        return found


def libraries(upstream: Upstream, board: Board, folder: Path) -> list[Path]:
    """Compiles what does not depend on the model; once per folder."""
    micro = upstream.tflm / "tensorflow/lite/micro/kernels"
    common = {path.stem: path for path in micro.glob("*.cc")}
    theirs = {} if upstream.cmsis_nn is None else {path.stem: path for path in (micro / "cmsis_nn").glob("*.cc")}
    wanted = [name for each in _KERNELS for name in (each, f"{each}_common")] + list(_SHARED)
    kernels = [(common | theirs)[name] for name in wanted if name in common | theirs]
    core = [upstream.tflm / part / f"{name}.cc" for part, names in _CORE.items() for name in names]
    products = [] if upstream.cmsis_nn is None else open_cmsis_nn(upstream.cmsis_nn).sources
    flags = _flags(upstream, board)
    compiled = [
        *([*_gxx(), *flags, upstream.kernels, "-c", path] for path in kernels),
        *(["arm-none-eabi-gcc", "-std=gnu99", *flags, upstream.kernels, "-c", path] for path in products),
    ]
    interpreter = [[*_gxx(), *_flags(replace(upstream, cmsis_nn=None), board), "-Os", "-c", path] for path in core]
    return [
        _archive(folder / f"{upstream.name}-{board.name}", compiled),
        _archive(folder / f"interpreter-{board.name}", [job for job in interpreter if job[-1].is_file()]),
    ]


def _archive(objects: Path, jobs: Sequence[list]) -> Path:
    archive = objects.with_suffix(".a")
    if archive.exists():
        return archive
    objects.mkdir(parents=True, exist_ok=True)
    named = [(job, f"{index}-{Path(job[-1]).stem}.o") for index, job in enumerate(jobs)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = [pool.submit(_run, [*job, "-o", name], objects) for job, name in named]
        try:
            for each in made:
                each.result()
        except SystemExit:
            pool.shutdown(cancel_futures=True)
            raise
    _run(["arm-none-eabi-ar", "rcs", archive, *(name for _, name in named)], objects)
    return archive


def build(upstream: Upstream, file: ModelFile, board: Board, folder: Path, arena_bytes: int) -> Path:
    """Links the benchmark's program with a model.

    Args:
        upstream: the trees.
        file: one int8 input, one int8 output.
        board: where it is to run.
        folder: where everything goes; the library stands beside it.
        arena_bytes: reserved for the arena.

    Returns:
        The ELF file.
    """
    archives = libraries(upstream, board, folder.parent)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(file.content)
    (folder / "registrations.h").write_text(_registrations(file, upstream))
    root = firmware_folder()
    script = (root / "target" / "link.ld.in").read_text()
    for name, value in (
        ("FLASH_ORIGIN", board.flash.origin), ("FLASH_BYTES", board.flash.bytes), ("RAM_ORIGIN", board.ram.origin),
        ("RAM_BYTES", board.ram.bytes), ("STACK_BYTES", board.stack_bytes),
    ):  # fmt: skip
        script = script.replace(f"@{name}@", hex(value))
    (folder / "link.ld").write_text(script)
    flags = [*_flags(upstream, board), f"-I{root / 'target'}", f"-I{folder}", f"-DUPSTREAM_ARENA_BYTES={arena_bytes}"]
    own = [
        *([*_gxx(), *flags, "-Os", "-c", Path(__file__).with_name("upstream.cc")],),
        *(["arm-none-eabi-gcc", "-std=c99", *flags, "-Os", "-c", root / source] for source in MEASURE[1:]),
        ["arm-none-eabi-gcc", *flags, "-c", root / "application" / "tflite_file.S"],
    ]
    for command in own:
        _run(command, folder)
    elf = folder / "firmware.elf"
    objects = [f"{Path(command[-1]).stem}.o" for command in own]
    _run(
        ["arm-none-eabi-g++", "-mthumb", *board.flags, *objects, *archives, "-nostartfiles", "--specs=nano.specs",
         "--specs=nosys.specs", "-T", "link.ld", "-Wl,--gc-sections", "-o", elf], folder,
    )  # fmt: skip
    return elf


def _flags(upstream: Upstream, board: Board) -> list[str]:
    kernels = [] if upstream.cmsis_nn is None else ["-DCMSIS_NN"]
    return [*_RELEASE, *board.flags, *kernels, *(f"-isystem{path}" for path in upstream.includes())]


def _gxx() -> list[str]:
    return ["arm-none-eabi-g++", *_CXX]


def _registrations(file: ModelFile, upstream: Upstream) -> str:
    names = sorted({operator.name for operator in file.operators})
    calls = [
        f"resolver.{tflm_methods()[name]}"
        + (f"(tflite::Register_{_SMALLEST[name]}())" if upstream.cmsis_nn and name in _SMALLEST else "()")
        for name in names
    ]
    headers = "".join(
        f'#include "tensorflow/lite/micro/kernels/{name}.h"\n'
        for name in ("add", "conv", "depthwise_conv", "fully_connected", "pooling", "softmax")
    )
    checks = " && ".join(f"{call} == kTfLiteOk" for call in calls)
    return f"""#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
{headers}
using Resolver = tflite::MicroMutableOpResolver<{len(names)}>;
static inline bool Register(Resolver& resolver) {{
  return {checks};
}}
"""


def _run(command: Sequence[str | Path], folder: Path) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if finished.returncode != 0:
        sys.stderr.write(finished.stderr[-3000:])
        raise SystemExit(f"{Path(command[0]).name} failed for {Path(command[-1]).name}; what it said stands above")
