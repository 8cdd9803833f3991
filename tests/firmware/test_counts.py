"""Counts that cannot lie: clocks that go on where the hardware's begins again, layers that sum to the whole."""

import ctypes
import json
import mmap
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Cli
from tests.firmware.networks import one_convolution, patches, resnet8
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.counts import layer_counts, profile_counts
from tinycerb.boards.emulator import measure, measure_in_unicorn
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import HardwareError

M4 = load_board("qemu-m4")
ROUND = 2**24
# At this shift QEMU's SysTick does not come round in a run: 40 instructions per tick.
COARSE = 0
# Instructions of SysTick's interrupt.
INTERRUPT = 5


@dataclass
class Clock:
    """A driver of the clock on this computer; its registers are memory, the hardware is the test."""

    library: ctypes.CDLL

    def write(self, address: int, value: int) -> None:
        ctypes.c_uint32.from_address(address).value = value & 0xFFFFFFFF

    def since(self, earlier: int = 0) -> int:
        return self.library.target_ticks_since(ctypes.c_uint32(earlier))


SYSTICK_VALUE, DWT_CYCLES, INTERRUPT_STATE, PENDING = 0xE000E018, 0xE0001004, 0xE000ED04, 1 << 26


@pytest.fixture(scope="module")
def registers() -> None:
    """The pages where a Cortex-M has its clocks."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
    for page in (0xE000E000, 0xE0001000):
        fixed = 0x100000  # MAP_FIXED_NOREPLACE of Linux
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | fixed
        assert libc.mmap(page, 4096, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0) == page


@pytest.fixture
def clock(registers: None, tmp_path: Path) -> Callable[[str], Clock]:
    def build(name: str) -> Clock:
        library = tmp_path / f"{name}.so"
        flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
        source = firmware_folder() / "target" / f"{name}.c"
        subprocess.run(["cc", *flags, str(source), "-o", str(library)], check=True)
        loaded = ctypes.CDLL(str(library))
        loaded.target_ticks_since.restype = ctypes.c_uint64
        return Clock(loaded)

    return build


def test_systick_goes_on_where_its_24_bits_end(clock: Callable[[str], Clock]) -> None:
    ticks = clock("ticks")
    ticks.library.target_ticks_start()
    for elapsed in (1, 1000, ROUND - 1):
        ticks.write(SYSTICK_VALUE, ROUND - elapsed)
        assert ticks.since() == elapsed
        assert ticks.since(1) == elapsed - 1
    # The counter has begun again, its interrupt still waits.
    ticks.write(SYSTICK_VALUE, ROUND - 7)
    ticks.write(INTERRUPT_STATE, PENDING)
    assert ticks.since() == ROUND + 7
    ticks.write(INTERRUPT_STATE, 0)
    ticks.library.target_tick()
    assert ticks.since() == ROUND + 7
    for _ in range(299):
        ticks.library.target_tick()
    ticks.write(SYSTICK_VALUE, 0)
    assert ticks.since(5) == 300 * ROUND - 5
    ticks.library.target_ticks_start()
    assert ticks.since() == 0


def test_cycles_go_on_where_their_32_bits_end(clock: Callable[[str], Clock]) -> None:
    ticks = clock("ticks_dwt")
    ticks.library.target_ticks_start()
    cycles = 0
    # SysTick's interrupt comes 256 times a round; between two of them the clock is read.
    for step in range(1, 3 * 256 + 1):
        for at in (cycles + 12_345, cycles + ROUND - 1):
            ticks.write(DWT_CYCLES, at)
            assert ticks.since() == at
            assert ticks.since(345) == at - 345
        cycles = step * ROUND + step % 7
        ticks.write(DWT_CYCLES, cycles)
        ticks.library.target_tick()
    assert cycles > 2**33


def test_layers_and_rest_sum_to_the_whole() -> None:
    # Three layers of 1,000, 20 and 3,000, a copy of 7 behind them; reading the clock takes 30 each time.
    layers = layer_counts(4027, [1030, 1080, 4110, 4117], M4)
    assert layers == (1000, 20, 3000)
    exact = np.array([34, 4027, 50, 1030, 1080, 4110, 4117])
    ticks = np.floor(exact * 1.6 + 0.3).astype(np.uint64)
    counts = profile_counts(ticks, M4)
    assert (counts.draw, counts.inference, counts.answer) == (34, 4027, 50)
    assert sum(counts.layers) + counts.rest == 4027
    assert np.abs(np.subtract(counts.layers, (1000, 20, 3000))).max() <= 1


def test_layers_that_sum_to_more_than_the_whole_are_refused() -> None:
    whole, mean = 16_276_640, 155_357
    wrapped = whole - 10_485_760
    ends = [whole - mean, whole, whole + 60]
    with pytest.raises(HardwareError, match=r"counts sum to 16,27\d,\d{3}, more than the 5,790,880 .*tinycerb flash"):
        layer_counts(wrapped, ends, M4)
    # Caches make two runs of a real core differ.
    real = replace(M4, flasher="command", machine="")
    assert sum(layer_counts(whole, [whole - mean, whole + 5_000, whole + 5_060], real)) > whole
    with pytest.raises(HardwareError, match="lost ticks"):
        layer_counts(wrapped, ends, real)
    with pytest.raises(HardwareError, match="clock stands still"):
        profile_counts(np.zeros(6, np.uint64), real)


def test_a_layer_longer_than_a_round_is_counted(tmp_path: Path) -> None:
    """17.8 million instructions, 28.5 million ticks, in one layer; and as many in Unicorn."""
    file = parse_model(one_convolution(21, 64))
    image = build_image(file, M4, tmp_path / "image")
    (image_shape,) = (tensor.shape[1:] for tensor in file.inputs.values())
    images = patches(image_shape, 1)
    fine, coarse = measure(image, M4, images), measure(image, M4, images, COARSE)
    whole = int(fine.inference_instructions.max())
    assert whole * 1.6 > ROUND
    assert 0 <= whole - int(coarse.inference_instructions.max()) <= 40 + 2 * INTERRUPT
    assert 0 < whole - sum(fine.layer_instructions) < 200
    board = replace(load_board("unicorn-m4"), flash=M4.flash, ram=M4.ram, stack_bytes=M4.stack_bytes)
    found = measure_in_unicorn(image, board, images)
    assert whole > ROUND
    # Its SysTick comes round less often.
    assert abs(int(found.inference_instructions.max()) - whole) <= 1 + INTERRUPT
    assert np.abs(np.subtract(found.layer_instructions, fine.layer_instructions)).max() <= 1 + INTERRUPT
    assert found.logits.tobytes() == fine.logits.tobytes()


def test_whole_networks_print_what_their_layers_sum_to(cli: Cli, tmp_path: Path) -> None:
    """MLPerf Tiny's ResNet-8, the same count for every input."""
    path = tmp_path / "resnet8.tflite"
    path.write_bytes(resnet8())
    image = build_image(parse_model(path.read_bytes()), M4, tmp_path / "image")
    found = measure(image, M4, patches((32, 32, 3), 3))
    assert np.ptp(found.inference_instructions) == 0
    done = cli("bench", path, "--board", "qemu-m4", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["inference_instructions"] == pytest.approx(int(found.inference_instructions.max()), abs=10)
    assert facts["inference_instructions"] == pytest.approx(18_552_225, rel=0.001)
    layers = sum(layer["instructions"] for layer in facts["layers"])
    assert layers + facts["rest_instructions"] == facts["inference_instructions"]
    assert 0 < facts["rest_instructions"] < 200
