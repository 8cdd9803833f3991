"""Fills in what a response learns from the victim when the victim is converted."""

from pathlib import Path

import numpy as np

from tinycerb.answers.responses import parse_response, response_text
from tinycerb.answers.responses.chain import Combined
from tinycerb.answers.responses.ntm import NoiseTransition
from tinycerb.answers.responses.response import Response
from tinycerb.config import Config
from tinycerb.conversion.fitted_responses.surrogate import surrogate_of
from tinycerb.conversion.fitted_responses.transition_matrix import learn_transitions
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.procedural import generate
from tinycerb.events import Report
from tinycerb.keras_models.legacy import keras

# Far from the seeds of training's own procedural images.
_SEED_OFFSET = 400_000
_IMAGES, _SURROGATE_EPOCHS, _AT_ONCE = 4000, 2, 500


def learned_response(
    text: str, folder: Path, config: Config, victim_name: str, dataset: Dataset, report: Report
) -> str:
    """Returns a response's text with everything in it that is learned: the matrix of `ntm,learned=true`.

    The thief's questions are unknown: the surrogate is distilled from the clean victim on procedural images, and its
    features are what the student sees.

    Args:
        text: the response as configured.
        folder: the trained victim's.
        config: the run's configuration.
        victim_name: one of its victims.
        dataset: the victim's data; only training images and labels are used.
        report: takes progress events.
    """
    response = parse_response(text)
    parts = list(response.parts) if isinstance(response, Combined) else [response]
    if not any(isinstance(part, NoiseTransition) and part.learned for part in parts):
        return text
    count = min(_IMAGES, len(dataset.train.images))
    own, labels = dataset.train.images[:count], dataset.train.labels[:count]
    asked = generate(config.out_of_distribution.families, _IMAGES, dataset.train.images, config.seed + _SEED_OFFSET)
    seed = config.seed + _SEED_OFFSET
    surrogate, posteriors, _ = surrogate_of(
        config, victim_name, dataset, folder, asked, _SURROGATE_EPOCHS, seed, report
    )
    features = keras.Model(surrogate.input, surrogate.layers[-1].input)
    seen = [_features_of(features, images) for images in (asked, own)]

    def fill_in(part: Response) -> Response:
        if not (isinstance(part, NoiseTransition) and part.learned):
            return part
        return part.with_matrix(learn_transitions(part.noise, seen[0], posteriors, seen[1], labels))

    return "+".join(response_text(fill_in(part)) for part in parts)


def _features_of(features: keras.Model, images: np.ndarray) -> np.ndarray:
    starts = range(0, len(images), _AT_ONCE)
    scaled = (images[start : start + _AT_ONCE].astype(np.float32) / 255 for start in starts)
    return np.concatenate([np.asarray(features(batch, training=False)) for batch in scaled])
