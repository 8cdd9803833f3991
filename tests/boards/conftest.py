"""Boards for the real `tinycerb flash`: a drive, a pseudo-terminal, and something that answers behind it."""

import os
import select
import subprocess
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.firmware.random_models import random_model
from tinycerb.boards.frames import Frame, FrameReader

# Three heads in the last dense layer.
SEED = 3
EMULATOR = Path(__file__).parents[1] / "firmware" / "rp2040"


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.tflite"
    path.write_bytes(random_model(SEED))
    return path


@pytest.fixture(scope="session")
def flash(cli: Cli, model: Path, tmp_path_factory) -> Cli:
    """Calls `tinycerb flash` on the model; images are kept, so that the runtime is compiled once per core."""
    kept = tmp_path_factory.mktemp("images")
    calls = iter(range(1000))

    def call(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
        return cli("flash", model, *arguments, "--out", kept / f"image-{next(calls)}", **options)

    return call


class Terminal:
    """A serial line: `name` is what a port is called, the test holds the other end."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """What came within a tenth of a second."""
        ready, _, _ = select.select([self.master], [], [], 0.1)
        return os.read(self.master, 4096) if ready else b""

    def write(self, content: bytes) -> None:
        """Says something."""
        os.write(self.master, content)

    def cut(self) -> None:
        """Pulls the cable."""
        with self._lock:
            for descriptor in (self.master, self._slave):
                if descriptor >= 0:
                    os.close(descriptor)
            self.master = self._slave = -1


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    line = Terminal()
    yield line
    line.cut()


@pytest.fixture
def board_process(terminal: Terminal) -> Iterator[Callable[..., Callable[[], str]]]:
    """A board that is a program: it starts when its image is there, its input and output are the serial line.

    Called with a test for a complete image and a command; returns what ends the program and gives its errors.
    """
    stop = threading.Event()
    threads: list[threading.Thread] = []
    errors: list[bytes] = []
    asked: list[bool] = []

    def wait_and_run(is_whole: Callable[[], bool], command: list[str]) -> None:
        while not is_whole():
            if stop.wait(0.05):
                return
        pipe = subprocess.PIPE
        board = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        assert board.stdin is not None
        assert board.stdout is not None
        os.set_blocking(board.stdout.fileno(), False)
        while not stop.is_set():
            board.stdin.write(terminal.read())
            board.stdin.flush()
            if said := board.stdout.read():
                terminal.write(said)
        board.stdin.close()
        if asked:
            board.wait(timeout=20)
        board.kill()
        assert board.stderr is not None
        errors.append(board.stderr.read())
        board.wait()
        for stream in (board.stdout, board.stderr):
            stream.close()

    def start(is_whole: Callable[[], bool], command: list[str]) -> Callable[[], str]:
        threads.append(threading.Thread(target=wait_and_run, args=(is_whole, command)))
        threads[0].start()

        def end() -> str:
            asked.append(True)
            stop.set()
            threads[0].join()
            return errors[0].decode()

        return end

    yield start
    stop.set()
    for thread in threads:
        thread.join()


Answer = Callable[[Frame], bytes | None]


@pytest.fixture
def answering(terminal: Terminal) -> Iterator[Callable[[Answer], str]]:
    """Starts a board that answers requests as a function says; None pulls the cable. Returns the port's name."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def serve(answer: Answer) -> None:
        reader = FrameReader()
        while not stop.is_set():
            for frame in reader.feed(terminal.read()):
                if (reply := answer(frame)) is None:
                    terminal.cut()
                    return
                terminal.write(reply)

    def start(answer: Answer) -> str:
        threads.append(threading.Thread(target=serve, args=(answer,)))
        threads[0].start()
        return terminal.name

    yield start
    stop.set()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="session")
def rp2040_emulator() -> list[str]:
    """The command that runs a UF2 file."""
    installed = (EMULATOR / "node_modules" / "rp2040js").is_dir()
    assert installed, (
        "rp2040js is not installed; install it with: make rp2040js (needs npm: sudo apt-get install -y npm)"
    )
    return ["node", str(EMULATOR / "run_uf2.mjs")]
