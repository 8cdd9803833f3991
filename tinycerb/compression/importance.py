"""How much each channel of a group matters: criteria behind one signature.

Keras is imported where weights are read: the criteria's names are wanted without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycerb.registry import Registry

if TYPE_CHECKING:
    from keras_models.legacy import keras
    from tinycerb.compression.channel_plan import ChannelGroup

# (model, name of a producer) -> float64 [channels], larger is more important
Criterion = Callable[["keras.Model", str], np.ndarray]
CRITERIA: Registry[Criterion] = Registry("pruning criterion")


def importance(model: keras.Model, group: ChannelGroup, criterion: str) -> np.ndarray:
    """Scores the channels of a group.

    Each producer's scores are normalised to length 1 before they are added, so that no layer of a residual
    stream outvotes the others by the size of its weights.

    Args:
        model: the model.
        group: one of its channel groups.
        criterion: a registered criterion.

    Returns:
        float64 [channels], larger is more important.

    Raises:
        UsageError: unknown criterion.
    """
    total = np.zeros(group.channels)
    for name in group.producers:
        scores = CRITERIA[criterion](model, name)
        total += scores / (np.linalg.norm(scores) + 1e-12)
    return total


@CRITERIA.register("l1")
def filter_l1(model: keras.Model, name: str) -> np.ndarray:
    """Sum of the absolute weights of each filter (Li et al., ICLR 2017)."""
    return _over_filters(np.abs, model, name)


@CRITERIA.register("l2_scale")
def filter_l2_times_scale(model: keras.Model, name: str) -> np.ndarray:
    """L2 norm of each filter times the scale of the batch normalisation behind it."""
    return np.sqrt(_over_filters(np.square, model, name)) * np.abs(_norm_scale(model, name))


@CRITERIA.register("norm_scale")
def norm_scale(model: keras.Model, name: str) -> np.ndarray:
    """Scale of the batch normalisation behind each filter (network slimming, Liu et al., ICCV 2017).

    Layers without one are scored by the L2 norm of their filters.
    """
    scale = _norm_scale(model, name)
    return np.sqrt(_over_filters(np.square, model, name)) if isinstance(scale, float) else np.abs(scale)


def _over_filters(function: Callable[[np.ndarray], np.ndarray], model: keras.Model, name: str) -> np.ndarray:
    from keras_models.legacy import named_layer

    kernel = named_layer(model, name).kernel.numpy().astype(np.float64)
    return function(kernel).reshape(-1, kernel.shape[-1]).sum(axis=0)


def _norm_scale(model: keras.Model, name: str) -> np.ndarray | float:
    """The scale of the batch normalisation that directly follows a layer, or 1 without one."""
    from keras_models.legacy import keras, named_layer

    followers: list[Any] = [node.layer for node in named_layer(model, name).outbound_nodes]
    for layer in followers:
        if isinstance(layer, keras.layers.BatchNormalization) and layer.scale:
            return np.asarray(layer.gamma, np.float64)
    return 1.0
