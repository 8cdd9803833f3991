"""What a conversion is asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb import file_names
from tinycerb.answers.responses import parse_response
from tinycerb.bounded.files import require_memory
from tinycerb.converters.contract import DEFAULT_TARGETS, load_targets
from tinycerb.datasets.arrays import check_class_names
from tinycerb.datasets.measured import Measured, open_for_measuring
from tinycerb.errors import UsageError, suggest
from tinycerb.events import say

CUSTOM = file_names.CUSTOM_MODEL


# What --op names, and whether the operator draws the head itself; None makes no further file.
OPERATORS: dict[str, bool | None] = {"builtin": None, "custom": False, "custom-draw": True}


_RANDOM_IMAGES = 128


@dataclass(frozen=True)
class ConversionOptions:
    """The options of a conversion.

    Attributes:
        operator: one of `OPERATORS`.
        response: what is done to every posterior, or None to leave what the file says.
        max_accuracy_drop: points of accuracy that any head may lose, or None for no gate.
        targets: runtimes that must be able to run the file.
        class_names: names of the classes, where the source does not know them.
        data: images of the user's, with labels for the gate: a path or `package.module:function`, or empty.
        force: whether an older conversion may be replaced.
        allow_code: whether a Keras file is opened though code in it may run.
    """

    operator: str = "builtin"
    response: str | None = None
    max_accuracy_drop: float | None = None
    targets: tuple[str, ...] = DEFAULT_TARGETS
    class_names: tuple[str, ...] = ()
    data: str = ""
    force: bool = False
    allow_code: bool = False

    def check(self) -> None:
        """Checks everything that can be checked before any work.

        Raises:
            UsageError: a value is not among the allowed ones.
        """
        for kind, value, allowed in (
            ("--op", self.operator, OPERATORS),
            *(("--target", target, load_targets()) for target in self.targets),
        ):
            if value not in allowed:
                raise UsageError(f"{kind} is {value!r}{suggest(value, allowed)}; allowed: {', '.join(allowed)}")
        if self.response is not None:
            parse_response(self.response)
        if self.max_accuracy_drop is not None and not 0 <= self.max_accuracy_drop <= 100:
            raise UsageError(f"--max-accuracy-drop is {self.max_accuracy_drop}; allowed: 0 to 100 points")


def _data(options: ConversionOptions, shape: Sequence[int], classes: int) -> Measured:
    """Returns the user's images and labels, or random images where there are none."""
    if not options.data:
        if options.max_accuracy_drop is not None:
            raise UsageError("--max-accuracy-drop needs labelled images: --data DATA with images and labels")
        require_memory(_RANDOM_IMAGES * math.prod(shape), f"{_RANDOM_IMAGES} images of {tuple(shape)}")
        return Measured(np.random.default_rng(0).integers(0, 256, (_RANDOM_IMAGES, *shape), dtype=np.uint8), None)
    found = open_for_measuring(options.data, tuple(shape), classes)
    for text in found.left_out:
        say(f"not used of {options.data}: {text}")
    if found.labels is None and options.max_accuracy_drop is not None:
        raise UsageError(f"{options.data} has no labels; --max-accuracy-drop needs them")
    return found


def _class_names(options: ConversionOptions, classes: int, found: Sequence[str] = ()) -> list[str]:
    """The names that the user gives, else those `found` with the data, else numbers."""
    if options.class_names and len(options.class_names) != classes:
        raise UsageError(f"--class-names has {len(options.class_names)} names; the model has {classes} classes")
    check_class_names(options.class_names)
    return list(options.class_names or found) or [f"class {index}" for index in range(classes)]
