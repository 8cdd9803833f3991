"""A folder that is there whole, or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tinycerb import file_names
from tinycerb.atomic import describe_os_error, make_directory
from tinycerb.converters.own_folder import own_folder
from tinycerb.errors import UsageError

Made = TypeVar("Made")


def in_new_directory(out: Path, force: bool, make: Callable[[Path], Made]) -> Made:
    """Lets `make` fill a directory that appears under its name only once it is complete.

    Raises:
        UsageError: something is there already.
        EnvironmentProblem: it cannot be written.
    """
    try:
        occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise describe_os_error(out, error) from error
    ours = (out / file_names.MODEL_JSON).is_file() and not (out / file_names.CONFIG).exists()
    if occupied and not (force and ours):
        remedy = "choose another --out" + (" or replace it with --force" if ours else "")
        raise UsageError(f"{out} exists already; {remedy}")
    make_directory(out.absolute().parent)
    try:
        with own_folder(out.absolute().parent, hidden=True) as folder:
            part = folder / "part"
            make_directory(part)
            made = make(part)
            if out.exists():
                shutil.rmtree(out)
            part.rename(out)
    except OSError as error:
        raise describe_os_error(out, error) from error
    return made
