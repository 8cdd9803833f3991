"""The images on which post-training quantization measures ranges, and the manifest that says which they were."""

from dataclasses import dataclass

import numpy as np

from tinycerb.config import Config
from tinycerb.datasets.images import Dataset, digest_arrays
from tinycerb.datasets.procedural import generate
from tinycerb.errors import UsageError
from tinycerb.runtimes.model_card import CalibrationManifest

# Far from the seeds of training and of measurements.
_SEED_OFFSET = 700_000


@dataclass(frozen=True)
class Calibration:
    """A calibration set.

    Attributes:
        images: uint8 [N, height, width, channels].
        manifest: where each of them came from.
    """

    images: np.ndarray
    manifest: CalibrationManifest


def choose_calibration(config: Config, dataset: Dataset) -> Calibration:
    """Draws calibration images from the TRAINING split, and procedural ones beside them if the configuration says so.

    Raises:
        UsageError: there are fewer training images than asked for.
    """
    wanted = config.quantization
    other_count = round(wanted.calibration_images * wanted.out_of_distribution_share)
    count = wanted.calibration_images - other_count
    available = len(dataset.train.images)
    if count > available:
        raise UsageError(
            f"quantization.calibration_images asks for {count} training images; allowed: up to {available}"
        )
    rng = np.random.default_rng([config.seed, _SEED_OFFSET])
    indices = np.sort(rng.choice(available, count, replace=False))
    families = config.out_of_distribution.families if other_count else ()
    images = dataset.train.images[indices]
    if other_count:
        other = generate(families, other_count, dataset.train.images, config.seed + _SEED_OFFSET)
        images = np.concatenate([images, other])
    histogram = np.bincount(dataset.train.labels[indices], minlength=dataset.classes)
    return Calibration(
        images,
        CalibrationManifest(
            split="train",
            indices=tuple(indices.tolist()),
            class_histogram=tuple(histogram.tolist()),
            in_distribution_images=count,
            out_of_distribution_images=other_count,
            out_of_distribution_families=tuple(families),
            sha256=digest_arrays(images),
        ),
    )
