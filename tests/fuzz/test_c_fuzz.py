"""What the firmware reads from its serial line, under the sanitizers: a committed corpus; libfuzzer.py goes on from it.

The firmware reads nothing else: a model is compiled in. `python -m tests.fuzz.test_c_fuzz` writes the corpus again.
"""

import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.random_models import random_model
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device import ASK, HELLO, PROFILE, TEST
from tinycerb.boards.device import PIECE as PIECE_REQUEST
from tinycerb.boards.frames import Frame
from tinycerb.converters.c_model.golden import emit_golden_header, emit_golden_source
from tinycerb.converters.c_model.host import runtime_sources, write_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import parse_model

HERE = Path(__file__).parent
# Three heads, an image of 64 bytes.
SEED, IMAGE_BYTES = 3, 64
TARGETS = ("frame", "serve", "pieces")
# The application again, with frames too small for its image; three pieces make one.
PIECE = 24
SMALL_PIECES = ["-DFRAME_IMAGE_BYTES=32", f"-DPIECE_BYTES={PIECE}"]
SERVED = {"pieces": "serve"}
SANITIZERS = "-fsanitize=address,undefined"


def compile_target(target: str, folder: Path, compiler: str, sanitizers: str, main: tuple[Path, ...]) -> Path:
    """Compiles a fuzz target with all that it calls, and the main that feeds it; libFuzzer brings its own."""
    root = firmware_folder()
    harness = SERVED.get(target, target)
    sources = [HERE / f"fuzz_{harness}.c", root / "application" / "frame.c", *main]
    if harness == "serve":
        sources += [root / "application" / name for name in ("serve.c", "image_pieces.c", "secret.c")]
        sources += [*write_served_model(folder), *runtime_sources(root, "portable")]
    includes = [folder, *(root / part for part in ("include", "kernels", "target", "application"))]
    flags = ["-std=c99", "-g", "-O1", "-fno-strict-aliasing", sanitizers, "-fno-sanitize-recover=all"]
    flags += [f"-I{path}" for path in includes] + (SMALL_PIECES if target == "pieces" else [])
    objects = []
    for source in sources:
        objects.append(str(folder / f"{source.stem}.o"))
        rename = ["-Dmain=firmware_main"] if source.name == "serve.c" else []
        run([compiler, *flags, *rename, "-c", str(source), "-o", objects[-1]])
    program = folder / target
    run([compiler, *flags, *objects, "-o", str(program)])
    return program


def write_served_model(folder: Path) -> list[Path]:
    """Writes the model that answers; its golden vectors are wrong, which the firmware counts and does not refuse."""
    model = lower_model(parse_model(random_model(SEED)), "host")
    write_model(model, folder)
    images = np.zeros((1, *model.image.shape[1:]), np.int8)
    outputs = np.zeros((1, model.heads, model.output.bytes), np.int8)
    (folder / "golden.h").write_text(emit_golden_header(1))
    (folder / "golden.c").write_text(emit_golden_source(images, outputs))
    return [folder / "model.c", folder / "golden.c"]


def run(command: list[str], **options) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert finished.returncode == 0, f"{' '.join(command)}\n{finished.stderr[-4000:]}"
    return finished.stdout + finished.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_read_without_a_fault(tmp_path: Path, target: str) -> None:
    files = sorted((HERE / "corpus" / target).iterdir())
    assert len(files) >= len(seeds(target))
    program = compile_target(target, tmp_path, "cc", SANITIZERS, (HERE / "replay.c",))
    assert run([str(program), *map(str, files)]) == f"{len(files)} files\n"


def seeds(target: str) -> dict[str, bytes]:
    """Streams that reach every branch, by name."""
    image = bytes(range(IMAGE_BYTES))
    if target == "pieces":
        return piece_seeds(image)
    ask = Frame(ASK, 3, image).encode()
    streams = {
        "empty": b"",
        "noise": bytes(range(256)),
        "hello": Frame(HELLO, 1).encode(),
        "test-and-profile": Frame(TEST, 1).encode() + Frame(PROFILE, 2).encode(),
        "ask": ask,
        "ask-of-wrong-length": Frame(ASK, 3, image[:-1]).encode() + Frame(ASK, 4).encode(),
        "unknown-request": Frame(0x55, 9, b"\xa5\xa5").encode(),
        "wrong-checksum-then-right": ask[:-1] + b"\0" + ask,
        "frame-inside-a-damaged-one": ask[:20] + Frame(HELLO, 7).encode() + ask[20:],
        "breaks-off": ask[:-3],
        "length-too-large": b"\xa5\x03\x01\xff\xff" + Frame(HELLO, 2).encode(),
        "marks": b"\xa5" * 300,
        "same-again": ask + ask,
    }
    # The first byte is the parser's capacity there.
    return {name: (bytes([IMAGE_BYTES]) if target == "frame" else b"") + stream for name, stream in streams.items()}


def piece_frames(image: bytes, first: int = 1) -> list[Frame]:
    """Returns an image's pieces, and the question about it."""
    offsets = range(0, len(image), PIECE)
    frames = [
        Frame(PIECE_REQUEST, first + index, offset.to_bytes(4, "little") + image[offset : offset + PIECE])
        for index, offset in enumerate(offsets)
    ]
    return [*frames, Frame(ASK, first + len(frames), zlib.crc32(image).to_bytes(4, "little"))]


def piece_seeds(image: bytes) -> dict[str, bytes]:
    """Streams that reach every branch of an image in pieces, by name."""
    one, two, three, ask = (frame.encode() for frame in piece_frames(image))
    far = Frame(PIECE_REQUEST, 5, b"\xff\xff\xff\xff" + image[:8]).encode()
    long = Frame(PIECE_REQUEST, 6, (48).to_bytes(4, "little") + image[:24]).encode()
    return {
        "whole": one + two + three + ask,
        "asked-twice": one + two + three + ask + ask,
        "a-piece-twice": one + two + two + three + ask,
        "a-gap": one + three + ask,
        "begun-again": one + two + one + two + three + ask,
        "too-far": one + two + far + long + ask,
        "empty-and-short": Frame(PIECE_REQUEST, 1).encode() + Frame(PIECE_REQUEST, 2, bytes(4)).encode() + ask,
        "wrong-checksum": one + two + three + Frame(ASK, 4, bytes(4)).encode(),
        "test-in-between": one + two + three + Frame(TEST, 9).encode() + ask,
        "profile-in-between": one + two + three + Frame(PROFILE, 9).encode() + ask,
        "as-one-frame": Frame(ASK, 1, image).encode() + Frame(HELLO, 2).encode(),
        "damaged-then-right": one[:-1] + b"\0" + one + two[:20] + two + three + ask,
        "breaks-off": one + two[:-3],
    }


if __name__ == "__main__":
    for chosen in TARGETS:
        (HERE / "corpus" / chosen).mkdir(parents=True, exist_ok=True)
        for name, stream in seeds(chosen).items():
            (HERE / "corpus" / chosen / name).write_bytes(stream)
