"""Damaged .tflite, model.json and golden files by the thousand: each must end in a clear error or in an answer.

python tests/fuzz/fuzz_files.py COUNT SEED KEPT FILE... reads COUNT damaged copies; exit 1 shows what the first offender
did, and leaves it at KEPT. Every 20th model that passes the verifier is also run, in the tool's own child process.
"""

import random
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import cast

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from mutations import mutate, seal

from tinycerb.converters.golden import GoldenError, parse_golden
from tinycerb.converters.metadata import MetadataError
from tinycerb.converters.model_file import ModelFile, ModelFileError, parse_model
from tinycerb.converters.summary import summarise
from tinycerb.errors import EnvironmentProblem
from tinycerb.reports.file_summary import SummaryFacts, render_summary
from tinycerb.runtimes.isolated import run_model
from tinycerb.runtimes.model_json import parse_model_json

MOST_SECONDS, MOST_KILOBYTES = 2.0, 512 * 1024
CLEAR_ERRORS = (ModelFileError, MetadataError, GoldenError)
_RUN_EVERY = 20
_DTYPES = {"int8": np.int8, "uint8": np.uint8, "int16": np.int16, "int32": np.int32, "float32": np.float32}


def read_model(content: bytes) -> ModelFile:
    """Everything that `tinycerb summary` does."""
    model = parse_model(content)
    render_summary("damaged", cast(SummaryFacts, summarise(model)))
    return model


def run_in_child(model: ModelFile, path: Path, runtime: str) -> str:
    """Runs a damaged model that passed the verifier; returns how it ended."""
    path.write_bytes(model.content)
    if any(tensor.dtype not in _DTYPES or tensor.bytes > 2**20 for tensor in model.inputs.values()):
        return "not run: inputs"
    inputs = {name: np.zeros((1, *tensor.shape), _DTYPES[tensor.dtype]) for name, tensor in model.inputs.items()}
    if not inputs:
        return "not run: inputs"
    start = time.perf_counter()
    try:
        run_model(path, inputs, runtime, time_limit=30)
    except EnvironmentProblem as error:
        return "child ended" if "ended by" in str(error) or "2 s of processor" in str(error) else "child refused"
    finally:
        # Two seconds of processor time, and the start of a process on a machine that is busy with other things.
        assert time.perf_counter() - start < 30
    return "child answered"


def fuzz(count: int, files: list[Path], seed: int, kept: Path) -> Counter:
    """Reads `count` damaged copies.

    Raises:
        AssertionError: a file took too long or too much memory.
        Exception: whatever a reader let through; `kept` then holds the file.
    """
    rng = random.Random(seed)
    contents = [(path.suffix, path.read_bytes()) for path in files]
    endings: Counter = Counter()
    passed = 0
    note = kept.open("wb", buffering=0)
    for _ in range(count):
        suffix, content = rng.choice(contents)
        damaged = mutate(content, rng)
        if suffix == ".bin" and rng.random() < 0.5:
            damaged = seal(damaged)
        # On disk before it is read, whatever reading does. Opening the file anew each time costs more than reading it.
        note.seek(0)
        note.write(damaged)
        note.truncate()
        start = time.process_time()
        try:
            read = {".tflite": read_model, ".bin": parse_golden, ".json": parse_model_json}[suffix](damaged)
            endings[f"{suffix} read"] += 1
        except CLEAR_ERRORS:
            read = None
            endings[f"{suffix} refused"] += 1
        assert time.process_time() - start < MOST_SECONDS, "too slow"
        if isinstance(read, ModelFile):
            passed += 1
            if passed % _RUN_EVERY == 0:
                runtime = ("tflite-runtime", "tflite-micro")[passed // _RUN_EVERY % 2]
                endings[f"{runtime} {run_in_child(read, kept.with_suffix('.run.tflite'), runtime)}"] += 1
    for who, used in (("own", peak_kilobytes()), ("children", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)):
        assert used < MOST_KILOBYTES, f"{who}: {used:,} KB of memory"
        endings[f"{who} peak MB"] = used // 1024
    note.close()
    kept.unlink()
    return endings


def peak_kilobytes() -> int:
    """Of this program alone: getrusage would also count what the process was before it became this program."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))  # pyright: ignore[reportOptionalMemberAccess]


def main() -> None:
    """Command line: COUNT SEED KEPT FILE..."""
    count, seed, kept, *files = sys.argv[1:]
    start = time.perf_counter()
    endings = fuzz(int(count), list(map(Path, files)), int(seed), Path(kept))
    for ending, number in sorted(endings.items()):
        print(f"{number:8,}  {ending}")  # noqa: T201
    print(f"{int(count):,} files, {time.perf_counter() - start:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
