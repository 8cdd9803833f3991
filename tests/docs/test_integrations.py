"""The listings of docs/integrations.md: the sketch runs on an emulated Cortex-M3, the STM32 task compiles."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.random_models import random_model
from tinycerb.answers.keyed_selection import keyed_heads
from tinycerb.boards.board import load_board
from tinycerb.boards.build import compiler_flags, firmware_folder
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.model_file import read_model_file
from tinycerb.converters.pixel_codes import quantize_pixels

ROOT = Path(__file__).parents[2]
# What the Arduino IDE and the board's core bring along.
ARDUINO = """
#pragma once
#include <stddef.h>
#include <stdint.h>
extern "C" {
#include "target.h"
}
struct Line {
    void begin(long) { serial_start(); }
    size_t readBytes(char *to, size_t count) {
        for (size_t i = 0; i < count; i++)
            to[i] = static_cast<char>(serial_read());
        return count;
    }
    void write(const uint8_t *from, size_t count) {
        for (size_t i = 0; i < count; i++)
            serial_write(from[i]);
    }
};
static Line Serial;
void setup();
void loop();
"""
MAIN = """
extern "C" int main(void) {
    setup();
    for (;;)
        loop();
}
"""
ST_HEADER = """
#include <stdint.h>
typedef struct { int unused; } UART_HandleTypeDef, RNG_HandleTypeDef;
typedef enum { HAL_OK } HAL_StatusTypeDef;
enum { HAL_MAX_DELAY = 0x7FFFFFFF };
HAL_StatusTypeDef HAL_RNG_GenerateRandomNumber(RNG_HandleTypeDef *, uint32_t *);
HAL_StatusTypeDef HAL_UART_Receive(UART_HandleTypeDef *, uint8_t *, uint16_t, uint32_t);
HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *, const uint8_t *, uint16_t, uint32_t);
"""


def listing(language: str) -> str:
    found = re.findall(
        rf"^```{language}\n(.*?)^```$", (ROOT / "docs/integrations.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The folder that the shell listing makes."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "model.tflite").write_bytes(random_model(27))
    functions = f'python() {{ "{sys.executable}" "$@"; }}\ntinycerb() {{ python -m tinycerb "$@"; }}\n'
    run(["bash", "-eu", "-c", functions + listing("sh")], folder, {**os.environ, "PYTHONPATH": str(ROOT)})
    return folder


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_arduino_sketch_answers_as_the_board_would(project: Path) -> None:
    board, root = load_board("qemu-m3"), firmware_folder()
    (project / "Arduino.h").write_text(ARDUINO)
    # The IDE makes C++ of a sketch by putting its header first.
    (project / "sketch" / "sketch.cpp").write_text('#include "Arduino.h"\n' + listing("cpp") + MAIN)
    sources = sorted((project / "sketch/src/tinycerb").glob("*.c"))
    assert len(sources) > 15
    target = [root / "target" / name for name in ("startup.c", "standalone.c", "serial_cmsdk.c")]
    core = ["-mthumb", *board.flags, "-O3", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"]
    # No include path but the target's: the copied files find each other.
    system = [f"-I{root / 'target'}", f"-I{project}", f"-DTC_SERIAL_BASE={board.serial['base']:#x}u"]
    run(["arm-none-eabi-gcc", "-std=c99", *core, "-c", *map(str, sources)], project)
    run(["arm-none-eabi-gcc", "-std=c99", *core, *system, "-c", *map(str, target)], project)
    run(["arm-none-eabi-g++", *core, *system, "-fno-exceptions", "-fno-rtti", "-c", "sketch/sketch.cpp"], project)
    objects = [f"{path.stem}.o" for path in (*sources, *target)]
    script = project / "build" / "link.ld"
    run(
        [
            "arm-none-eabi-gcc",
            *core,
            *objects,
            "sketch.o",
            "-nostartfiles",
            "--specs=nano.specs",
            "-T",
            str(script),
            "-o",
            "sketch.elf",
        ],
        project,
    )

    file = read_model_file(project / "model.tflite")
    host = build_host_model(file, root, project / "host", ("-O1",))
    pixels = np.random.default_rng(1).integers(0, 256, (4, host.model.image.bytes), dtype=np.uint8)
    images = quantize_pixels(host.model.image, pixels)
    assert not np.array_equal(images, (pixels ^ 0x80).view(np.int8))
    command = ["qemu-system-arm", "-M", board.machine, "-display", "none", "-monitor", "none", "-serial", "stdio"]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "-kernel", str(project / "sketch.elf")], stdin=pipe, stdout=pipe) as machine:
        assert machine.stdin is not None
        assert machine.stdout is not None
        machine.stdin.write(pixels.tobytes())
        machine.stdin.flush()
        codes = np.frombuffer(machine.stdout.read(len(images) * host.model.output.bytes), np.uint8)
        machine.kill()
    # The emulated flash holds zeros where the sketch looks for the secret.
    heads = keyed_heads(images, host.model.heads, bytes(16)).tolist()
    expected = [
        host.answer(host.infer(image[np.newaxis], head), head) for image, head in zip(images, heads, strict=True)
    ]
    assert codes.tobytes() == np.concatenate(expected).tobytes()
    assert len(np.unique(codes)) > 3


def test_the_stm32_task_compiles(project: Path) -> None:
    board = load_board("nucleo-f412zg")
    (project / "main.h").write_text(ST_HEADER)
    (project / "tinycerb_task.c").write_text(listing("c"))
    folders = [f"-I{project}", f"-I{project / 'sketch/src/tinycerb'}"]
    run(["arm-none-eabi-gcc", *compiler_flags(board, "-O2"), *folders, "-c", "tinycerb_task.c"], project)
    assert (project / "tinycerb_task.o").stat().st_size > 500
