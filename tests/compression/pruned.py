"""A pruned model beside its cut one, compared where rounding cannot hide anything."""

from dataclasses import dataclass

import numpy as np

from tinycerb.compression.channel_plan import ChannelGroup
from tinycerb.compression.masks import ChannelMasks
from tinycerb.keras_models.legacy import keras

L = keras.layers


@dataclass(frozen=True)
class Pruned:
    """What pruning has made of a model."""

    masked: keras.Model
    slim: keras.Model
    groups: tuple[ChannelGroup, ...]
    kept: list[int]

    def group_of(self, producer: str) -> ChannelGroup:
        (found,) = (group for group in self.groups if producer in group.producers)
        return found


def disturb(model: keras.Model) -> None:
    """As if trained: biases and batch norms away from their initial ones and zeros."""
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(np.float32) for w in layer.get_weights()])
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.uniform(-0.5, 0.5, layer.bias.shape).astype(np.float32))


def functional(build, shape: tuple[int, int, int] = (8, 8, 3), seed: int = 1) -> keras.Model:
    """Builds a network of two heads on what `build` makes of an image."""
    keras.utils.set_random_seed(seed)
    image = L.Input(shape, name="image")
    x = build(image)
    if len(x.shape) > 2:
        x = L.GlobalAveragePooling2D(name="features")(x)
    model = keras.Model(image, [L.Dense(3, name=f"head_{index}")(x) for index in range(2)])
    disturb(model)
    return model


def prune(model: keras.Model, ratio: float = 0.5, multiple: int = 4) -> Pruned:
    """Masks and cuts."""
    masks = ChannelMasks(model, ratio, 1, 2, multiple=multiple)
    masks.update(2)
    slim = masks.cut()
    return Pruned(model, slim, masks.groups, [int(keep.sum()) for keep in masks.kept()])


def largest_difference(pruned: Pruned, images: int = 8) -> float:
    """Largest difference of any logit of the masked and the cut model, in float32.

    Sums are carried in double precision: in single precision, the order in which a library adds up, and with it the
    last bit, depends on how many zeros stand between the summands.
    """
    shape = pruned.masked.input_shape[1:]
    batch = np.random.default_rng(0).random((images, *shape))
    masked, slim = (np.stack(in_double(model)(batch)) for model in (pruned.masked, pruned.slim))
    assert np.abs(masked).max() > 0.01, "a network without outputs shows nothing"
    return float(np.abs(masked.astype(np.float32) - slim.astype(np.float32)).max())


def in_double(model: keras.Model) -> keras.Model:
    """The same model with the same weights, computed in float64."""

    def doubled(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    image = L.Input(model.input_shape[1:], dtype="float64")
    twin = keras.models.clone_model(model, input_tensors=image, clone_function=doubled)
    twin.set_weights(model.get_weights())
    return twin
