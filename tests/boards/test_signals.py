"""`tinycerb flash` stopped by real signals: the device's secret is on no disk, and nothing goes on running."""

import os
import re
import secrets
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.fixture(scope="module")
def images(cli: Cli, model: Path, tmp_path_factory) -> dict[str, Path]:
    """Built once: what is stopped here is flashing, not compiling."""
    folder = tmp_path_factory.mktemp("built")
    for board in ("qemu-m4", "raspberry-pi-pico"):
        built = cli("flash", model, "--board", board, "--out", folder / board, "--dry-run")
        assert built.returncode == 0, built.stderr
    return {board: folder / board / "firmware.elf" for board in ("qemu-m4", "raspberry-pi-pico")}


def processes_of(place: Path) -> dict[int, str]:
    """Live processes whose temporary folder is `place`, or lies in it, and their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"TMPDIR=" + str(place).encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return {pid: command for pid, command in found.items() if command}


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def files_in(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path in folder.rglob("*"):
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def with_secret_in(secret: bytes, *folders: Path) -> list[Path]:
    found = []
    for path in files_in(*folders):
        content = path.read_bytes()
        if secret in content or secret.hex().encode() in content.lower():
            found.append(path)
    return found


@pytest.fixture
def begin(model: Path, images: dict[str, Path], tmp_path: Path) -> Iterator[Callable[..., tuple]]:
    """Starts `tinycerb flash` and stops the tool that has the image in its hands; ends both afterwards."""
    place = tmp_path / "temporary"
    place.mkdir()
    started: list[subprocess.Popen[str]] = []

    def start(board: str, image: str, tool: str, *more: object) -> tuple[subprocess.Popen[str], bytes, Path]:
        key, secret = tmp_path / "device.key", secrets.token_bytes(16)
        key.write_text(secret.hex())
        command = ["flash", model, "--board", board, "--key", key, "--image", images[image], *more]
        process = subprocess.Popen(
            [sys.executable, "-m", "tinycerb", *map(str, command)],
            env={**os.environ, "TMPDIR": str(place)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # Ignored by what a shell has started in the background, tests among it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        started.append(process)

        def tools() -> list[int]:
            # Before it is the tool, it is Python, which starts it.
            found = processes_of(place).items()
            return [pid for pid, told in found if re.search(tool, told) and "PDEATHSIG" not in told]

        wait_for(lambda: tools() or process.poll() is not None)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        for pid in tools():
            os.kill(pid, signal.SIGSTOP)
        return process, secret, place

    yield start
    for process in started:
        process.kill()
        process.communicate()


def assert_nothing_is_left(process: subprocess.Popen[str], code: int, secret: bytes, place: Path) -> None:
    process.communicate(timeout=30)
    assert process.returncode == code
    wait_for(lambda: not processes_of(place), 10)
    assert with_secret_in(secret, place, Path("/dev/shm")) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_signal_leaves_neither_secret_nor_emulator(cli: Cli, begin, number: signal.Signals, code: int) -> None:
    process, secret, place = begin("qemu-m4", "qemu-m4", "qemu-system-arm")
    (link,) = place.rglob("provisioned.elf")
    assert secret in link.read_bytes(), "the emulator is given the secret"
    assert with_secret_in(secret, place, Path("/dev/shm")) == []
    process.send_signal(number)
    assert_nothing_is_left(process, code, secret, place)
    assert not link.exists()
    if number == signal.SIGKILL:
        assert list(place.iterdir()), "nobody was there to clean up"
        assert cli("boards", "--json", env={**os.environ, "TMPDIR": str(place)}).returncode == 0
    assert list(place.iterdir()) == []


def test_unicorn_ends_with_its_parent(begin) -> None:
    process, secret, place = begin("unicorn-m4", "qemu-m4", r"tinycerb\.boards\.unicorn_machine")
    process.send_signal(signal.SIGKILL)
    assert_nothing_is_left(process, -signal.SIGKILL, secret, place)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_tool_of_the_user_s_gets_a_file_in_memory_and_ends_with_its_parent(
    begin, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    board = tmp_path / "own.toml"
    read = tmp_path / "read"
    board.write_text(
        'description = "a board of my own"\ncore = "cortex-m4"\nkernels = "dsp"\nflags = ["-mcpu=cortex-m4"]\n'
        "flash = { origin = 0x0, bytes = 0x100000 }\nram = { origin = 0x20000000, bytes = 0x40000 }\n"
        'stack_bytes = 0x1000\nserial = { driver = "cmsdk", base = 0x40004000, baud = 115200 }\n'
        'flasher = "command"\n[command]\n'
        f"run = \"sh -c 'case {{elf}} in *.elf) wc -c < {{elf}} > {read};; esac; exec tail -f /dev/null'\"\n"
    )
    # The shell that reads it has become the tool that waits.
    process, secret, place = begin(str(board), "qemu-m4", "^tail -f", "--port", "/dev/null")
    assert int(read.read_text()) > 1000
    assert with_secret_in(secret, tmp_path) == [tmp_path / "device.key"]
    (image,) = with_secret_in(secret, Path("/dev/shm"))
    assert (image.stat().st_mode & 0o777, image.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    process.send_signal(number)
    assert_nothing_is_left(process, code, secret, place)
    assert not image.parent.exists()


def test_an_image_for_a_drive_passes_through_a_pipe(begin, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    # A drive that does not take anything yet.
    os.mkfifo(drive / "tinycerb.uf2")
    arguments = ("--port", "/dev/null", "--drive", drive)
    process, secret, place = begin("raspberry-pi-pico", "raspberry-pi-pico", r"tinycerb\.uf2", *arguments)
    assert with_secret_in(secret, place, Path("/dev/shm"), tmp_path) == [tmp_path / "device.key"]
    process.send_signal(signal.SIGKILL)
    assert_nothing_is_left(process, -signal.SIGKILL, secret, place)
