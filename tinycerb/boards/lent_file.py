"""Files for tools that want one, of content that must never lie on a disk."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinycerb.converters.own_folder import own_folder

# In memory on every Linux.
TMPFS = Path("/dev/shm")
# Waits for its parent's end of the pipe to close, however the parent ends.
_REMOVE_AFTERWARDS = """
import os, sys
sys.stdin.buffer.read()
try:
    os.unlink(sys.argv[1])
    os.rmdir(os.path.dirname(sys.argv[1]))
except OSError:
    pass
"""


@contextmanager
def memory_file(content: bytes, link: Path) -> Iterator[Path]:
    """Lends a file that has no name, lies in memory alone and is gone when this process ends, however it ends.

    Only processes of this user can read it. Where the kernel is not Linux it is a `named_file`.

    Args:
        content: its bytes.
        link: what leads there, for tools that go by endings; the link itself holds nothing.

    Yields:
        The link. Who resolves it finds no file.
    """
    if not hasattr(os, "memfd_create"):
        with named_file(content, link.name) as path:
            yield path
        return
    _leave_no_core_dumps()
    with os.fdopen(os.memfd_create(link.name), "wb") as file:
        file.write(content)
        file.flush()
        # Children open it through this process: they need not inherit it, nor do theirs.
        link.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        try:
            yield link
        finally:
            link.unlink()


@contextmanager
def named_file(content: bytes, name: str) -> Iterator[Path]:
    """Lends a file with mode 600 on a file system in memory, for tools that look behind links.

    A guard of its own session removes it when this process is killed; if both are, the next command does.

    Args:
        content: its bytes.
        name: what it is called.
    """
    _leave_no_core_dumps()
    place = TMPFS if os.access(TMPFS, os.W_OK) else Path(tempfile.gettempdir())
    with own_folder(place) as folder:
        path = folder / name
        guard = [sys.executable, "-I", "-S", "-c", _REMOVE_AFTERWARDS, str(path)]
        with subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True):
            path.touch(mode=0o600)
            path.write_bytes(content)
            yield path


def _leave_no_core_dumps() -> None:
    """From here on neither this process nor its children put their memory on a disk when they crash."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
