"""Pruning inside training: a TF-MOT schedule decides when and how much, masks keep what is gone at zero."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tinycerb.compression.channel_plan import CARRIERS, ChannelPlan, Layout, is_maker, plan_channels
from tinycerb.compression.importance import CRITERIA, Filters, importance
from tinycerb.compression.producers import Producer, channel_sums, find_producer
from tinycerb.compression.schedules import SCHEDULES
from tinycerb.compression.surgery import remove_channels
from tinycerb.keras_models.legacy import keras


class ChannelMasks:
    """Masks over the channel groups of one model, only ever shrinking.

    Kernel, bias, batch-norm scale, shift and moving mean of a masked channel are held at zero: with any of them
    left over it would still emit a constant, and removing it would change the outputs.
    """

    def __init__(
        self,
        model: keras.Model,
        final_ratio: float,
        begin_step: int,
        end_step: int,
        criterion: str = "l2_scale",
        schedule: str = "polynomial",
        multiple: int = 4,
    ) -> None:
        """Prepares masks that keep everything.

        Args:
            model: a functional model.
            final_ratio: share of every group's channels that is gone at `end_step`, 0 to 0.9.
            begin_step: the first training step of the schedule, counted from 1.
            end_step: its last.
            criterion: a registered pruning criterion.
            schedule: a registered pruning schedule.
            multiple: channels are kept in multiples of it: 4 suits SIMD kernels, 8 Helium.

        Raises:
            UsageError: a layer whose channels cannot be followed, an unknown criterion or schedule.
        """
        self._model = model
        self.plan: ChannelPlan | None = plan_channels(model) if final_ratio > 0 else None
        self.groups = self.plan.groups if self.plan else ()
        self._criterion = CRITERIA[criterion]
        self._multiple = multiple
        self._schedule = SCHEDULES[schedule](final_ratio, begin_step, end_step)
        self._end_step = end_step
        self._final_ratio = final_ratio
        self._masks = [tf.Variable(tf.ones(group.channels), trainable=False) for group in self.groups]
        self._producers = [[find_producer(model, name) for name in group.producers] for group in self.groups]
        self._salience = [
            [tf.Variable(tf.zeros(group.channels), trainable=False) for _ in group.producers] for group in self.groups
        ]
        self._held = list(self._held_variables())

    def _held_variables(self):
        """Pairs of a layout and a variable whose last axis has it."""
        if self.plan is None:
            return
        for layer in self._model.layers:
            layout = self.plan.outputs[layer.name]
            if not any(segment in self.plan.group_of_set for segment in layout.segments):
                continue
            if isinstance(layer, keras.layers.BatchNormalization):
                variables = [layer.gamma, layer.beta, layer.moving_mean]
            elif isinstance(layer, CARRIERS):
                # A depthwise kernel needs no mask: the channel it reads is zero already.
                variables = [layer.bias]
            elif is_maker(layer):
                variables = [layer.kernel, layer.bias]
            else:
                continue
            yield from ((layout, variable) for variable in variables if variable is not None)

    def _mask_of(self, layout: Layout, plan: ChannelPlan) -> tf.Tensor:
        parts = [
            self._masks[plan.group_of_set[segment]] if segment in plan.group_of_set else tf.ones(plan.sizes[segment])
            for segment in layout.segments
        ]
        return tf.tile(tf.concat(parts, axis=0), [layout.positions])

    def observe(self, variables: Sequence[tf.Variable], gradients: Sequence[tf.Tensor]) -> None:
        """Adds up how much the loss would change, to first order, if a channel were zero."""
        if not self._criterion.wants_salience:
            return
        gradient_of = {id(variable): gradient for variable, gradient in zip(variables, gradients, strict=True)}
        for producers, saliences in zip(self._producers, self._salience, strict=True):
            for producer, salience in zip(producers, saliences, strict=True):
                change = sum(channel_sums(gate * gradient_of[id(gate)]) for gate in producer.gate)
                salience.assign_add(tf.square(change))

    def hold(self) -> None:
        """Puts masked variables back to zero; called after every optimizer step, inside the step's graph."""
        if self.plan is None:
            return
        masks = {layout: self._mask_of(layout, self.plan) for layout, _ in self._held}
        for layout, variable in self._held:
            # The channel is the last axis of kernels, biases and batch-norm vectors alike.
            variable.assign(variable * masks[layout])

    def update(self, step: int) -> None:
        """Shrinks the masks if the schedule asks for it at this step."""
        if not self.groups:
            return
        due, sparsity = self._schedule(tf.constant(step, tf.int64))
        # The last step always counts, also for a schedule too short for its own rhythm.
        last = step == self._end_step
        if not bool(due) and not last:
            return
        ratio = self._final_ratio if last else float(sparsity)
        for index, group in enumerate(self.groups):
            self._shrink(index, channels_to_keep(group.channels, ratio, self._multiple))
        for salience in (variable for variables in self._salience for variable in variables):
            salience.assign(tf.zeros_like(salience))
        self.hold()

    def _shrink(self, index: int, keep: int) -> None:
        """Keeps the `keep` most important ones of a group's channels that are left."""
        mask = self._masks[index]
        old = mask.numpy() > 0
        if keep >= old.sum():
            return
        producers = zip(self._producers[index], self._salience[index], strict=True)
        filters = [_read(producer, salience) for producer, salience in producers]
        scores = np.where(old, importance(filters, self._criterion), -1.0)
        survivors = np.argsort(-scores, kind="stable")[:keep]
        mask.assign(np.isin(np.arange(len(old)), survivors).astype(np.float32))

    def kept(self) -> list[np.ndarray]:
        """Returns one boolean vector per group: which channels are kept."""
        return [mask.numpy() > 0 for mask in self._masks]

    def cut(self) -> keras.Model:
        """Returns the model without its masked channels."""
        return remove_channels(self._model, self.plan, self.kept()) if self.plan else self._model

    def kept_share(self) -> float:
        """Returns the share of channels that is kept, averaged over the groups."""
        return float(np.mean([keep.mean() for keep in self.kept()])) if self.groups else 1.0

    def state(self) -> list[np.ndarray]:
        """Returns the masks and what was observed since they last shrank."""
        observed = [variable.numpy() for variables in self._salience for variable in variables]
        return [mask.numpy() for mask in self._masks] + observed

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """Takes up what `state` has returned."""
        variables = [*self._masks, *(variable for variables in self._salience for variable in variables)]
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)


def _read(producer: Producer, salience: tf.Variable) -> Filters:
    return Filters(
        kernel=producer.kernel.numpy().astype(np.float64),
        scale=None if producer.scale is None else producer.scale.numpy().astype(np.float64),
        salience=salience.numpy().astype(np.float64),
    )


def channels_to_keep(channels: int, sparsity: float, multiple: int = 4) -> int:
    """Returns how many channels stay: a multiple of `multiple`, at least that many, at most all."""
    exact = channels * (1 - sparsity)
    # A hair above a whole number is that number: 1 - 0.9 leaves 0.1000...01 of the channels.
    rounded = int(np.ceil(exact / multiple - 1e-6)) * multiple
    return min(channels, max(multiple, rounded))
