"""The larger network that victims learn from, trained once in a run."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import tensorflow as tf

from tinycerb.compression.pruner import NothingPruned
from tinycerb.config import Config
from tinycerb.datasets.images import Dataset
from tinycerb.defenses.base import no_terms
from tinycerb.events import OnProgress
from tinycerb.file_names import CHECKPOINT, TEACHER
from tinycerb.keras_models import build_backbone
from tinycerb.keras_models.multi_head import attach_heads
from tinycerb.seal.files import unmake
from tinycerb.training.artefacts import load_float_model, save_history, save_model
from tinycerb.training.batches import Batches
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.loop import EpochLoop
from tinycerb.training.objective import TrainingStep
from tinycerb.training.recipe import Recipe, recipe_of
from tinycerb.training.setup import make_repeatable
from tinycerb.training.stages import teacher_stage
from tinycerb.training.task_loss import Distillation


def train_teacher(config: Config, dataset: Dataset, folder: Path, on_progress: OnProgress) -> None:
    """Trains the teacher with the victims' recipe and leaves it in `folder`; an interrupted training goes on.

    Args:
        config: the run's configuration, whose `distillation` names a backbone.
        dataset: the victims' data.
        folder: where its files go.
        on_progress: takes progress events.
    """
    unmake(folder / TEACHER)
    make_repeatable(config.seed)
    wanted = config.distillation
    model = attach_heads(build_backbone(wanted.backbone, dataset.image_shape, wanted.width), dataset.classes, heads=1)
    state = Checkpoint.load(folder / CHECKPOINT)
    history = list(state.history) if state else []
    pruner = NothingPruned()
    step = TrainingStep(
        model, no_terms, dataset.train, dataset.train.images[:0], pruner, recipe=recipe_of(config, dataset)
    )
    loop = EpochLoop(
        batches=Batches(len(dataset.train.images), config.training.batch_size, 0, 0, config.seed),
        defense_weight=lambda epoch: 0.0,
        heads=1,
        validation=dataset.validation,
        checkpoint_path=folder / CHECKPOINT,
        history=history,
        on_epoch=partial(save_history, folder),
        on_progress=on_progress,
        best_epoch=config.training.best_epoch,
    )
    loop.run(teacher_stage(config.training, wanted.epochs), model, step, pruner, state)
    save_model(model, folder / TEACHER)


def with_teacher(recipe: Recipe, config: Config, folder: Path) -> Recipe:
    """Returns a recipe with the teacher of the run, if it has one.

    Args:
        recipe: how victims learn without it.
        config: the run's configuration.
        folder: where `train_teacher` has left it.

    Raises:
        EnvironmentProblem: it is missing, or is not the one that was trained.
    """
    wanted = config.distillation
    if not wanted.backbone:
        return recipe
    model = load_float_model(folder / TEACHER)

    def teacher(images: tf.Tensor) -> tf.Tensor:
        return tf.stop_gradient(model(images, training=False))

    distillation = Distillation(teacher, wanted.weight, wanted.temperature)
    return replace(recipe, loss=replace(recipe.loss, distillation=distillation))
