"""How a step learns the task, as a configuration describes it: optimizer, augmentation, loss, average of weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tinycerb.config import Config
from tinycerb.datasets.images import Dataset
from tinycerb.training.augmentation import Augmentation, check_reach, parse_augmentation
from tinycerb.training.optimizers import Adam, OptimizerChoice, parse_optimizer
from tinycerb.training.task_loss import TaskLoss, balanced_weights


@dataclass(frozen=True)
class Recipe:
    """How a step learns the task.

    Attributes:
        optimizer: what moves the weights.
        augmentation: what happens to all images of a step, in this order.
        loss: what the heads learn the task by.
        average_decay: share of the average of weights that a step leaves; 0 for no average.
    """

    optimizer: OptimizerChoice = field(default_factory=Adam)
    augmentation: Sequence[Augmentation] = ()
    loss: TaskLoss = field(default_factory=TaskLoss)
    average_decay: float = 0.0

    def without_average(self) -> "Recipe":
        """Returns the same for a stage whose weights the next one goes on from."""
        return replace(self, average_decay=0.0)


def recipe_of(config: Config, dataset: Dataset) -> Recipe:
    """Looks up all names of a configuration's training, without its teacher.

    Raises:
        UsageError: an unknown name, a value out of range, or what does not fit the images.
    """
    training = config.training
    chain = parse_augmentation(training.augmentation)
    check_reach(chain, dataset.image_shape)
    weights = _CLASS_WEIGHTS[training.class_weights](dataset.train, dataset.classes)
    return Recipe(
        optimizer=parse_optimizer(training.optimizer),
        augmentation=chain,
        loss=TaskLoss(training.label_smoothing, weights),
        average_decay=training.average_decay,
    )


_CLASS_WEIGHTS = {"even": lambda data, classes: None, "balanced": balanced_weights}
