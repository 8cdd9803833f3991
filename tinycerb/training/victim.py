"""One victim from random weights to a quantization-aware model: dense, pruned in training, cut, quantized."""

from functools import partial
from pathlib import Path

import numpy as np

from keras_models.legacy import keras
from tinycerb.atomic import write_arrays, write_json
from tinycerb.compression.masks import ChannelMasks
from tinycerb.compression.quantization import quantize_aware
from tinycerb.compression.surgery import remove_channels
from tinycerb.config import Config
from tinycerb.datasets.images import Dataset, image_fingerprints
from tinycerb.datasets.procedural import generate
from tinycerb.defenses import Defense, defense_of
from tinycerb.errors import GateError
from tinycerb.events import Report
from tinycerb.training.artefacts import CHECKPOINT, FINGERPRINTS, MODEL, SUMMARY, save_history, save_model
from tinycerb.training.batches import Batches
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.loop import EpochLoop, Stage
from tinycerb.training.model_source import build_model
from tinycerb.training.objective import LogitPredictor, TrainingStep
from tinycerb.training.setup import make_repeatable


def train_victim(config: Config, victim_name: str, dataset: Dataset, folder: Path, report: Report) -> None:
    """Trains one victim and leaves `model.h5`, `training.json` and `history.csv` in `folder`.

    An interrupted training goes on from the last finished epoch and ends with the same weights.

    Args:
        config: the run's configuration.
        victim_name: one of its victims.
        dataset: the victim's data.
        folder: where its files go.
        report: takes progress events.

    Raises:
        UsageError: the configuration does not fit the data or the network.
    """
    make_repeatable(config.seed)
    victim = config.victim(victim_name)
    defense = defense_of(victim)
    training = config.training
    model = build_model(config, defense, dataset)
    other = _out_of_distribution_images(config, defense, dataset, folder)
    batches = Batches(
        len(dataset.train.images),
        training.batch_size,
        len(other),
        config.out_of_distribution.batch_size,
        config.seed,
    )
    stages = _stages(config)
    begin = training.dense_epochs * batches.steps + 1
    pruning = config.pruning
    masks = ChannelMasks(
        model,
        victim.channel_ratio,
        begin_step=begin,
        end_step=begin + training.pruning_epochs * batches.steps - 1,
        criterion=pruning.criterion,
        schedule=pruning.schedule,
        multiple=pruning.multiple,
    )
    checkpoint = Checkpoint.load(folder / CHECKPOINT)
    if checkpoint is not None:
        masks.restore(checkpoint.kept)
    loop = EpochLoop(
        batches=batches,
        defense_weight=defense.weight,
        validation=dataset.validation,
        checkpoint_path=folder / CHECKPOINT,
        history=list(checkpoint.history) if checkpoint else [],
        on_epoch=partial(save_history, folder),
        report=report,
    )
    finished = list(stages).index(checkpoint.stage) if checkpoint else 0

    def run(name: str, staged_model: keras.Model, prune: bool = False) -> None:
        if list(stages).index(name) < finished:
            return
        step = TrainingStep(staged_model, defense, dataset.train, other, masks if prune else None)
        here = checkpoint if checkpoint is not None and checkpoint.stage == name else None
        loop.run(stages[name], staged_model, step, masks, prune, here)

    run("float", model, prune=True)
    slim = remove_channels(model, masks.plan, masks.kept()) if masks.plan else model
    if finished == 0:
        _check_exact(model, slim, dataset.validation.images[:64])
    run("recover", slim)
    # Seeded anew, so that a run resumed from here meets the same random state.
    make_repeatable(config.seed)
    quantized = quantize_aware(slim)
    run("quantize", quantized)

    save_model(quantized, folder / MODEL)
    write_json(
        folder / SUMMARY,
        {
            "victim": victim.name,
            "defense": victim.defense,
            "heads": defense.heads,
            "selection": defense.selection,
            "channel_ratio": victim.channel_ratio,
            "parameters_dense": int(model.count_params()),
            "parameters": int(slim.count_params()),
            "channel_groups": [
                {"producers": list(group.producers), "channels": group.channels, "kept": int(keep.sum())}
                for group, keep in zip(masks.groups, masks.kept(), strict=True)
            ],
            "history": loop.history,
        },
    )


def _stages(config: Config) -> dict[str, Stage]:
    """Dense training with pruning inside, recovery of the cut network, quantization-aware training."""
    training = config.training
    float_epochs = training.dense_epochs + training.pruning_epochs
    slim_from = float_epochs + training.recovery_epochs
    in_all = slim_from + training.quantization_epochs
    rate = training.learning_rate
    return {
        "float": Stage("float", float_epochs, 0, in_all, rate, (0, slim_from)),
        "recover": Stage("recover", training.recovery_epochs, float_epochs, in_all, rate, (0, slim_from)),
        "quantize": Stage(
            "quantize",
            training.quantization_epochs,
            slim_from,
            in_all,
            training.quantization_learning_rate,
            (slim_from, in_all),
        ),
    }


def _out_of_distribution_images(config: Config, defense: Defense, dataset: Dataset, folder: Path) -> np.ndarray:
    """Draws the images that the defence wants, and leaves their fingerprints to compare attackers' images with."""
    wanted = config.out_of_distribution
    count = wanted.images if defense.uses_out_of_distribution else 0
    if count == 0:
        images = np.zeros((0, *dataset.image_shape), np.uint8)
    else:
        images = generate(wanted.families, count, dataset.train.images, config.seed)
    write_arrays(folder / FINGERPRINTS, {"fingerprints": image_fingerprints(images)})
    return images


def _check_exact(masked: keras.Model, slim: keras.Model, images: np.ndarray) -> None:
    error = float(np.abs(LogitPredictor(masked)(images) - LogitPredictor(slim)(images)).max())
    # Fewer zeros in a sum change its rounding and nothing else.
    if error > 1e-4:
        raise GateError(f"cutting the channels changed the logits by up to {error}; expected rounding errors only")
