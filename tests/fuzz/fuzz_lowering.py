"""Mutated .tflite files through lowering, C source and execution.

python -m tests.fuzz.fuzz_lowering --first 0 --count 5000 --folder DIR [--quiet]

Mutant N is the same everywhere: a committed file, a random model or an odd one, with changed fields or bytes. It must
be refused in a sentence, or become C that is clean under AddressSanitizer and UndefinedBehaviorSanitizer and gives the
bytes of tflite-runtime's reference kernels. What does neither is kept in DIR, and `--first N --count 1` makes it again.
"""

import argparse
import hashlib
import random
import re
import shutil
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tflite

from tests.firmware.random_models import random_model
from tests.fuzz.fields import LENGTH, change_fields, fields_of
from tests.fuzz.mutations import mutate
from tests.fuzz.odd_models import odd_model
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device_response import device_response
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.host import runtime_sources, write_model
from tinycerb.converters.c_model.model import CModel, lower_model
from tinycerb.converters.c_model.targets import TARGETS
from tinycerb.converters.model_file import ModelFile, ModelFileError, parse_model
from tinycerb.errors import UsageError

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ASSETS = (*sorted((ROOT / "tests/assets").glob("*.tflite")), ROOT / "tinycerb/doctor/tiny.tflite")
SANITIZED = ("-std=c99", "-g", "-O1", "-fPIC", "-fno-strict-aliasing", "-fsanitize=address,undefined")
SANITIZED = (*SANITIZED, "-fno-sanitize-recover=all")
BATCH, IMAGES, MOST_REPAIRS = 32, 6, 12
_OTHER_TARGETS = ("portable", "dsp", "mve", "portable+cmsis-nn", "dsp+cmsis-nn", "mve+cmsis-nn")
# What any TFLite knows: a builtin code in the older and the newer field, and its version.
_RESHAPE_CODE = {"OperatorCode.0": 22, "OperatorCode.3": 22, "OperatorCode.2": 1}
_WRONG_SHAPE = re.compile(r"tensor (\d+) \(.*\) has the shape \[([\d, ]+)\]; inputs and options give \[([\d, ]+)\]")


@dataclass
class Outcome:
    """What has become of the mutants.

    Attributes:
        tried: mutants made.
        refused: how many for each reason, without names and numbers.
        accepted: became C.
        equal: gave the bytes of the reference.
        faults: numbers of mutants that did anything else, and what.
    """

    tried: int = 0
    refused: Counter = field(default_factory=Counter)
    accepted: int = 0
    equal: int = 0
    faults: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        total = sum(self.refused.values())
        return (
            f"{self.tried:,} tried, {total:,} refused, {self.accepted:,} accepted, {self.equal:,} equal, "
            f"{len(self.faults):,} faults"
        )


def mutant(number: int) -> bytes:
    """Returns mutant `number`."""
    rng = random.Random(number)
    kind = rng.random()
    if kind < 0.2:
        content = rng.choice(ASSETS).read_bytes()
    elif kind < 0.6:
        content = odd_model(rng.randrange(10**6))
    else:
        content = random_model(rng.randrange(10**6), defaults=rng.random() < 0.8)
    if rng.random() < 0.1:
        return mutate(content, rng)
    return change_fields(content, rng, rng.choice((0, 1, 1, 1, 2, 3) if kind < 0.6 else (1, 1, 1, 2, 3)))


def lowered(content: bytes, target: str) -> tuple[ModelFile, CModel]:
    """Does what `tinycerb flash` does before it compiles; errors are those that the command prints."""
    file = parse_model(content)
    lower_model(file, target)
    return file, lower_model(file, target, device_response(file))


def with_fitting_shapes(content: bytes) -> bytes:
    """Returns the file with the shapes that its operators give, where that is all that is wrong with it.

    A changed stride would otherwise be refused for the shapes that it makes wrong, and never run.
    """
    for _ in range(MOST_REPAIRS):
        try:
            lowered(content, "host")
        except UnsupportedModelError as error:
            found = _WRONG_SHAPE.search(str(error))
            if found is None:
                return content
            index, before, after = found.groups()
            wanted = [int(size) for size in after.split(", ")]
            if len(before.split(", ")) != len(wanted):
                return content
            changed = bytearray(content)
            for place in fields_of(content):
                if place.name == "Tensor.0" and place.owner[:2] == (0, int(index)) and place.kind != LENGTH:
                    place.write(changed, wanted[place.owner[2]])
            content = bytes(changed)
        except (ModelFileError, UsageError):
            return content
        else:
            return content
    return content


