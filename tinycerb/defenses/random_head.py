"""A random head beside a trained one, for the response `grad_head`: any training part with one head takes it along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tinycerb.defenses.base import SHARED, Architecture, Batch, Defense, LossTerms, TrainingContext
from tinycerb.defenses.registry import DEFENSES
from tinycerb.errors import UsageError

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class WithRandomHead:
    """A defence whose file has one more head: scores v = Z [h; 1] of its features under fixed random weights.

    Attributes:
        inner: the training part; it never sees the random head.
        combiner: the response that reads both heads.
    """

    inner: Defense
    combiner: str

    heads = 1
    selection = "fixed"

    def __post_init__(self) -> None:
        if self.inner.heads != 1 or self.inner.architecture != SHARED:
            raise UsageError(
                f"{self.combiner.split(',')[0]} redirects the answer of one head; the training part "
                f"{type(self.inner).__name__} has {self.inner.heads}. "
                f"Allowed: {', '.join(name for name in DEFENSES if _has_one_head(DEFENSES[name]))}"
            )

    @property
    def architecture(self) -> Architecture:
        """The head beside the trained one."""
        return Architecture(random_heads=1, combiner=self.combiner)

    @property
    def uses_out_of_distribution(self) -> bool:
        """As the training part."""
        return self.inner.uses_out_of_distribution

    @property
    def after_training(self) -> tuple[str, ...]:
        """As the training part."""
        return self.inner.after_training

    @property
    def preference(self) -> int:
        """As the training part."""
        return self.inner.preference

    @property
    def teachers(self) -> str:
        """As the training part."""
        return self.inner.teachers

    @property
    def projects_conflicts(self) -> bool:
        """As the training part."""
        return self.inner.projects_conflicts

    def weight(self, epoch: float) -> float:
        """As the training part."""
        return self.inner.weight(epoch)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the training part's terms, of the trained head alone."""
        from tinycerb.keras_models.legacy import keras

        if context.slim is not None:
            outputs: Any = context.slim.outputs
            context = replace(context, slim=keras.Model(context.slim.input, outputs[0]))
        terms = self.inner.prepare(context)

        def of_the_trained(batch: Batch) -> Sequence[tf.Tensor]:
            return terms(replace(batch, logits=batch.logits[:1], other_logits=batch.other_logits[:1]))

        return of_the_trained


def _has_one_head(kind: Any) -> bool:
    return kind().heads == 1 and kind().architecture == SHARED
