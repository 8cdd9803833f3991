"""Files that ask for more than anybody has, or that never end: refused at once, before anything is allocated."""

import json
import os
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import run_cli
from tinycerb.answers.responses import parse_response
from tinycerb.atomic import read_json
from tinycerb.boards.board import load_board
from tinycerb.boards.query_limit import parse_query_limit
from tinycerb.boards.secret import read_secret
from tinycerb.bounded.arrays import read_npz
from tinycerb.bounded.files import memory_limit, read_bytes, require_memory
from tinycerb.compression.budget import parse_bytes
from tinycerb.config import load_config
from tinycerb.conversion.options import ConversionOptions, _data
from tinycerb.converters.metadata import MetadataError, parse_json_object
from tinycerb.converters.model_file import ModelFileError, read_model_file
from tinycerb.datasets.user_data import load_user_data, load_user_pool
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.auxiliary_model import open_auxiliary_model
from tinycerb.runtimes.model_json import read_model_json

DIGITS = "9" * 5000
FULL = {name: np.zeros((60, 8, 8, 1) if "images" in name else 60, np.uint8) for name in ("images", "labels")}


@pytest.fixture(autouse=True)
def little_memory_and_time():
    """An allocation of gigabytes fails here; one of a second is no allocation."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, before[1]))
    start = time.monotonic()
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
    assert time.monotonic() - start < 20


def npy(shape: str, dtype: str = "'|u1'") -> bytes:
    """The header of a .npy file, and no data."""
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def packed(folder: Path, name: str = "data.npz", method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(folder / name, "w", method) as archive:
        for key, content in members.items():
            archive.writestr(f"{key}.npy", content)
    return folder / name


def claiming(folder: Path, image_bytes: int) -> Path:
    """A file of a few megabytes that really unpacks to so many bytes of images."""
    path = folder / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("images.npy", "w", force_zip64=True) as member:
            member.write(npy(f"({image_bytes // 64}, 8, 8, 1)"))
            for _ in range(image_bytes // 2**20):
                member.write(bytes(2**20))
        archive.writestr("labels.npy", npy(f"({image_bytes // 64},)") + bytes(image_bytes // 64))
    return path


def picture_of(width: int, height: int) -> bytes:
    """A PNG of that size, black; its rows are the same few bytes over and over."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(1000)))]
    whole = b"\x89PNG\r\n\x1a\n"
    for kind, content in (*chunks, (b"IEND", b"")):
        whole += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return whole


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"images": npy("(1000000000, 28, 28, 1)")},
            r"would take 730\.2 GiB of memory; allowed: up to .*TINYCERB_MEMORY_GB",
        ),
        ({"images": npy("(2, 2)", "'<f8'"), "labels": npy("(100000000000,)")}, "would take 93.1 GiB"),
        ({"images": npy("(900,)", "'|V999999999'")}, r"would take 838\.2 GiB"),
        ({"images": npy("(999999999999,)", "'<U0'")}, r"would take 931\.3 GiB"),
        ({f"a{index}": npy("(0,)") for index in range(1001)}, "holds 1,001 arrays; allowed: up to 1,000"),
        ({"images": npy("(2,)", "'|O'")}, "pickled Python objects"),
    ],
)
def test_what_headers_claim_is_refused_unread(tmp_path, members, message: str) -> None:
    path = packed(tmp_path, **members)
    for load in (load_user_data, load_user_pool):
        with pytest.raises(UsageError, match=message):
            load(str(path))
    with pytest.raises(UsageError, match=message):
        _data(ConversionOptions(data=str(path)), (8, 8, 1), 3)


