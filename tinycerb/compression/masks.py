"""Pruning inside training: a TF-MOT schedule decides when and how much, masks keep what is gone at zero."""

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot

from keras_models.legacy import keras, named_layer
from tinycerb.compression.groups import ChannelGroup, find_groups
from tinycerb.compression.importance import weight_and_scale

_CHANNEL_MULTIPLE = 4
_UPDATE_EVERY_STEPS = 16


class ChannelMasks:
    """Masks over the channel groups of one model, only ever shrinking.

    Kernel, bias, and both batch-norm vectors of a masked channel are held at zero: with a shift left over it
    would still emit a constant, and removing it would change the outputs.
    """

    def __init__(self, model: keras.Model, final_ratio: float, begin_step: int, end_step: int) -> None:
        """Prepares masks that keep everything.

        Args:
            model: a functional model.
            final_ratio: share of every group's channels that is gone at `end_step`, 0 to 0.9.
            begin_step: the first training step of the schedule, counted from 1.
            end_step: its last.
        """
        self._model = model
        self.groups: tuple[ChannelGroup, ...] = find_groups(model) if final_ratio > 0 else ()
        self._schedule = tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=final_ratio,
            begin_step=begin_step,
            end_step=max(end_step, begin_step + 1),
            frequency=_UPDATE_EVERY_STEPS,
        )
        self._end_step = end_step
        self._final_ratio = final_ratio
        self._masks = [tf.Variable(tf.ones(group.channels), trainable=False) for group in self.groups]
        self._held = [
            (variable, mask)
            for group, mask in zip(self.groups, self._masks, strict=True)
            for variable in self._masked_variables(group)
        ]

    def _masked_variables(self, group: ChannelGroup) -> list[tf.Variable]:
        variables = []
        for name in (*group.producers, *group.followers):
            layer = named_layer(self._model, name)
            if isinstance(layer, keras.layers.BatchNormalization):
                variables += [v for v in (layer.gamma, layer.beta) if v is not None]
            elif isinstance(layer, keras.layers.DepthwiseConv2D):
                # Its kernel needs no mask: the channel it reads is zero already.
                variables += [layer.bias] if layer.use_bias else []
            else:
                variables += [layer.kernel] + ([layer.bias] if layer.use_bias else [])
        return variables

    def hold(self) -> None:
        """Puts masked variables back to zero; called after every optimizer step, inside the step's graph."""
        for variable, mask in self._held:
            # The channel is the last axis of kernels, biases and batch-norm vectors alike.
            variable.assign(variable * mask)

    def update(self, step: int) -> bool:
        """Shrinks the masks if the schedule asks for it at this step; returns whether it did."""
        if not self.groups:
            return False
        due, sparsity = self._schedule(tf.constant(step, tf.int64))
        # The last step always counts, also for a schedule too short for its own rhythm.
        last = step == self._end_step
        if not bool(due) and not last:
            return False
        for group, mask in zip(self.groups, self._masks, strict=True):
            old = mask.numpy() > 0
            keep = channels_to_keep(group.channels, self._final_ratio if last else float(sparsity))
            if keep < old.sum():
                importance = np.where(old, weight_and_scale(self._model, group), -1.0)
                survivors = np.argsort(-importance, kind="stable")[:keep]
                mask.assign(np.isin(np.arange(group.channels), survivors).astype(np.float32))
        self.hold()
        return True

    def kept(self) -> list[np.ndarray]:
        """Returns one boolean vector per group: which channels are kept."""
        return [mask.numpy() > 0 for mask in self._masks]

    def restore(self, kept: list[np.ndarray]) -> None:
        """Sets the masks, as `kept` has returned them."""
        for mask, keep in zip(self._masks, kept, strict=True):
            mask.assign(keep.astype(np.float32))


def channels_to_keep(channels: int, sparsity: float) -> int:
    """Returns how many channels stay: at least 4, and a multiple of 4 as int8 kernels like them."""
    exact = channels * (1 - sparsity)
    # A hair below a whole number is that number: 1 - 0.9 leaves 0.0999... of the channels.
    rounded = int(np.ceil(exact / _CHANNEL_MULTIPLE - 1e-6)) * _CHANNEL_MULTIPLE
    return min(channels, max(_CHANNEL_MULTIPLE, rounded))
