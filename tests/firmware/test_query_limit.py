"""The device's count of questions and its limit: the bucket on this computer, the whole over QEMU's serial line."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.random_models import random_model
from tinycerb.boards.board import load_board
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device import Device, QueryLimitReached
from tinycerb.boards.firmware import build_firmware, with_secret
from tinycerb.boards.flashers import FLASHERS
from tinycerb.boards.query_limit import QueryLimit, parse_query_limit
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import HardwareError, UsageError


class Bucket(ctypes.Structure):
    """query_limit of query_limit.h."""

    _fields_ = (
        ("period", ctypes.c_uint64), ("full", ctypes.c_uint64), ("level", ctypes.c_uint64),
        ("answered", ctypes.c_uint32), ("refused", ctypes.c_uint32),
    )  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("bucket")
    source = firmware_folder() / "application" / "query_limit.c"
    command = ["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC", str(source)]
    subprocess.run([*command, "-o", str(folder / "bucket.so")], check=True)
    found = ctypes.CDLL(str(folder / "bucket.so"))
    found.query_limit_wait.restype = ctypes.c_uint64
    found.query_limit_start.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64)
    found.query_limit_elapsed.argtypes = (ctypes.c_void_p, ctypes.c_uint64)
    return found


def test_the_bucket_lets_no_more_through_than_promised(library: ctypes.CDLL) -> None:
    questions, period = 5, 3_000_000_000
    bucket = Bucket()
    at = ctypes.byref(bucket)
    library.query_limit_start(at, questions, period)
    assert [library.query_limit_take(at) for _ in range(7)] == [1] * 5 + [0] * 2
    assert (bucket.answered, bucket.refused) == (5, 2)
    assert library.query_limit_wait(at) == period
    rng, passed = np.random.default_rng(4), 0
    for _ in range(3000):
        ticks = int(rng.integers(0, 2**31))
        library.query_limit_elapsed(at, ticks)
        passed += ticks
        library.query_limit_take(at)
        assert bucket.answered <= questions + passed // period
        assert bucket.level <= bucket.full
    # Asked often enough, it gives what it promises.
    assert bucket.answered >= questions + passed // period - 1
    assert bucket.answered + bucket.refused == 3007
    for _ in range(20):
        library.query_limit_elapsed(at, 2**32 - 1)
    assert [library.query_limit_take(at) for _ in range(6)] == [1] * 5 + [0]


def test_the_bucket_lets_no_more_through_a_tick_too_early(library: ctypes.CDLL) -> None:
    bucket = Bucket()
    at = ctypes.byref(bucket)
    library.query_limit_start(at, 1, 100)
    assert library.query_limit_take(at) == 1
    library.query_limit_elapsed(at, 60)
    assert library.query_limit_wait(at) == 40
    library.query_limit_elapsed(at, 39)
    assert (library.query_limit_wait(at), library.query_limit_take(at)) == (1, 0)
    library.query_limit_elapsed(at, 1)
    assert (library.query_limit_wait(at), library.query_limit_take(at)) == (0, 1)


@pytest.mark.parametrize("name", ["qemu-m0", "qemu-m4"])
def test_a_limited_device_counts_and_refuses(tmp_path: Path, name: str) -> None:
    import serial

    board, file = load_board(name), parse_model(random_model(3))
    # A week between questions of its own clock, which in the emulator runs by instructions.
    firmware = build_firmware(file, board, tmp_path / "build", "keyed", limit=QueryLimit(3, 3 * 7 * 86400))
    with (
        with_secret(firmware.image, bytes(16), tmp_path) as image,
        FLASHERS["qemu"].run(board, image.elf, None, 30) as port,
        serial.Serial(port, 115200, timeout=0.05) as line,
    ):
        device = Device(line)
        assert device.count() == (0, 0)
        for _ in range(3):
            assert device.ask(firmware.golden_images[0], image.model.output.bytes).sum() == 256
        with pytest.raises(QueryLimitReached, match=r"limits questions: ask again in 6\d\d,\d\d\d seconds") as caught:
            device.ask(firmware.golden_images[0], image.model.output.bytes)
        assert caught.value.exit_code == 4
        assert 0.9 * 7 * 86400 < caught.value.seconds <= 7 * 86400
        assert device.count() == (3, 1)
        # What needs no question goes on.
        assert device.self_test().wrong == 0


def test_the_bucket_fills_again(tmp_path: Path) -> None:
    import serial

    board, file = load_board("qemu-m3"), parse_model(random_model(3))
    firmware = build_firmware(file, board, tmp_path / "build", "keyed", limit=QueryLimit(2, 2))
    with (
        with_secret(firmware.image, bytes(16), tmp_path) as image,
        FLASHERS["qemu"].run(board, image.elf, None, 30) as port,
        serial.Serial(port, 115200, timeout=0.05) as line,
    ):
        device = Device(line)
        waits = []
        while device.count()[0] < 6:
            try:
                device.ask(firmware.golden_images[0], image.model.output.bytes)
            except QueryLimitReached as error:
                waits.append(error.seconds)
        assert device.count() == (6, len(waits))
    assert set(waits) <= {1}


def test_without_a_limit_nothing_is_counted(tmp_path: Path) -> None:
    import serial

    board = load_board("qemu-m3")
    firmware = build_firmware(parse_model(random_model(3)), board, tmp_path / "build", "keyed")
    with (
        with_secret(firmware.image, bytes(16), tmp_path) as image,
        FLASHERS["qemu"].run(board, image.elf, None, 30) as port,
        serial.Serial(port, 115200, timeout=0.05) as line,
        pytest.raises(HardwareError, match="the device refused request 5"),
    ):
        Device(line).count()


def test_limits_are_read_from_the_command_line() -> None:
    assert parse_query_limit("100/3600") == QueryLimit(100, 3600)
    for wrong in ("100", "1/60", "x/60", "5/0", "-5/60"):
        with pytest.raises(UsageError, match="expected QUESTIONS/SECONDS, for example 100/3600"):
            parse_query_limit(wrong)
