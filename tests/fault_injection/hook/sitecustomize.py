"""Strikes when a file takes its name: loaded by every Python of a faulty run, the workers' among them.

`TINYCERB_FAULT` is `KIND:N`: the fault, and at the how manieth file of all processes together. `TINYCERB_FAULT_NOTES`
is a file that counts them; the command's own process id stands beside it.
"""

import os
import pathlib
import signal
import sys

_NOTES = os.environ.get("TINYCERB_FAULT_NOTES", "")
_KIND, _, _NUMBER = os.environ.get("TINYCERB_FAULT", "").partition(":")
# What an allocation of a few megabytes does not fit into.
_SPARE_BYTES = 2 * 2**20


def _count() -> int:
    descriptor = os.open(_NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, b".")
        return os.lseek(descriptor, 0, os.SEEK_CUR)
    finally:
        os.close(descriptor)


def _strike(moment: str) -> None:
    if f"worker-{moment}" == _KIND:
        os.kill(os.getpid(), signal.SIGKILL)
    if f"command-{moment}" == _KIND:
        os.kill(int(pathlib.Path(f"{_NOTES}.pid").read_text()), signal.SIGKILL)
    if f"memory-{moment}" == _KIND:
        import resource

        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _install() -> None:
    replace = pathlib.Path.replace

    def replace_and_strike(self: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
        if not self.name.endswith(".part"):
            return replace(self, target)
        struck = _count() == int(_NUMBER)
        if struck:
            _strike("before")
        found = replace(self, target)
        if struck:
            _strike("after")
        return found

    pathlib.Path.replace = replace_and_strike  # type: ignore[method-assign]
    if sys.orig_argv[1:3] in (["-m", "tinycerb"], ["-m", "tests.fault_injection.one_task"]):
        pathlib.Path(f"{_NOTES}.pid").write_text(str(os.getpid()))


if _KIND:
    _install()
