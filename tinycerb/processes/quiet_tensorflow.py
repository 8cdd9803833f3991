"""TensorFlow without its banner: it tells of processors and graphics cards before a command has said a word."""

import importlib
import os
import sys
import tempfile

from tinycerb.processes.variables import own_process


def import_tensorflow() -> None:
    """Imports it with standard error aside, once; graphics cards are left alone.

    Its own switch, TF_CPP_MIN_LOG_LEVEL, does not hold for what it says while it is loaded. Where loading fails, all
    of it is passed on.
    """
    own_process()
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        before = os.dup(2)
        os.dup2(aside.fileno(), 2)
        try:
            # The first number of all looks for graphics cards again.
            importlib.import_module("tensorflow").zeros(())
        except BaseException:
            aside.seek(0)
            os.write(before, aside.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
