"""How well an undefended network tells a pool from its task, before anything is defended.

What it takes for the task's own it answers honestly, whatever it was taught elsewhere: a pool that is not told from the
task cannot be misdirected. Two scores tell them apart, each as the area under the ROC curve (AUROC: 0.5 nothing, 1
wholly): the largest posterior (Hendrycks and Gimpel, ICLR 2017) and the relative Mahalanobis distance of the features
that the last layer reads (Ren et al., 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from tinycerb.bench.accuracy import labels_of
from tinycerb.datasets.images import Dataset
from tinycerb.errors import UsageError
from tinycerb.reports.metrics import Separation
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.last_features import Readings, read_features
from tinycerb.runtimes.model_artifact import ModelArtifact

# Enough for AUROCs with a standard error below .02; a minute on one core for networks of this size.
FITTED_IMAGES, SCORED_IMAGES = 3000, 1000
# Far from all other seeds of a run.
_SEED = 810_000
# Share of the features' mean variance that is added to each: fewer images than features must not divide by nothing.
_SHRINKAGE = 0.01
# Covariances of more features than this are fitted to noise, and their inverses take minutes.
_MOST_FEATURES = 512


@dataclass(frozen=True)
class KnownTask:
    """A network and what it makes of images of its own task.

    Attributes:
        artifact: the undefended file.
        means: of the features of each class, float64 [classes, features].
        within: inverse covariance of features around their class's mean.
        mean: of all features.
        around: inverse covariance around that.
        confidence: of the test images, float64 [N].
        typicality: likewise; minus the relative Mahalanobis distance.
    """

    artifact: ModelArtifact
    means: np.ndarray
    within: np.ndarray
    mean: np.ndarray
    around: np.ndarray
    confidence: np.ndarray
    typicality: np.ndarray


def know_task(artifact: ModelArtifact, dataset: Dataset) -> KnownTask:
    """Reads the network on training images, to know its classes, and on test images, to compare a pool with.

    Raises:
        UsageError: the network does not take such images, or does not tell such classes apart.
        EnvironmentProblem: no runtime is installed.
    """
    if artifact.image_shape != dataset.image_shape or artifact.classes != dataset.classes:
        raise UsageError(
            f"the model takes images of {artifact.image_shape} and tells {artifact.classes} classes apart, the data "
            f"have {dataset.image_shape} and {dataset.classes}; give the data that it was trained with"
        )
    rng = np.random.default_rng(_SEED)
    chosen = rng.permutation(len(dataset.train.images))[:FITTED_IMAGES]
    fitted = fewer_features(read_features(artifact, dataset.train.images[chosen]).features)
    labels = dataset.train.labels[chosen]
    mean = fitted.mean(axis=0)
    # A class without an image here lies nowhere near.
    known = np.unique(labels)
    means = np.stack([fitted[labels == label].mean(axis=0) for label in known])
    centred = fitted - means[np.searchsorted(known, labels)]
    within, around = _inverse_covariance(centred), _inverse_covariance(fitted - mean)
    test = read_features(artifact, _sample(dataset.test.images, rng))
    typicality = _typicality(fewer_features(test.features), means, within, mean, around)
    return KnownTask(artifact, means, within, mean, around, _confidence(test), typicality)


def measure_separation(task: KnownTask, pool: np.ndarray) -> Separation:
    """Measures how well the network tells a pool's images from the task's.

    Args:
        task: from `know_task`.
        pool: the attacker's images, uint8 [N, height, width, channels]; 1,000 of them are looked at.
    """
    readings = read_features(task.artifact, _sample(pool, np.random.default_rng(_SEED + 1)))
    features = fewer_features(readings.features)
    typicality = _typicality(features, task.means, task.within, task.mean, task.around)
    return {
        "images": len(readings.logits),
        "auroc_confidence": round(auroc(task.confidence, _confidence(readings)), 4),
        "auroc_features": round(auroc(task.typicality, typicality), 4),
    }


def fewer_features(features: np.ndarray) -> np.ndarray:
    """Projects many features at random onto 512, which nearly keeps distances (Johnson and Lindenstrauss, 1984).

    Args:
        features: float64 [N, features].

    Returns:
        float64 [N, 512]; up to 512 features as they are. The projection is always the same.
    """
    count = features.shape[1]
    if count <= _MOST_FEATURES:
        return features
    projection = np.random.default_rng(_SEED + 2).normal(size=(count, _MOST_FEATURES))
    return features @ projection / np.sqrt(_MOST_FEATURES)


def share_of_equal_labels(
    undefended: ModelArtifact, defended: Mapping[str, ModelArtifact], pool: np.ndarray
) -> dict[str, float]:
    """Returns on what share of a pool each defended file gives the undefended one's label, by name.

    Of heads that answer alone, the mean over all of them. The images are those of `measure_separation`.
    """
    images = _sample(pool, np.random.default_rng(_SEED + 1))
    truth = labels_of(open_fastest(undefended), images)[:, :1]
    found = {name: labels_of(open_fastest(artifact), images) for name, artifact in defended.items()}
    return {name: float((labels == truth).mean()) for name, labels in found.items()}


def auroc(own: np.ndarray, foreign: np.ndarray) -> float:
    """Returns how often one of `own` scores above one of `foreign`, ties counted half."""
    ranks = rankdata(np.concatenate([own, foreign]))
    above = ranks[: len(own)].sum() - len(own) * (len(own) + 1) / 2
    return float(above / (len(own) * len(foreign)))


def _sample(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images[rng.permutation(len(images))[:SCORED_IMAGES]]


def _confidence(readings: Readings) -> np.ndarray:
    """Logarithm of the largest posterior."""
    shifted = readings.logits - readings.logits.max(axis=1, keepdims=True)
    return -np.log(np.exp(shifted).sum(axis=1))


def _inverse_covariance(centred: np.ndarray) -> np.ndarray:
    covariance = centred.T @ centred / len(centred)
    size = len(covariance)
    return np.linalg.inv(covariance + (_SHRINKAGE * np.trace(covariance) / size + 1e-9) * np.eye(size))


def _typicality(
    features: np.ndarray, means: np.ndarray, within: np.ndarray, mean: np.ndarray, around: np.ndarray
) -> np.ndarray:
    nearest = np.min([_distance(features - centre, within) for centre in means], axis=0)
    return _distance(features - mean, around) - nearest


def _distance(differences: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", differences @ inverse, differences)