def images_for(model: CModel, number: int) -> np.ndarray:
    """Random images, and those that drive sums to their ends."""
    rng = np.random.default_rng(number)
    images = rng.integers(-128, 128, (IMAGES, model.image.bytes), dtype=np.int8)
    images[0], images[1] = -128, 127
    images[2] = rng.choice(np.array([-128, 127], np.int8), model.image.bytes)
    return images


def for_reference(content: bytes) -> bytes:
    """The file as tflite-runtime takes it: it also looks at what nothing depends on.

    That is the axis of the scales of a vector, and operator codes that no operator uses.
    """
    changed = bytearray(content)
    vectors = {tensor.index for tensor in parse_model(content).tensors if len(tensor.shape) < 2}
    places = fields_of(content)
    graph: Any = tflite.Model.GetRootAsModel(content, 0).Subgraphs(0)
    used = {graph.Operators(index).OpcodeIndex() for index in range(graph.OperatorsLength())}
    for place in places:
        if place.name == "Quantization.6" and place.owner[1] in vectors:
            place.write(changed, 0)
        elif place.name in _RESHAPE_CODE and place.owner[0] not in used:
            place.write(changed, _RESHAPE_CODE[place.name])
    return bytes(changed)


class Runner:
    """The runtime, compiled once under the sanitizers, and TFLite's reference kernels, in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = firmware_folder()
        self.includes = [f"-I{self.root / part}" for part in ("include", "kernels")]
        self.programs = {"host": self._program("host")}
        if " avx2 " in Path("/proc/cpuinfo").read_text():
            self.programs["host-avx2"] = self._program("host-avx2")

    def _program(self, target: str) -> Path:
        vector = ["-mavx2"] if target == "host-avx2" else []
        sources = [HERE / "run_models.c", *runtime_sources(self.root, TARGETS[target].kernels)]
        # Kept from one run to the next, unless a source has changed.
        digest = hashlib.sha256("\0".join([*SANITIZED, *vector]).encode())
        for path in (*sources, *sorted(self.root.rglob("*.h"))):
            digest.update(path.read_bytes())
        program = self.folder / f"run-{target}-{digest.hexdigest()[:12]}"
        if not program.exists():
            _run(["cc", *SANITIZED, *vector, *self.includes, *map(str, sources), "-rdynamic", "-o", str(program)])
        return program

    def target(self, number: int) -> str:
        """Which kernels run mutant `number`."""
        names = sorted(self.programs)
        return names[number % len(names)]

    def prepare(self, content: bytes, model: CModel, number: int, folder: Path) -> str:
        """Writes what the two programs read, and compiles model.c; returns what the compiler complains about."""
        (folder / "model.tflite").write_bytes(for_reference(content))
        (folder / "heads").write_text(str(model.heads))
        images_for(model, number).tofile(folder / "images.bin")
        write_model(model, folder)
        return self.compile(folder)

    def compile(self, folder: Path) -> str:
        """Compiles model.c to a library whose arrays the sanitizer guards; returns the compiler's complaint."""
        flags = ["-std=c99", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address"]
        try:
            _run(["cc", *flags, f"-I{folder}", *self.includes, str(folder / "model.c"), "-o", f"{folder}/model.so"])
        except RuntimeError as error:
            return str(error)
        return ""

    def run(self, folders: Sequence[Path], target: str | None) -> list[str]:
        """Runs compiled models on a target's kernels; an empty text is a clean run."""
        environment = {"ASAN_OPTIONS": "detect_leaks=0"}
        command = [str(self.programs[target or "host"]), *map(str, folders)]
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        return [
            "" if end == "0" else f"ended with {end}: {(folder / 'errors.txt').read_text(errors='replace')[:2000]}"
            for end, folder in zip(finished.stdout.split(), folders, strict=True)
        ]

    def reference(self, folders: Sequence[Path], target: str | None = None) -> list[str]:
        """Runs the files with TFLite's reference kernels; an empty text is an answer."""
        command = [sys.executable, str(HERE / "reference_models.py"), *map(str, folders)]
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = [line for line in finished.stdout.splitlines() if line.startswith(("ok", "refused", "ended"))]
        return ["" if line == "ok" else line for line in lines]


def difference(place: Path) -> str:
    """What differs between the outputs of a model and of the reference, "" for nothing."""
    ours, theirs = (np.fromfile(place / f"{name}.bin", np.int8) for name in ("outputs", "expected"))
    differing = len(theirs) if len(ours) != len(theirs) else int((ours != theirs).sum())
    return f"{differing} of {len(theirs)} bytes differ" if differing else ""


def _run(command: list[str]) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{finished.stderr[-3000:]}")


def fuzz(numbers: Sequence[int], folder: Path, quiet: bool = True) -> Outcome:
    """Tries mutants; keeps in `folder` those that are neither refused nor right."""
    folder.mkdir(parents=True, exist_ok=True)
    runner, outcome = Runner(folder), Outcome()
    accepted = _accepted(numbers, runner, outcome, folder)
    while batch := list(islice(accepted, BATCH)):
        _check(batch, runner, outcome, folder)
        if not quiet:
            print(f"to mutant {batch[-1][0]:,}: {outcome}", flush=True)  # noqa: T201
    return outcome


def _accepted(numbers, runner: Runner, outcome: Outcome, folder: Path) -> Iterator[tuple[int, bytes, CModel]]:
    for number in numbers:
        outcome.tried += 1
        content = mutant(number)
        try:
            content = with_fitting_shapes(content)
            _, model = lowered(content, runner.target(number))
            # Other families of cores take what this computer takes.
            lowered(content, _OTHER_TARGETS[number % len(_OTHER_TARGETS)])
        except (ModelFileError, UnsupportedModelError, UsageError) as error:
            outcome.refused[reason_of(error)] += 1
        except Exception:
            _keep(outcome, folder, number, content, "\n".join(reversed(traceback.format_exc().strip().splitlines())))
        else:
            outcome.accepted += 1
            yield number, content, model


def reason_of(error: Exception) -> str:
    """An error without what differs from file to file."""
    text = re.sub(r"^layer \d+ \((\w+), output .*?'\): ", r"\1: ", str(error))
    text = re.sub(r"\(.*?\)|'.*?'|\".*?\"|\[.*?\]", "..", text)
    return re.sub(r"-?\d[\d,.e+-]*", "#", text)[:110]


def _check(batch: Sequence[tuple[int, bytes, CModel]], runner: Runner, outcome: Outcome, folder: Path) -> None:
    """Compiles and runs accepted mutants, and compares with the reference."""
    ends: dict[int, str] = {}
    places = {number: folder / f"batch/{number}" for number, _, _ in batch}
    for number, content, model in batch:
        places[number].mkdir(parents=True, exist_ok=True)
        ends[number] = runner.prepare(content, model, number, places[number])
    for run, names in ((runner.reference, (None,)), (runner.run, runner.programs)):
        for name in names:
            mine = [number for number, end in ends.items() if not end and name in (None, runner.target(number))]
            ends |= zip(mine, run([places[number] for number in mine], name), strict=True)
    for number, content, model in batch:
        end = ends[number] or difference(places[number])
        if end:
            kernels = ", ".join(layer.operator.name for layer in model.layers)
            _keep(outcome, folder, number, content, f"{end}\n{kernels}")
        else:
            outcome.equal += 1
        shutil.rmtree(places[number])


def _keep(outcome: Outcome, folder: Path, number: int, content: bytes, told: str) -> None:
    (folder / f"mutant-{number}.tflite").write_bytes(content)
    (folder / f"mutant-{number}.txt").write_text(told)
    outcome.faults[number] = told


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--folder", type=Path, required=True, help="where programs and offenders are kept")
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    outcome = fuzz(range(given.first, given.first + given.count), given.folder, given.quiet)
    for reason, count in outcome.refused.most_common():
        print(f"{count:8,}  {reason}")  # noqa: T201
    for number, told in outcome.faults.items():
        print(f"mutant {number}: {told.strip().splitlines()[0][:300]}")  # noqa: T201
    print(f"mutants {given.first:,} to {given.first + given.count - 1:,}: {outcome}")  # noqa: T201
    sys.exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
