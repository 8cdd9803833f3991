"""Copies and fills go by whole words, however arrays lie: the runtime asks nothing of the C library for them."""

import subprocess
from pathlib import Path

import pytest

from tests.firmware.random_models import random_model
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image
from tinycerb.converters.model_file import parse_model

LIBRARY = {"memcpy", "memmove", "memset"}


@pytest.mark.parametrize("name", ["qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55"])
def test_the_runtime_calls_no_copies_of_the_c_library(tmp_path: Path, name: str) -> None:
    build_image(parse_model(random_model(3)), load_board(name), tmp_path / "image")
    (archive,) = tmp_path.glob("runtime-*.a")
    command = ["arm-none-eabi-nm", "-u", archive]
    wanted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "tc_multiply_two" in wanted
    assert {line.split()[-1] for line in wanted.splitlines() if " U " in line} & LIBRARY == set()
