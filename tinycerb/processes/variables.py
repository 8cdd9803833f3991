"""Environment variables of the processes that are TinyCerb's alone: its commands, and the children that do the work.

Importing TinyCerb sets none: a notebook's own TensorFlow keeps its Keras and its graphics cards.
"""

import os

_ALWAYS = {
    # TF-MOT accepts Keras 2 models only; TensorFlow decides at its first import which Keras it hands out.
    "TF_USE_LEGACY_KERAS": "1",
    # One CPU, everywhere: results must not depend on whether a GPU happens to be there.
    "CUDA_VISIBLE_DEVICES": "-1",
}
_UNLESS_SET = {"TF_CPP_MIN_LOG_LEVEL": "2"}


def child_variables(**more: str) -> dict[str, str]:
    """Returns the environment of a child process: this one's, with TinyCerb's variables and then `more`."""
    return {**_UNLESS_SET, **os.environ, **_ALWAYS, **more}


def own_process() -> None:
    """Sets TinyCerb's variables for this process and its children: for programs, before they load TensorFlow."""
    os.environ.update(child_variables())
