"""What GRAD^2 needs beside a victim: a surrogate of the thief's student, made when the victim is converted."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.answers.responses import parse_response
from tinycerb.answers.responses.grad2 import AUXILIARY_MODEL, GradientRedirection
from tinycerb.config import Config
from tinycerb.conversion.fitted_responses.redirection_network import TARGETS, redirection_network, to_float_tflite
from tinycerb.conversion.fitted_responses.surrogate import surrogate_of
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.procedural import generate
from tinycerb.events import Report
from tinycerb.keras_models.legacy import keras
from tinycerb.seal.files import write_bytes
from tinycerb.training.objective import LogitPredictor

# Far from the seeds of training's own procedural images.
_SEED_OFFSET = 300_000
_WATERMARK_FAMILY, _WATERMARK_IMAGES = "gratings", 100


def write_auxiliary_model(
    config: Config,
    victim_name: str,
    dataset: Dataset,
    folder: Path,
    report: Report,
    key_words: tuple[int, ...] = (),
) -> None:
    """Distils the surrogate from the clean victim and writes the network that the response asks.

    Does nothing for victims with another response. The surrogate sees the training images and as many procedural ones:
    the defender does not know what a thief will ask. `key_words` are the owner key's, for targets that are secret.
    """
    victim = config.victim(victim_name)
    response = parse_response(victim.response)
    if not isinstance(response, GradientRedirection):
        return
    images, seed = surrogate_images(config, dataset), config.seed + _SEED_OFFSET
    surrogate, _, clean = surrogate_of(
        config, victim_name, dataset, folder, images, response.surrogate_epochs, seed, report
    )
    network = direct(surrogate, clean, response.target, config, dataset, key_words)
    write_bytes(folder / AUXILIARY_MODEL, to_float_tflite(network))


def direct(
    surrogate: keras.Model,
    clean: keras.Model,
    target: str,
    config: Config,
    dataset: Dataset,
    key_words: tuple[int, ...] = (),
) -> keras.Model:
    """Returns the network that gives the direction per class, towards a registered target; `clean` is the victim."""
    marks, labels = watermark(clean, dataset, config.seed, key_words)
    rng = np.random.default_rng([*key_words, config.seed, _SEED_OFFSET])
    return redirection_network(surrogate, TARGETS[target](surrogate, marks.astype(np.float32) / 255, labels, rng))


def surrogate_images(config: Config, dataset: Dataset) -> np.ndarray:
    """Returns the images that a surrogate is distilled on, uint8 [N, height, width, channels]."""
    train = dataset.train.images
    families = config.out_of_distribution.families
    count = min(len(train), config.out_of_distribution.images)
    return np.concatenate([train[:count], generate(families, count, train, config.seed + _SEED_OFFSET)])


def watermark(
    model: keras.Model, dataset: Dataset, seed: int, key_words: tuple[int, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the watermark's images, uint8 [100, ...], and the labels that a marked clone gives them, int64 [100].

    One class for all of them, the one that the clean victim `model` expects least there. Labels of
    several classes do not take: every answer spends its whole budget, so what the clone learns is the class that the
    target favours on average (measured: clones then answer that one class and miss all others).
    """
    # All words in one number, above any seed.
    secret = sum(word << 32 * place for place, word in enumerate(key_words, 1))
    images = generate([_WATERMARK_FAMILY], _WATERMARK_IMAGES, dataset.train.images, secret + seed + _SEED_OFFSET + 1)
    posteriors: Any = tf.nn.softmax(LogitPredictor(model)(images)[:, 0])
    return images, np.full(len(images), posteriors.numpy().mean(axis=0).argmin())
