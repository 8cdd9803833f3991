"""A student that is the victim's own network, twice as wide: for an attacker who knows the architecture.

A datasheet, a blog post or a probe on the chip may tell it; that it is larger than the victim flatters no defence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tinycerb.attacks.building_blocks.students import STUDENTS, Student
from tinycerb.errors import UsageError
from tinycerb.keras_models import BACKBONES as BUILT_IN
from tinycerb.training.backbones import BACKBONES

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras

_KERAS_MODELS = Path(str(resources.files("tinycerb.keras_models")))


@dataclass(frozen=True)
class Architecture:
    """What a student that is made after its victim knows of it.

    Attributes:
        backbone: the victim's registered backbone; "" for a student that knows nothing.
        width: what multiplies the victim's channel counts.
    """

    backbone: str = ""
    width: float = 1.0

    @property
    def code(self) -> Sequence[Path]:
        """The file that builds the backbone: a built-in one has one of its name."""
        if self.backbone in BUILT_IN:
            return (_KERAS_MODELS / f"{self.backbone}.py",)
        return (BACKBONES.place(self.backbone).file,) if self.backbone else ()


@dataclass(frozen=True)
class VictimX2:
    """The victim's backbone before pruning, at twice its width. After the demo's, 194,762 parameters at 28x28x1."""

    architecture: Architecture = Architecture("demo_net")

    def __call__(self, image_shape: tuple[int, int, int], classes: int) -> keras.Model:
        """Builds it, float images in 0..1 to logits."""
        from tinycerb.keras_models.legacy import keras

        backbone = BACKBONES[self.architecture.backbone](image_shape, 2 * self.architecture.width)
        return keras.Model(backbone.input, keras.layers.Dense(classes)(backbone.output))


STUDENTS.register("victim_x2")(VictimX2())


def architecture_for(student: str, backbone: str, width: float) -> Architecture:
    """Returns what a student is told of a victim's network: nothing, unless it is made after it.

    Raises:
        UsageError: it is made after the victim, whose backbone is not a registered one.
    """
    if not isinstance(STUDENTS[student], VictimX2):
        return Architecture()
    if backbone not in BACKBONES:
        raise UsageError(
            f"the student {student} is twice the victim's backbone, and {backbone!r} is none that can be widened; "
            f"allowed: {', '.join(BACKBONES)}; else choose other students"
        )
    return Architecture(backbone, width)


def made_after(student: Student, architecture: Architecture) -> Student:
    """Returns a student as it is made after a victim; one that is told nothing is left as it is."""
    if isinstance(student, VictimX2) and architecture.backbone:
        return replace(student, architecture=architecture)
    return student
