"""Damaged files never crash the tool, hang it, or fill memory; 500 here, 20,000 by `make fuzz`."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

FILES = int(os.environ.get("TINYCERB_FUZZ_FILES", "500"))
ROOT = Path(__file__).parents[2]


def test_damaged_files_end_in_a_clear_error_or_an_answer(smoke_run, tmp_path) -> None:
    victim = smoke_run.victim("cerberos")
    sources = [ROOT / "tinycerb/doctor/tiny.tflite", *(victim / name for name in ("model.json", "golden.bin"))]
    # Models are what most often comes from elsewhere: half of the damaged files are copies of the converted one.
    sources += [victim / "model.tflite"] * 3
    # Many files are read by two processes side by side.
    processes = 2 if FILES > 1000 else 1
    running = [
        start(number, FILES // processes, tmp_path / f"damaged-{number}", sources) for number in range(processes)
    ]
    printed = ""
    with ExitStack() as stack:
        for process in running:
            stack.enter_context(process)
            stack.callback(process.kill)
        ends = [process.communicate() for process in running]
    for number, (process, (output, errors)) in enumerate(zip(running, ends, strict=True)):
        kept = tmp_path / f"damaged-{number}"
        told = kept.read_bytes().hex()[:4000] if kept.exists() else ""
        assert process.returncode == 0, f"{errors[-3000:]}\nthe file, in hexadecimal: {told}"
        printed += output
    print(printed)  # noqa: T201
    # Both kinds of ending occur, or the damage is too weak or too strong to show anything.
    for ending in (".tflite read", ".tflite refused", ".json refused", ".bin refused", "child"):
        assert ending in printed


def start(number: int, count: int, kept: Path, sources: list[Path]) -> subprocess.Popen[str]:
    command = [sys.executable, ROOT / "tests/fuzz/fuzz_files.py", count, FILES + number, kept, *sources]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen([str(word) for word in command], stdout=pipe, stderr=pipe, text=True, env=environment)
