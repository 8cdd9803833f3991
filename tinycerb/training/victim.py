"""One victim from random weights to a model that can be converted: dense, pruned in training, cut, quantized."""

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.compression.channel_plan import plan_channels
from tinycerb.compression.importance import penalizes_scales
from tinycerb.compression.methods import PRUNING_METHODS
from tinycerb.compression.producers import norm_scales
from tinycerb.compression.pruner import NothingPruned, Pruner
from tinycerb.compression.quantization import quantize_aware
from tinycerb.config import Config, VictimConfig
from tinycerb.datasets.images import Dataset, image_fingerprints
from tinycerb.datasets.out_of_distribution import OutOfDistributionImages, out_of_distribution_images
from tinycerb.defenses import Defense
from tinycerb.defenses.base import TrainingContext
from tinycerb.errors import EnvironmentProblem, GateError
from tinycerb.events import OnProgress
from tinycerb.file_names import (
    CHECKPOINT,
    DENSE,
    FLOAT_FACTS,
    FLOAT_MODEL,
    HISTORY,
    OUT_OF_DISTRIBUTION,
    QUANTIZATION_AWARE_MODEL,
    TRAINING,
)
from tinycerb.keras_models.legacy import keras
from tinycerb.run.victim import Victim
from tinycerb.seal.files import is_made, read_json, unmake, write_arrays, write_json
from tinycerb.training.artefacts import load_float_model, save_history, save_model, write_history
from tinycerb.training.batches import Batches
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.distillation import with_teacher
from tinycerb.training.loop import EpochLoop
from tinycerb.training.model_source import build_model, compare_model
from tinycerb.training.objective import LogitPredictor, ScalePenalty, TrainingStep
from tinycerb.training.recipe import Recipe, recipe_of
from tinycerb.training.reference_classifier import ReferenceClassifier
from tinycerb.training.setup import make_repeatable
from tinycerb.training.stages import Stage, stages_of


@dataclass(frozen=True)
class _Training:
    """What all stages of one victim's training share; `kept` holds what the defence prepares once."""

    config: Config
    victim: VictimConfig
    defense: Defense
    dataset: Dataset
    other: OutOfDistributionImages
    batches: Batches
    stages: dict[str, Stage]
    folder: Path
    kept: Path
    on_progress: OnProgress
    recipe: Recipe
    key_words: tuple[int, ...] = field(repr=False)

    def run(
        self,
        name: str,
        model: keras.Model,
        pruner: Pruner,
        history: list[dict[str, Any]],
        state: Checkpoint | None,
        slim: keras.Model | None = None,
    ) -> Checkpoint:
        """Trains a stage, from a state of it if there is one, and appends to the history."""
        penalty = _scale_penalty(self.config, self.victim, model) if name in ("dense", "prune") else ScalePenalty()
        terms = self.defense.prepare(self._setting(name, slim))
        projects, heads = self.defense.projects_conflicts, self.defense.heads
        stage = self.stages[name]
        recipe = self.recipe if stage.ends_in_a_model else self.recipe.without_average()
        step = TrainingStep(
            model, terms, self.dataset.train, self.other.images, pruner, penalty, projects, heads, recipe
        )
        loop = EpochLoop(
            batches=self.batches,
            defense_weight=self.defense.weight,
            heads=heads,
            validation=self.dataset.validation,
            checkpoint_path=self.folder / CHECKPOINT,
            history=history,
            on_epoch=partial(save_history, self.folder),
            on_progress=self.on_progress,
            best_epoch=self.config.training.best_epoch,
        )
        return loop.run(stage, model, step, pruner, state)

    def _setting(self, stage: str, slim: keras.Model | None) -> TrainingContext:
        def build(heads: int) -> keras.Model:
            # Seeded apart: a stand-in must not start from the victim's own weights.
            make_repeatable(self.config.seed + 500)
            model = build_model(self.config, self.defense, self.dataset, heads)
            make_repeatable(self.config.training_seed)
            return model

        dataset, other, seed, kept = self.dataset, self.other.images, self.config.seed, self.kept
        epochs, augmentation = self.config.training.reference_epochs, self.recipe.augmentation
        reference = ReferenceClassifier(dataset, other, seed, kept, build, self.on_progress, epochs, augmentation)
        return TrainingContext(
            stage, dataset, other, seed, kept, build, reference, slim, self.on_progress, self.key_words
        )


