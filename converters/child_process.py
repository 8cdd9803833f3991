"""Child processes that end when their parent does, however it ends."""

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

# The kernel is told in a process of its own, since code between fork and exec may deadlock beside other threads.
# What is ignored stays ignored through exec, and Python ignores two signals.
_LAUNCH = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(ignored, signal.SIG_DFL)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def die_with_parent(command: Sequence[str | Path]) -> list[str]:
    """Returns a command that becomes `command`, and that the kernel kills when the thread that starts it is gone.

    Where the kernel is not Linux the command stays as it is: there a process that was killed leaves its children.

    Raises:
        FileNotFoundError: there is no such program, as `subprocess` would say.
    """
    words = [str(word) for word in command]
    if shutil.which(words[0]) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), words[0])
    if sys.platform != "linux":
        return words
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *words]
