"""Which channels must go together, one failure mode of pruners after the other."""

import pytest

from tinycerb.compression.channel_plan import plan_channels
from tinycerb.errors import UsageError
from tinycerb.keras_models import build_backbone
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.multi_head import attach_heads

L = keras.layers


def functional(build) -> keras.Model:
    image = L.Input((8, 8, 3), name="image")
    return keras.Model(image, build(image))


def test_demo_net() -> None:
    model = attach_heads(build_backbone("demo_net", (28, 28, 1), 1.0), classes=10, heads=3)
    groups = {group.producers: group for group in plan_channels(model).groups}
    assert set(groups) == {
        ("stem",),
        ("block1_pointwise", "block2_pointwise"),
        ("block3_pointwise",),
        ("block4",),
        ("block5_pointwise",),
    }
    stream = groups[("block1_pointwise", "block2_pointwise")]
    assert stream.channels == 32
    # Both depthwise layers on the residual stream lose what the stream loses.
    assert {"block2_depthwise", "block3_depthwise"} <= set(stream.followers)
    assert set(stream.consumers) == {"block2_pointwise", "block3_pointwise"}
    assert set(groups[("block5_pointwise",)].consumers) == {"head_0", "head_1", "head_2"}


def test_a_layer_that_cannot_be_followed_is_named() -> None:
    def build(x):
        return L.Dense(2)(L.Flatten()(L.Reshape((4, 64), name="odd")(L.Conv2D(4, 1)(x))))

    with pytest.raises(UsageError, match="'odd' is a Reshape"):
        plan_channels(functional(build))


def test_a_transposed_convolution_is_named() -> None:
    def build(x):
        return L.Dense(2)(L.GlobalAveragePooling2D()(L.Conv2DTranspose(4, 3, name="up")(L.Conv2D(8, 1)(x))))

    with pytest.raises(UsageError, match="'up' is a Conv2DTranspose"):
        plan_channels(functional(build))


def test_a_depth_multiplier_is_named() -> None:
    def build(x):
        x = L.DepthwiseConv2D(3, depth_multiplier=2, name="wide")(L.Conv2D(4, 1)(x))
        return L.Dense(2)(L.GlobalAveragePooling2D()(x))

    with pytest.raises(UsageError, match="'wide' has depth_multiplier 2; allowed: 1"):
        plan_channels(functional(build))


def test_a_sigmoid_protects_its_channels() -> None:
    """A channel of zeros comes out of it as a constant, which the next layer would miss."""

    def build(x):
        x = L.Conv2D(8, 1, name="squashed")(x)
        x = L.Conv2D(8, 1, name="free")(L.Activation("sigmoid")(x))
        return L.Dense(2)(L.GlobalAveragePooling2D()(x))

    (group,) = plan_channels(functional(build)).groups
    assert group.producers == ("free",)


def test_an_addition_of_unlike_segments_protects_all_of_them() -> None:
    def build(x):
        left = L.Concatenate()([L.Conv2D(4, 1)(x), L.Conv2D(4, 1)(x)])
        x = L.Add()([left, L.Conv2D(8, 1)(x)])
        return L.Dense(2)(L.GlobalAveragePooling2D()(L.Conv2D(8, 1, name="free")(x)))

    (group,) = plan_channels(functional(build)).groups
    assert group.producers == ("free",)