def train_dense(
    config: Config,
    victim: Victim,
    dataset: Dataset,
    folder: Path,
    on_progress: OnProgress,
    key_words: tuple[int, ...] = (),
    teacher: Path = Path(),
) -> None:
    """Trains a victim up to where pruning starts, and leaves its state and `dense.json` in `folder`.

    Victims that differ only in how they are pruned go on from the same one.

    Args:
        config: the run's configuration.
        victim: one of the victims that go on from it.
        dataset: the victim's data.
        folder: where its files go.
        on_progress: takes progress events.
        key_words: of the owner key, which a defence's teachers come from beside the seed.
        teacher: where `train_teacher` has left the network that victims learn from, if the run has one.

    Raises:
        UsageError: the configuration does not fit the data or the network.
    """
    unmake(folder / DENSE)
    training = _prepare(config, victim, dataset, folder, folder, on_progress, key_words, teacher)
    model = build_model(config, training.defense, dataset)
    state = Checkpoint.load(folder / CHECKPOINT)
    training.run("dense", model, NothingPruned(), list(state.history) if state else [], state)
    write_json(folder / DENSE, {"parameters": int(model.count_params())})


def train_victim(
    config: Config,
    victim: Victim,
    dataset: Dataset,
    dense: Path,
    folder: Path,
    on_progress: OnProgress,
    key_words: tuple[int, ...] = (),
    teacher: Path = Path(),
) -> None:
    """Goes on from a dense training: prunes, cuts, recovers, and trains with fake quantization unless told not to.

    It leaves `float.h5`, `model.h5` (the quantization-aware one), `training.json` and `history.csv` in `folder`.
    An interrupted training goes on from the last finished epoch and ends with the same weights.

    Args:
        config: the run's configuration.
        victim: one of its victims.
        dataset: the victim's data.
        dense: where `train_dense` has left its state.
        folder: where this victim's files go.
        on_progress: takes progress events.
        key_words: as for `train_dense`.
        teacher: likewise.

    Raises:
        UsageError: the configuration does not fit the data or the network.
        EnvironmentProblem: a file is missing or damaged.
    """
    unmake(folder / TRAINING)
    training = _prepare(config, victim, dataset, folder, dense, on_progress, key_words, teacher)
    state = Checkpoint.load(folder / CHECKPOINT)
    if state is None or not _float_model_is_of(state, training):
        if (begun := Checkpoint.load(dense / CHECKPOINT)) is None:
            raise _missing(dense / CHECKPOINT, dense / DENSE)
        # A checkpoint from behind the float model is of no use without it.
        state = _train_float(training, begun, None if state is None or state.stage == "quantize" else state)
    slim = load_float_model(folder / FLOAT_MODEL)
    facts = read_json(folder / FLOAT_FACTS)
    history = list(state.history)
    if config.quantization.method == "aware":
        # Seeded anew, so that a run resumed from here meets the same random state.
        make_repeatable(config.training_seed)
        quantized = quantize_aware(slim, keep_zeros=facts["keeps_zeros"])
        pruner = NothingPruned(history[-1]["kept_share"])
        begun = state if state.stage == "quantize" else None
        training.run("quantize", quantized, pruner, history, begun, slim)
        save_model(quantized, folder / QUANTIZATION_AWARE_MODEL)
    if not is_made(folder / HISTORY):
        write_history(folder, history)
    logits = LogitPredictor(slim)(dataset.test.images)[:, : training.defense.heads]
    # Where all heads make one answer, what quantization costs is seen on that of the heads that learn the task.
    correct = logits.argmax(axis=2) == dataset.test.labels[:, np.newaxis]
    write_json(
        folder / TRAINING,
        {
            "victim": victim.name,
            "defense": training.victim.defense,
            "heads": victim.heads.answering,
            "heads_in_file": victim.heads.in_file,
            "selection": training.defense.selection,
            "pruning": training.victim.pruning,
            "quantization": config.quantization.method,
            "channel_ratio": training.victim.channel_ratio,
            "parameters_dense": read_json(dense / DENSE)["parameters"],
            "parameters": int(slim.count_params()),
            # What quantization costs is the difference to this; nothing is chosen by it.
            "float_accuracy_per_head": correct.mean(axis=0).tolist(),
            **facts,
            **({"sources": [asdict(use) for use in training.other.sources]} if training.other.sources else {}),
            "history": history,
        },
    )


