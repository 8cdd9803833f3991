"""What a defence is to the training loop and to the oracle.

Defences import TensorFlow only where they compute: names, options and head counts are wanted without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import tensorflow as tf


class Defense(Protocol):
    """The training part of a defence and how its device chooses a head.

    Implementations are frozen dataclasses whose fields are the defence's options.
    """

    @property
    def heads(self) -> int:
        """Number of heads on the shared backbone."""
        ...

    @property
    def selection(self) -> str:
        """How the device chooses the head that answers; a registered head selection."""
        ...

    @property
    def uses_out_of_distribution(self) -> bool:
        """Whether `training_loss` wants out-of-distribution images."""
        ...

    def weight(self, epoch: float) -> float:
        """Returns the weight of `training_loss` at a point of the whole training.

        Args:
            epoch: epochs since the first step of the first stage, with fractions.
        """
        ...

    def training_loss(self, head_logits: list[tf.Tensor]) -> tf.Tensor | float:
        """Returns a scalar to be minimised beside the heads' cross-entropy.

        Args:
            head_logits: per head, float [N, classes] on out-of-distribution images.
        """
        ...
