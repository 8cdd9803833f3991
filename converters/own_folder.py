"""Folders that are gone when their process is: what a killed one leaves, the next one sweeps.

A folder belongs to the process that holds a lock on it. The kernel lets go of a lock when a process ends, so a folder
without a lock is nobody's.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "tinycerb-process-"
_NAME = re.compile(rf"\.?{PREFIX}[a-z0-9_]{{8}}")
# A folder without content and younger than this may be about to be locked.
_SECONDS_TO_LOCK = 60


@contextmanager
def own_folder(parent: Path, hidden: bool = False) -> Iterator[Path]:
    """Makes a folder that only this user can read, and removes it at the end; sweeps those of processes that are gone.

    Args:
        parent: where it goes.
        hidden: whether its name starts with a dot.

    Raises:
        OSError: it cannot be made.
    """
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f".{PREFIX}" if hidden else PREFIX, dir=parent))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Removes what processes of this user that are gone have left in a folder."""
    with contextlib.suppress(OSError):
        for path in list(parent.iterdir()):
            if _NAME.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    """Raises OSError where it is in use, or no folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid():
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if any(path.iterdir()) or time.time() - found.st_mtime > _SECONDS_TO_LOCK:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
