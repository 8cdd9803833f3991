"""Damaged files never crash the tool, hang it, or fill memory; 500 here, 20,000 by `make fuzz`."""

import os
import subprocess
import sys
from pathlib import Path

FILES = int(os.environ.get("TINYCERB_FUZZ_FILES", "500"))
ROOT = Path(__file__).parents[2]


def test_damaged_files_end_in_a_clear_error_or_an_answer(smoke_run, tmp_path) -> None:
    victim = smoke_run.victim("cerberos")
    sources = [ROOT / "tinycerb/doctor/tiny.tflite", *(victim / name for name in ("model.json", "golden.bin"))]
    # Models are what most often comes from elsewhere: half of the damaged files are copies of the converted one.
    sources += [victim / "model.tflite"] * 3
    command = [sys.executable, ROOT / "tests/fuzz/fuzz_files.py", FILES, FILES, tmp_path / "damaged", *sources]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, env=environment
    )
    print(finished.stdout)  # noqa: T201
    kept = (tmp_path / "damaged").read_bytes().hex() if (tmp_path / "damaged").exists() else ""
    assert finished.returncode == 0, f"{finished.stderr[-3000:]}\nthe file, in hexadecimal: {kept[:4000]}"
    # Both kinds of ending occur, or the damage is too weak or too strong to show anything.
    for ending in (".tflite read", ".tflite refused", ".json refused", ".bin refused", "child"):
        assert ending in finished.stdout
