"""pyOCD: the real one, with a probe behind which there is memory instead of a chip."""

import json
import os
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from tests.boards.conftest import Terminal
from tests.conftest import Cli
from tinycerb.boards.board import load_board
from tinycerb.boards.elf import Segment
from tinycerb.boards.probe import check_memory
from tinycerb.errors import HardwareError, UsageError

PLUGIN = Path(__file__).with_name("fake_probe")
M4, M33 = "410fc241", "410fd213"
REAL = ["nrf52840-dk", "nucleo-f412zg"]


def with_probe(cpuid: str, writes: Path) -> dict[str, str]:
    """An environment in which pyOCD finds the probe."""
    return {**os.environ, "PYTHONPATH": str(PLUGIN), "FAKE_PROBE_CPUID": cpuid, "FAKE_PROBE_WRITES": str(writes)}


def shipped(name: str) -> str:
    return (resources.files("tinycerb.boards") / f"{name}.toml").read_text()


@pytest.fixture
def an521(tmp_path: Path) -> Path:
    """Arm's AN521, whose memory is RAM for pyOCD too: it can be written without a core that runs flash algorithms."""
    path = tmp_path / "an521.toml"
    text = shipped("qemu-m33").partition("[qemu]")[0].replace('flasher = "qemu"', 'flasher = "pyocd"')
    text = text.replace("origin = 0x38000000, bytes = 0x400000", "origin = 0x38000000, bytes = 0x200000")
    path.write_text(f'{text}\n[pyocd]\ntarget = "mps2_an521"\n')
    return path


def test_every_byte_of_the_image_and_the_secret_arrive(flash: Cli, an521: Path, tmp_path: Path) -> None:
    """Real pyOCD writes through the probe; no core runs behind it, so there is nobody to talk to afterwards."""
    key, writes, secret = tmp_path / "key", tmp_path / "writes", bytes(range(40, 56))
    key.write_text(secret.hex())
    arguments = ("--board", an521, "--port", "/dev/no-such-port", "--key", key)
    done = flash(*arguments, env=with_probe(M33, writes))
    assert (done.returncode, "cannot open the serial port" in done.stderr) == (4, True), done.stderr
    written: dict[int, int] = {}
    for line in writes.read_text().splitlines():
        address, content = json.loads(line)
        written.update({address + offset: byte for offset, byte in enumerate(bytes.fromhex(content))})
    image = bytes(written.get(address, 0) for address in range(0x10000000, max(written) + 1))
    assert len(image) > 10_000
    assert image.count(secret) == 1
    # The vector table: the stack's end is in RAM, the first instruction is Thumb code in flash.
    assert 0x38000000 < int.from_bytes(image[:4], "little") <= 0x38200000
    assert image[4] & 1
    assert secret.hex() not in done.stderr


def test_no_probe_another_core_and_a_chip_that_takes_nothing(flash: Cli, tmp_path: Path) -> None:
    def told(board: str, environment: dict[str, str], limit: int = 60) -> str:
        done = flash("--board", board, "--port", "/dev/null", "--time-limit", limit, env=environment)
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        return done.stderr

    writes = tmp_path / "writes"
    assert "no debug probe is connected" in told("nrf52840-dk", dict(os.environ))
    message = told("nucleo-f412zg", with_probe(M33, writes))
    assert "this is another board: cortex-m33 is connected, nucleo-f412zg has cortex-m4; nothing written" in message
    assert not writes.exists()
    # Its flash algorithm never comes back.
    assert re.search(
        r"no end within [\d.]+ seconds: \S*pyocd (cmd|load) -W", told("nucleo-f412zg", with_probe(M4, writes), 8)
    )


@pytest.mark.parametrize("name", REAL)
def test_the_command_never_waits_and_the_image_is_checked_offline(flash: Cli, name: str) -> None:
    done = flash("--board", name, "--dry-run")
    assert done.returncode == 0, done.stderr
    target = load_board(name).options["target"]
    assert re.search(rf"would run +\S*pyocd load -W -t {target} \S+/firmware.elf", done.stdout)


@pytest.mark.parametrize(
    ("board", "edit", "code", "message"),
    [
        ("nucleo-f412zg", ("0x08000000", "0x0"), 4, r"bytes at 0x00000000, but the flash of stm32f412xg is 0x08000000"),
        (
            "nucleo-f412zg",
            ("bytes = 0x40000 ", "bytes = 0x50000 "),
            4,
            "says that RAM is 0x20000000 to 0x2004ffff, but",
        ),
        ("nucleo-f412zg", ("stm32f412xg", "stm32f412xx"), 2, r"does not know the target 'stm32f412xx' \(did you mean"),
        ("nrf52840-dk", ('target = "nrf52840"', ""), 2, "has no pyOCD target"),
    ],
)
def test_what_does_not_belong_on_the_chip_is_refused(
    flash: Cli, tmp_path: Path, board: str, edit: tuple[str, str], code: int, message: str
) -> None:
    text = shipped(board)
    assert edit[0] in text
    own = tmp_path / "own.toml"
    own.write_text(text.replace(*edit, 1))
    done = flash("--board", own, "--dry-run")
    assert done.returncode == code, done.stderr
    assert re.search(message, done.stderr), done.stderr


def test_an_image_that_is_larger_than_the_flash_is_refused() -> None:
    """A board file may promise more flash than the chip has; pyOCD tells this flash as three regions that join."""
    board = load_board("nucleo-f412zg")
    check_memory(board, "stm32f412xg", [Segment(0x08000000, bytes(0x100000))])
    with pytest.raises(HardwareError, match=r"ends 16 bytes behind its flash \(0x08000000 to 0x080fffff\)"):
        check_memory(board, "stm32f412xg", [Segment(0x08000000, bytes(0x100010))])
    with pytest.raises(UsageError, match="pyocd pack install stm32f401re"):
        check_memory(board, "stm32f401re", [])


def test_without_pyocd_the_command_that_installs_it_is_told(flash: Cli, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "pyocd"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not here')\n")
    environment = {**os.environ, "PYTHONPATH": str(hidden.parent)}
    done = flash("--board", "nrf52840-dk", "--dry-run", env=environment)
    assert (done.returncode, "-m pip install pyocd==0.46.0" in done.stderr) == (3, True), done.stderr


def test_the_drivers_of_the_nucleo_board_run_in_an_emulated_stm32(
    flash: Cli, tmp_path: Path, terminal: Terminal, board_process: Callable[..., Callable[[], str]]
) -> None:
    """QEMU has an STM32F405: the same USART at the same address, a core of the same kind."""
    image, own = tmp_path / "board.elf", tmp_path / "nucleo.toml"
    text = shipped("nucleo-f412zg").replace('flasher = "pyocd"', 'flasher = "command"').partition("[pyocd]")[0]
    # QEMU's cycle counter stands still.
    text = text.replace('ticks = "dwt"\n', "")
    own.write_text(f'{text}[command]\nrun = "install -m 600 {{elf}} {image}"\n')
    serial = ["-serial", "null", "-serial", "null", "-serial", "stdio"]
    board_process(
        image.exists,
        [
            "qemu-system-arm",
            "-M",
            "netduinoplus2",
            "-display",
            "none",
            "-monitor",
            "none",
            # Its clock counts instructions: with the host's time, two runs of one layer differ by half.
            "-icount",
            "shift=6",
            *serial,
            "-kernel",
            str(image),
        ],
    )
    done = flash("--board", own, "--port", terminal.name, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["golden_vectors"], facts["golden_vectors_wrong"], facts["heads"]) == (2, 0, 3)
