"""How much each channel of a group matters: criteria behind one signature. Imports no TensorFlow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.config import Config, VictimConfig
from tinycerb.registry import Registry


@dataclass(frozen=True)
class Filters:
    """What criteria look at: one layer that makes channels.

    Attributes:
        kernel: float64 [..., channels].
        scale: scale of the batch normalisation that directly follows, float64 [channels], or None without one.
        salience: sum over the steps since the last look of the squared first-order change of the loss if the
            channel were zero, float64 [channels].
    """

    kernel: np.ndarray
    scale: np.ndarray | None
    salience: np.ndarray


@dataclass(frozen=True)
class Criterion:
    """A pruning criterion.

    Attributes:
        score: to float64 [channels], larger is more important.
        wants_salience: whether gradients must be watched during training.
        wants_scale_penalty: whether training should press on the scales of batch normalisations, so that
            unimportant ones show.
    """

    score: Callable[[Filters], np.ndarray]
    wants_salience: bool = False
    wants_scale_penalty: bool = False


CRITERIA: Registry[Criterion] = Registry("pruning criterion")


def penalizes_scales(config: Config, victim: VictimConfig) -> bool:
    """Whether a victim's training presses on the scales of its batch normalisations from the start."""
    prunes_channels = victim.is_pruned and victim.pruning == "channels"
    return prunes_channels and CRITERIA[config.pruning.criterion].wants_scale_penalty


def importance(producers: Sequence[Filters], criterion: Criterion) -> np.ndarray:
    """Scores the channels of a group.

    Each producer's scores are normalised to length 1 before they are added, so that no layer of a residual
    stream outvotes the others by the size of its weights.

    Args:
        producers: the layers that make the group's channels, all of the same number of channels.
        criterion: how to score one of them.

    Returns:
        float64 [channels], larger is more important.
    """
    scores = [criterion.score(filters) for filters in producers]
    return np.sum([score / (np.linalg.norm(score) + 1e-12) for score in scores], axis=0)


def filter_l1(filters: Filters) -> np.ndarray:
    """Sum of the absolute weights of each filter (Li et al., ICLR 2017)."""
    return _over_filters(np.abs(filters.kernel))


def filter_l2(filters: Filters) -> np.ndarray:
    """L2 norm of each filter."""
    return np.sqrt(_over_filters(np.square(filters.kernel)))


def filter_l2_times_scale(filters: Filters) -> np.ndarray:
    """L2 norm of each filter times the scale of the batch normalisation behind it."""
    return filter_l2(filters) * (1.0 if filters.scale is None else np.abs(filters.scale))


def norm_scale(filters: Filters) -> np.ndarray:
    """Scale of the batch normalisation behind each filter (network slimming, Liu et al., ICCV 2017).

    Layers without one are scored by the L2 norm of their filters.
    """
    return filter_l2(filters) if filters.scale is None else np.abs(filters.scale)


def taylor(filters: Filters) -> np.ndarray:
    """First-order Taylor expansion of the loss (Molchanov et al., CVPR 2019, equation 8), summed over steps."""
    return filters.salience


def _over_filters(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[-1]).sum(axis=0)


CRITERIA.register("l1")(Criterion(filter_l1))
CRITERIA.register("l2_scale")(Criterion(filter_l2_times_scale))
CRITERIA.register("norm_scale")(Criterion(norm_scale, wants_scale_penalty=True))
CRITERIA.register("taylor")(Criterion(taylor, wants_salience=True))