def _float_model_is_of(state: Checkpoint, training: _Training) -> bool:
    """Whether the float model that lies there is the one that this state has left behind.

    A training anew finds the one of the time before, which is the same, but its own epochs must still be gone through.
    """
    recovered = state.stage == "recover" and state.epochs_done == training.stages["recover"].epochs
    return (recovered or state.stage == "quantize") and all(
        is_made(training.folder / name) for name in (FLOAT_MODEL, FLOAT_FACTS)
    )


def _missing(checkpoint: Path, made_after: Path) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"the checkpoint {checkpoint} is missing, and {made_after.name}, which was made after it, is there; delete "
        f"{made_after} to train it anew"
    )


def _train_float(training: _Training, dense: Checkpoint, state: Checkpoint | None) -> Checkpoint:
    """Prunes, cuts and recovers; leaves the float model and what was taken away."""
    victim, prune = training.victim, training.stages["prune"]
    model = build_model(training.config, training.defense, training.dataset)
    model.set_weights(dense.weights)
    method = PRUNING_METHODS[victim.pruning](
        model,
        victim.channel_ratio,
        begin_step=prune.epochs_before * training.batches.steps + 1,
        end_step=(prune.epochs_before + prune.epochs) * training.batches.steps,
        config=training.config.pruning,
    )
    if state is None:
        weights = method.model.get_weights()
        state = replace(dense, stage="prune", epochs_done=0, weights=weights, pruner=method.pruner.state())
    history = list(state.history)
    if state.stage == "prune":
        state = training.run("prune", method.model, method.pruner, history, state)
        slim, holder = method.recovering()
        _check_exact(method.model, slim, training.dataset.validation.images[:64])
        state = training.run("recover", slim, holder, history, None)
    else:
        method.pruner.restore(state.pruner)
        slim, holder = method.recovering()
        state = training.run("recover", slim, holder, history, state)
    write_json(training.folder / FLOAT_FACTS, {"keeps_zeros": method.keeps_zeros, **method.facts()})
    save_model(method.finished(slim), training.folder / FLOAT_MODEL)
    return state


def _prepare(
    config: Config,
    victim: Victim,
    dataset: Dataset,
    folder: Path,
    kept: Path,
    on_progress: OnProgress,
    key_words: tuple[int, ...],
    teacher: Path,
) -> _Training:
    make_repeatable(config.training_seed)
    compare_model(config)
    other = _out_of_distribution_images(config, victim.defense, dataset, folder)
    return _Training(
        config=config,
        victim=victim.config,
        defense=victim.defense,
        dataset=dataset,
        other=other,
        batches=Batches(
            len(dataset.train.images),
            config.training.batch_size,
            len(other.images),
            config.out_of_distribution.batch_size,
            config.training_seed,
        ),
        stages=stages_of(config.training, config.quantization.method),
        folder=folder,
        kept=kept,
        on_progress=on_progress,
        recipe=with_teacher(recipe_of(config, dataset), config, teacher),
        key_words=key_words,
    )


def _out_of_distribution_images(
    config: Config, defense: Defense, dataset: Dataset, folder: Path
) -> OutOfDistributionImages:
    """Gathers the images that the defence wants, and leaves their fingerprints to compare attackers' images with."""
    if defense.uses_out_of_distribution:
        found = out_of_distribution_images(config, dataset)
    else:
        found = OutOfDistributionImages(np.zeros((0, *dataset.image_shape), np.uint8))
    write_arrays(folder / OUT_OF_DISTRIBUTION, {"fingerprints": image_fingerprints(found.images)})
    return found


def _scale_penalty(config: Config, victim: VictimConfig, model: keras.Model) -> ScalePenalty:
    if not penalizes_scales(config, victim):
        return ScalePenalty()
    names = [name for group in plan_channels(model).groups for name in group.producers]
    return ScalePenalty(config.pruning.scale_penalty, norm_scales(model, names))


def _check_exact(masked: keras.Model, slim: keras.Model, images: np.ndarray) -> None:
    error = float(np.abs(LogitPredictor(masked)(images) - LogitPredictor(slim)(images)).max())
    # Fewer zeros in a sum change its rounding and nothing else.
    if error > 1e-4:
        raise GateError(f"cutting the channels changed the logits by up to {error}; expected rounding errors only")
