"""The stretches of a victim's training, and the learning rate that runs through them."""

import math
from dataclasses import dataclass

from tinycerb.config import TrainingConfig

# Per epoch: stage, number, seconds of processor time.


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one model.

    Attributes:
        name: names history rows.
        order: seeds the order of images, together with the epoch since `order_from`.
        order_from: see `order`; counted like `epochs_before`.
        epochs: how many epochs.
        epochs_before: epochs of the stages before it.
        epochs_in_all: epochs of all stages, for progress.
        peak_learning_rate: start of a cosine that ends at 0.
        curve: first and last epoch of that cosine, counted like `epochs_before`; dense and pruning share one.
        warm_up: the learning rate first grows from 0 until this epoch, counted likewise.
        ends_in_a_model: whether its weights are kept: as an average, or of its best epoch, if the recipe says so. Those
            of other stages are what the next one goes on from.
    """

    name: str
    order: str
    order_from: int
    epochs: int
    epochs_before: int
    epochs_in_all: int
    peak_learning_rate: float
    curve: tuple[int, int]
    warm_up: float = 0.0
    ends_in_a_model: bool = False

    def learning_rate(self, epoch: float) -> float:
        """Returns the learning rate at a point of the whole training."""
        if epoch < self.warm_up:
            return self.peak_learning_rate * epoch / self.warm_up
        first, last = max(self.curve[0], self.warm_up), self.curve[1]
        return self.peak_learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - first) / (last - first)))


def stages_of(training: TrainingConfig, quantization: str) -> dict[str, Stage]:
    """Returns the stages in order: dense, pruned in training, cut and recovering, quantization-aware.

    The learning rate of recovery starts high again (Renda et al., ICLR 2020): a cut network that goes on at the low
    rate where pruning ended stays about a point below.

    Args:
        training: the epochs and learning rates.
        quantization: `aware`, or `post` for no epochs of quantization-aware training.
    """
    dense, pruning, recovery = training.dense_epochs, training.pruning_epochs, training.recovery_epochs
    aware = training.quantization_epochs if quantization == "aware" else 0
    slim_from, float_until = dense + pruning, dense + pruning + recovery
    in_all = float_until + aware
    rate, curve, warm_up = training.learning_rate, (0, float_until), training.warm_up_epochs
    return {
        "dense": Stage("dense", "float", 0, dense, 0, in_all, rate, curve, warm_up),
        "prune": Stage("prune", "float", 0, pruning, dense, in_all, rate, curve, warm_up),
        "recover": Stage(
            name="recover",
            order="recover",
            order_from=slim_from,
            epochs=recovery,
            epochs_before=slim_from,
            epochs_in_all=in_all,
            peak_learning_rate=rate,
            curve=(slim_from, float_until),
            ends_in_a_model=True,
        ),
        "quantize": Stage(
            name="quantize",
            order="quantize",
            order_from=float_until,
            epochs=aware,
            epochs_before=float_until,
            epochs_in_all=in_all,
            peak_learning_rate=training.quantization_learning_rate,
            curve=(float_until, in_all),
            ends_in_a_model=True,
        ),
    }


def teacher_stage(training: TrainingConfig, epochs: int) -> Stage:
    """Returns the only stage of a teacher's training."""
    return Stage(
        name="teacher",
        order="teacher",
        order_from=0,
        epochs=epochs,
        epochs_before=0,
        epochs_in_all=epochs,
        peak_learning_rate=training.learning_rate,
        curve=(0, epochs),
        warm_up=min(training.warm_up_epochs, epochs / 2),
        ends_in_a_model=True,
    )
