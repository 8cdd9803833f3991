"""One folder for all that is temporary in a process: its own, its libraries', and its children's."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinycerb.converters.own_folder import own_folder, sweep


@contextmanager
def process_folder() -> Iterator[Path]:
    """Makes a folder that is gone when the process is, and lets everything that asks for a temporary place use it.

    Raises:
        OSError: it cannot be made.
    """
    # Where images with a secret lie while a tool reads them.
    sweep(Path("/dev/shm"))
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    with own_folder(Path(tempfile.gettempdir())) as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            if variable is None:
                os.environ.pop("TMPDIR", None)
            else:
                os.environ["TMPDIR"] = variable
