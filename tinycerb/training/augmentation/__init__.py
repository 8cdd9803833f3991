"""Augmentations of training images, one file for each kind of data."""

from tinycerb.training.augmentation import handling, pictures, spectrograms  # noqa: F401  (they register themselves)
from tinycerb.training.augmentation.base import AUGMENTATIONS, Augmentation, check_reach
from tinycerb.training.augmentation.chain import augment, parse_augmentation

__all__ = ["AUGMENTATIONS", "Augmentation", "augment", "check_reach", "parse_augmentation"]
