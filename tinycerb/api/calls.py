"""What holds while a function of the Python face works."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tinycerb.config.user_sources import consent_for_now
from tinycerb.events import silence

# What names a run, a model or a file: a path, or a result that stands for one.
Source = str | os.PathLike[str]


@contextmanager
def working(progress: bool) -> Iterator[None]:
    """Progress and notes go to standard error if they are wanted; consent to run code ends with the call."""
    with silence(not progress), consent_for_now():
        yield
