"""The drive that a UF2 board shows while its boot button is held: found, checked, written within a time limit."""

import errno
import os
import string
import subprocess
import sys
from pathlib import Path

from tinycerb.bounded.files import MOST_TEXT, read_bytes
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import HardwareError, UsageError

INFO = "INFO_UF2.TXT"
IMAGE = "tinycerb.uf2"
# Copies, and says with its exit code what stopped it: a program of its own can be ended when the drive hangs.
_COPY = """
import os, sys
try:
    with open(sys.argv[1], "wb") as target:
        target.write(sys.stdin.buffer.read())
        target.flush()
        os.fsync(target.fileno())
except OSError as error:
    sys.exit(error.errno or 255)
"""
# A board starts the new image as soon as its last block is there, and its drive is gone.
_DRIVE_WENT_AWAY = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT)


def find_drive(board_id: str, named: str | None = None) -> Path:
    """Returns the mounted drive of a board.

    Args:
        board_id: what its INFO_UF2.TXT must say.
        named: a folder that the user named; otherwise all mounted drives are searched.

    Raises:
        HardwareError: no such drive, another board's, or more than one.
    """
    if named is not None:
        _check(Path(named), board_id)
        return Path(named)
    drives = {drive: read_board_id(drive) for drive in mounted_drives()}
    fitting = [drive for drive, found in drives.items() if found == board_id]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise HardwareError(f"{len(fitting)} boards {board_id} are there; name one: --drive {fitting[0]}")
    others = [f"{drive} is {found}" for drive, found in drives.items() if found]
    told = f" ({'; '.join(others)})" if others else ""
    raise HardwareError(
        f"no drive of a board {board_id} is mounted{told}; hold the boot button while you plug it in, or name the "
        "drive with --drive"
    )


def read_board_id(drive: Path) -> str:
    """Returns what a drive calls its board, empty where it is no UF2 drive."""
    try:
        lines = read_bytes(drive / INFO, MOST_TEXT).decode(errors="replace").splitlines()
    except (OSError, UsageError):
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith("board-id:")), "")


def write_to_drive(image: bytes, drive: Path, limit: float) -> None:
    """Writes a UF2 file to a board's drive; it passes through a pipe, and lies on no other disk.

    Raises:
        HardwareError: the drive is full, write-protected, gone, or takes too long.
    """
    command = die_with_parent([sys.executable, "-c", _COPY, str(drive / IMAGE)])
    try:
        code = subprocess.run(command, input=image, stderr=subprocess.DEVNULL, timeout=limit, check=False).returncode
    except subprocess.TimeoutExpired as error:
        raise HardwareError(f"the drive {drive} did not take the image within {limit:g} seconds") from error
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise HardwareError(f"the drive {drive} is full: the image has {len(image):,} bytes")
    if code == 0 or (code in _DRIVE_WENT_AWAY and not drive.exists()):
        return
    raise HardwareError(f"cannot write to the drive {drive}: {os.strerror(code)}; plug the board in again")


def mounted_drives() -> list[Path]:
    """Returns where drives are mounted, on Linux, macOS and Windows."""
    mounts = Path("/proc/self/mounts")
    if mounts.exists():
        points = [line.split()[1].replace("\\040", " ") for line in mounts.read_text().splitlines()]
        return [Path(point) for point in points]
    if sys.platform == "win32":
        return [Path(f"{letter}:/") for letter in string.ascii_uppercase if Path(f"{letter}:/").exists()]
    return sorted(Path("/Volumes").glob("*"))


def _check(drive: Path, board_id: str) -> None:
    if not drive.is_dir():
        raise HardwareError(f"there is no drive at {drive}; hold the boot button while you plug the board in")
    found = read_board_id(drive)
    if found != board_id:
        kind = f"that of a board {found}" if found else f"no UF2 board's (it has no {INFO})"
        raise HardwareError(f"the drive {drive} is {kind}; expected {board_id}")