@pytest.mark.parametrize("shape", ["(-1,)", f"({2**62},)", f"({DIGITS},)", "(1.5,)", "(" * 300 + ")" * 300, "(1,)"])
def test_headers_that_no_array_has_are_damage(tmp_path, shape: str) -> None:
    for dtype in ("'|u1'", "'|V999999999999'"):
        with pytest.raises(EnvironmentProblem, match="is corrupt"):
            read_npz(packed(tmp_path, images=npy(shape, dtype)))


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_unpacked(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TINYCERB_MEMORY_GB", "0.25")
    path = claiming(tmp_path, 2**29)
    assert path.stat().st_size < 2**22
    with pytest.raises(UsageError, match=r"bomb.npz would take 0\.5 GiB of memory; allowed: up to 256\.0 MiB"):
        load_user_data(str(path))
    # bzip2 and LZMA unpack more than they are asked for.
    with pytest.raises(UsageError, match="packed by a method that NumPy does not use"):
        read_npz(packed(tmp_path, method=zipfile.ZIP_BZIP2, images=npy("(2,)") + bytes(2)))


def test_the_limit_is_stated_and_can_be_raised(monkeypatch) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert memory_limit() == min(4 * 2**30, machine // 2)
    monkeypatch.setenv("TINYCERB_MEMORY_GB", "100")
    require_memory(100 * 2**30, "it")
    for wrong in ("0", "-1", "nan", "eight", DIGITS):
        monkeypatch.setenv("TINYCERB_MEMORY_GB", wrong)
        with pytest.raises(UsageError, match=r"TINYCERB_MEMORY_GB is .*; expected gibibytes, such as 8"):
            memory_limit()
    assert "TINYCERB_MEMORY_GB" in (Path(__file__).parents[2] / "docs/bring-your-own-data.md").read_text()


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "data": (".npz", lambda path: load_user_data(str(path))),
    "pool": (".npz", lambda path: load_user_pool(str(path))),
    "images of a conversion": (".npz", lambda path: _data(ConversionOptions(data=str(path)), (8, 8, 1), 3)),
    "configuration": (".toml", lambda path: load_config(str(path))),
    "board": (".toml", lambda path: load_board(str(path))),
    "model": (".tflite", read_model_file),
    "model.json": (".json", read_model_json),
    "auxiliary model": (".tflite", open_auxiliary_model),
    "JSON": (".json", read_json),
    "key": (".key", read_secret),
    "matrix": (".npy", lambda path: parse_response(f"ntm,file={path}").parts),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("kind", READERS)
def test_what_has_no_end_is_not_read(tmp_path, kind: str) -> None:
    ending, read = READERS[kind]
    path = tmp_path / f"file{ending}"
    for make, message in (
        (lambda: path.symlink_to("/dev/zero"), "a device|regular"),
        (lambda: os.mkfifo(path), "a pipe|regular"),
    ):
        make()
        with pytest.raises((UsageError, ModelFileError), match=message):
            read(path)
        path.unlink()


@pytest.mark.parametrize("kind", [kind for kind in READERS if READERS[kind][0] != ".npz" and kind != "matrix"])
def test_what_is_far_too_large_is_not_read(tmp_path, kind: str) -> None:
    ending, read = READERS[kind]
    path = tmp_path / f"file{ending}"
    with path.open("wb") as file:
        # Without taking room on the disk.
        file.truncate(2**34)
    with pytest.raises((UsageError, ModelFileError), match="allowed: up to"):
        read(path)


def test_a_run_s_configuration_is_a_file_like_any_other(tmp_path) -> None:
    (tmp_path / "config.toml").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match=r"config.toml is a device; allowed: a regular file"):
        RunDirectory.open(tmp_path)
    # It says of itself that it has no bytes.
    with pytest.raises(UsageError, match=r"/proc/cpuinfo has [\d,]+ bytes or more; allowed: up to 10"):
        read_bytes(Path("/proc/cpuinfo"), 10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deep; allowed: 16 levels"),
        ("[" + ".".join("a" * 1 for _ in range(3000)) + "]\n", "nested too deep"),
        (f"seed = {DIGITS}", "4300 digits"),
        (f"seed = 0x{DIGITS}", "a number of 20000 bits; allowed: up to 64"),
        ("seed = 9223372036854775808", "a number of 64 bits"),
        ("\x00", "is not valid TOML"),
    ],
)
def test_toml_that_nobody_writes(tmp_path, text: str, message: str) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    for read in (load_config, load_board):
        with pytest.raises(UsageError, match=message):
            read(str(path))


@pytest.mark.parametrize("value", [DIGITS, f"0x{DIGITS}", "[" * 5000 + "]" * 5000, "9" * 400])
def test_and_on_the_command_line(value: str) -> None:
    with pytest.raises(UsageError, match=r"--set seed|config\.seed is '.{100,300}expected a whole number"):
        load_config("demo", [f"seed={value}"])
    with pytest.raises(UsageError, match="expected bytes"):
        parse_bytes(f"{value}KB", "--flash")
    with pytest.raises(UsageError, match="expected QUESTIONS/SECONDS"):
        parse_query_limit(f"{value}/{value}")


@pytest.mark.parametrize("text", ['{"a": ' + DIGITS + "}", '{"a": ' + "9" * 400 + "}", '{"a":' * 90000])
def test_json_that_nobody_writes(tmp_path, text: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    for read in (read_json, read_model_json):
        with pytest.raises(EnvironmentProblem):
            read(path)
    with pytest.raises(MetadataError, match=r"no valid JSON|allowed: up to"):
        parse_json_object(text.encode(), "x")
    (tmp_path / "sound.json").write_text(json.dumps({"a": 2**64 - 1, "b": -(2**63)}))
    assert read_json(tmp_path / "sound.json")["a"] == 2**64 - 1


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (60000, 60000, "larger than any picture for a microcontroller"),
        (10000, 9000, "larger than any picture for a microcontroller"),
        (8000, 8000, r"pictures of 8000x8000 like .* would take 35\.0 GiB"),
    ],
)
def test_pictures_are_measured_before_they_are_unpacked(tmp_path, monkeypatch, width, height, message: str) -> None:
    monkeypatch.setenv("TINYCERB_MEMORY_GB", "4")
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for index in range(98):
            (tmp_path / label / f"{index:02}.png").write_bytes(picture_of(width, height))
    with pytest.raises(UsageError, match=message):
        load_user_data(str(tmp_path))


def test_one_large_picture_among_small_ones(tmp_path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / label / "0.png")
    (tmp_path / "b" / "1.png").write_bytes(picture_of(9000, 9000))
    with pytest.raises(UsageError, match=r"1.png has 9000x9000 pixels .* 9x9; all must have one size"):
        load_user_data(str(tmp_path))
    (tmp_path / "b" / "1.png").unlink()
    os.mkfifo(tmp_path / "b" / "1.png")
    with pytest.raises(UsageError, match=r"1.png is a pipe; allowed: a regular file"):
        load_user_data(str(tmp_path))


def test_the_command_line_says_it_with_exit_2(tmp_path) -> None:
    bomb = packed(tmp_path, images=npy("(1000000000, 28, 28, 1)"), labels=npy("(1000000000,)"))
    os.mkfifo(tmp_path / "pipe.toml")
    for arguments, message in (
        (("train", "--data", bomb), "of memory; allowed"),
        (("train", tmp_path / "pipe.toml"), "is a pipe"),
    ):
        done = run_cli(*arguments, cwd=tmp_path, timeout=60)
        assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
