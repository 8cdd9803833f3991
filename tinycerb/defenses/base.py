"""What a defence is to the training loop and to the oracle.

Defences import TensorFlow only where they compute: names, options and head counts are wanted without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tinycerb.datasets.images import Dataset
from tinycerb.events import OnProgress

if TYPE_CHECKING:
    import tensorflow as tf

    from tinycerb.keras_models.legacy import keras


@dataclass(frozen=True)
class Batch:
    """What one training step has seen. Images are float in 0..1.

    Attributes:
        images: [N, height, width, channels] of the task.
        labels: int32 [N].
        logits: per head, [N, classes].
        other_images: [M, height, width, channels], out-of-distribution; M is 0 where the defence wants none.
        other_indices: int32 [M], which of the run's out-of-distribution images they are.
        other_logits: per head, [M, classes].
    """

    images: tf.Tensor
    labels: tf.Tensor
    logits: list[tf.Tensor]
    other_images: tf.Tensor
    other_indices: tf.Tensor
    other_logits: list[tf.Tensor]


class ReferenceNetwork(Protocol):
    """An undefended network like the victim's: what to steer away from, or to take for the attacker's student."""

    def model(self) -> keras.Model:
        """Returns it, one-headed and trained; trained once, then loaded."""
        ...

    def posteriors(self) -> np.ndarray:
        """Returns its posteriors on the out-of-distribution images, float32 [M, classes]."""
        ...


# A batch -> scalars to be minimised beside the heads' cross-entropy
LossTerms = Callable[[Batch], Sequence["tf.Tensor"]]


@dataclass(frozen=True)
class TrainingContext:
    """What a defence may prepare itself with before a stage of training.

    Attributes:
        stage: `dense`, `prune`, `recover` or `quantize`.
        dataset: the victim's data; the test part is not for defences.
        other_images: uint8 [M, height, width, channels], out-of-distribution.
        seed: the run's seed.
        folder: where what is expensive to prepare is kept; shared by all stages.
        build: makes a fresh, untrained network like the victim's with so many heads.
        reference: an undefended network, trained when it is first asked for.
        slim: in stage `quantize` the finished float network, else None.
        on_progress: takes progress events.
        key_words: of the owner key, which teachers come from beside the seed; none where the owner is public.
    """

    stage: str
    dataset: Dataset
    other_images: np.ndarray
    seed: int
    folder: Path
    build: Callable[[int], keras.Model]
    reference: ReferenceNetwork
    slim: keras.Model | None
    on_progress: OnProgress
    key_words: tuple[int, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Architecture:
    """How a victim's heads stand on backbones, and whether each answers alone.

    Attributes:
        backbones: what each head stands on, where each has its own: `own` (a network of the run's kind) or `hash` (the
            small one); empty where all share one. Those that learn the task come first.
        random_heads: heads behind the others, on the shared backbone, with weights that are drawn and not trained.
        combiner: the response that makes one answer of all heads, as text; "" where one head answers alone.
    """

    backbones: tuple[str, ...] = ()
    random_heads: int = 0
    combiner: str = ""


SHARED = Architecture()


class Defense(Protocol):
    """The training part of a defence and how its device chooses a head.

    Implementations are frozen dataclasses whose fields are the defence's options.
    """

    @property
    def heads(self) -> int:
        """Number of heads that learn the task."""
        ...

    @property
    def architecture(self) -> Architecture:
        """What they stand on, and what stands beside them."""
        ...

    @property
    def selection(self) -> str:
        """How the device chooses the head that answers; a registered head selection."""
        ...

    @property
    def uses_out_of_distribution(self) -> bool:
        """Whether training wants out-of-distribution images."""
        ...

    @property
    def after_training(self) -> tuple[str, ...]:
        """Options that act after training alone: victims that differ in these share one."""
        ...

    @property
    def preference(self) -> int:
        """The higher, the rather is a victim with it recommended (docs/defenses.md, "Which to choose"); 0 for most."""
        ...

    @property
    def teachers(self) -> str:
        """Which random teachers training imitates, `random` or `independent`, one for each head; "" for none.

        They come from the owner key: a thief who knows them sees through the defence.
        """
        ...

    @property
    def projects_conflicts(self) -> bool:
        """Whether gradients that oppose each other are projected (PCGrad) instead of added."""
        ...

    def weight(self, epoch: float) -> float:
        """Returns the weight of the terms at a point of the whole training.

        Args:
            epoch: epochs since the first step of the first stage, with fractions.
        """
        ...

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the defence's terms for one stage of training."""
        ...


def heads_in_file(defense: Defense) -> int:
    """Returns the number of heads in a victim's file, those that never answer themselves included."""
    architecture = defense.architecture
    return len(architecture.backbones) or defense.heads + architecture.random_heads


def answering_heads(defense: Defense) -> int:
    """Returns the number of heads that answer alone; 1 where all heads together make one answer."""
    return 1 if defense.architecture.combiner else defense.heads


def no_terms(batch: Batch) -> Sequence[tf.Tensor]:
    """The terms of a defence that adds nothing to training."""
    return ()
