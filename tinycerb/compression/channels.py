"""Structured pruning: channels are masked inside training, then cut out."""

from tinycerb.compression.masks import ChannelMasks
from tinycerb.compression.pruner import NothingPruned, Pruner
from tinycerb.config import PruningConfig
from tinycerb.keras_models.legacy import keras


class ChannelPruning:
    """See `PruningMethod`."""

    keeps_zeros = False

    def __init__(self, model: keras.Model, ratio: float, begin_step: int, end_step: int, config: PruningConfig) -> None:
        """Plans the model's channels and prepares masks; errors as `ChannelMasks`."""
        self.model = model
        self._masks = ChannelMasks(
            model,
            ratio,
            begin_step=begin_step,
            end_step=end_step,
            criterion=config.criterion,
            schedule=config.schedule,
            multiple=config.multiple,
        )
        self.pruner: Pruner = self._masks

    def recovering(self) -> tuple[keras.Model, Pruner]:
        """Returns the model without its masked channels; there is nothing left to hold."""
        masks = self._masks
        return masks.cut(), NothingPruned(masks.kept_share(), masks.state())

    def finished(self, recovered: keras.Model) -> keras.Model:
        """Returns the model as it is."""
        return recovered

    def facts(self) -> dict[str, object]:
        """Returns the channel groups and how many channels each has kept."""
        return {
            "channel_groups": [
                {"producers": list(group.producers), "channels": group.channels, "kept": int(keep.sum())}
                for group, keep in zip(self._masks.groups, self._masks.kept(), strict=True)
            ]
        }
