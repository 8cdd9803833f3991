"""Calls commands with arguments that make no sense, each in a fork: `python -m tests.cli.odd_arguments RUN`.

Prints a JSON list of commands that ended otherwise than with one message and exit code 0, 2 or 3.
"""

import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

from tinycerb import cli

ODD: tuple[bytes | str, ...] = (
    " ", "nowhere", "nowhere/at/all", "folder", "empty", "garbage", "empty.tflite", "garbage.tflite", "folder.tflite",
    "garbage.h5", "folder.h5", "garbage.npz", "folder.npz", "empty.toml", "garbage.toml", "folder.toml", "latin.toml",
    "lists.toml", "x" * 300, "a/" * 600 + "b", b"bad\xff\xfename", "\u202e\U0001f600", "-", "--", "/dev/null", "..",
    "[bold]x[/bold", "$a_b$", "%s", "a:b", "os:getcwd", "empty/x",
)  # fmt: skip
# {} is the odd argument, RUN a finished run; nothing of it is trained.
COMMANDS = (
    "summary {}", "report {}", "compare {}", "bench {}", "bench board {}", "bench leak {}", "bench cost {}",
    "convert {}", "flash {} --dry-run", "tune-defense {} dcp", "tune-defense RUN {}", "run {} --out /dev/null/x",
    "run --resume {}", "prune {} --set {}", "bench matrix {} --dry-run", "bench matrix --resume {} --dry-run",
    "run smoke --out /dev/null/x --set {}", "run smoke --out /dev/null/x --defense {}",
    "run smoke --out /dev/null/x --flash {}", "run --out /dev/null/x --model {}", "defenses show {}",
    "attacks show {}", "boards show {}", "presets show {}",
    "flash RUN --dry-run --board {}", "flash RUN --dry-run --key {}", "flash RUN --dry-run --image {}",
    "flash RUN --dry-run --cmsis-nn {}", "keygen nowhere/{}", "convert RUN --op {}", "convert RUN --target {}",
    "verify {} --owner public --model RUN", "verify RUN --owner public --model {}", "verify RUN --owner {} --model RUN",
    "verify RUN --owner public --model RUN --commitment {}",
    "bench separation {} --pool in_distribution", "bench separation RUN --pool {}",
    "bench separation RUN/victims/undefended/model.tflite --pool in_distribution --data {}",
    "ownership show {}", "ownership commit {} RUN", "ownership calibrate {} --owner public",
    "ownership questions --owner public --model RUN --preset {} --out nowhere.npz",
)  # fmt: skip


def make_files() -> None:
    noise = random.Random(1).randbytes(3000)
    for name in ("folder", "folder.tflite", "folder.h5", "folder.npz", "folder.toml"):
        Path(name).mkdir()
    for name in ("empty", "empty.tflite", "empty.toml"):
        Path(name).touch()
    for name in ("garbage", "garbage.tflite", "garbage.h5", "garbage.npz", "garbage.toml"):
        Path(name).write_bytes(noise)
    Path("latin.toml").write_bytes("name = 'ä'".encode("latin-1"))
    Path("lists.toml").write_text("victims = 3\nattacks = 'x'\nname = [1]\n")


def called(arguments: list[str]) -> tuple[int, str]:
    """Runs a command in a fork and returns its exit code and what it printed."""
    with tempfile.TemporaryFile() as told:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            for stream in (1, 2):
                os.dup2(told.fileno(), stream)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = ["tinycerb", *arguments]
            code = 1
            try:
                cli.main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        told.seek(0)
        return os.waitstatus_to_exitcode(status), told.read().decode(errors="replace")


def main() -> None:
    """Tries every command with a share of the odd arguments, another share for each."""
    make_files()
    # What commands import in their bodies is imported once.

    wrong, count = [], 0
    for index, command in enumerate(COMMANDS):
        for odd in ODD[index % 6 :: 6]:
            text = os.fsdecode(odd)
            arguments = [sys.argv[1] if word == "RUN" else word.replace("{}", text) for word in command.split()]
            code, told = called(arguments)
            count += 1
            if code not in (0, 2, 3) or "Traceback" in told or "internal error" in told:
                wrong.append([command, text[:60].encode(errors="replace").decode(), code, told[-600:]])
    sys.stdout.write(json.dumps({"count": count, "wrong": wrong}))


if __name__ == "__main__":
    main()
