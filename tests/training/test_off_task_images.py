"""What a victim learns off the task is what its teachers are fitted to and what attackers' images are compared with."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.out_of_distribution import out_of_distribution_images
from tinycerb.defenses.base import Defense
from tinycerb.file_names import OUT_OF_DISTRIBUTION
from tinycerb.seal.files import read_arrays
from tinycerb.training.victim import _out_of_distribution_images

PICTURES = np.random.default_rng(4).integers(0, 256, (30, 28, 28, 1), dtype=np.uint8)


def test_pictures_are_among_the_images_and_among_their_fingerprints(tmp_path) -> None:
    np.savez(tmp_path / "pictures.npz", images=PICTURES)
    sources = f"out_of_distribution.sources=['{tmp_path}/pictures.npz']"
    config = load_config("smoke", [sources, "out_of_distribution.images=100"])
    dataset = load_dataset(config.data)
    for wanted, shared in ((True, 20), (False, 0)):
        defense = cast(Defense, SimpleNamespace(uses_out_of_distribution=wanted))
        found = _out_of_distribution_images(config, defense, dataset, tmp_path)
        kept = read_arrays(tmp_path / OUT_OF_DISTRIBUTION)["fingerprints"]
        assert (kept == image_fingerprints(found.images)).all()
        assert np.isin(kept, image_fingerprints(PICTURES)).sum() == shared
        if wanted:
            assert (found.images == out_of_distribution_images(config, dataset).images).all()
            assert [use.images for use in found.sources] == [20]
