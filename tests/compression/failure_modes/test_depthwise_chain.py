"""Depthwise layers have no channels of their own: they lose those of the convolution before them, all along a chain."""

from tests.compression.pruned import L, functional, largest_difference, prune


def chain(x):
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 3, padding="same", name="stem")(x)))
    for index in range(3):
        x = L.DepthwiseConv2D(3, padding="same", name=f"depthwise_{index}", bias_initializer="ones")(x)
        x = L.ReLU()(L.BatchNormalization(name=f"norm_{index}")(x))
    return L.Conv2D(8, 1, name="last")(x)


def test_all_followers_lose_what_the_stem_loses() -> None:
    pruned = prune(functional(chain))
    followers = pruned.group_of("stem").followers
    assert {"depthwise_0", "depthwise_1", "depthwise_2", "norm_0", "norm_1", "norm_2"} <= set(followers)
    assert pruned.slim.get_layer("depthwise_2").get_weights()[0].shape == (3, 3, 8, 1)


def test_biases_and_shifts_on_the_way_leave_no_constant() -> None:
    assert largest_difference(prune(functional(chain))) == 0.0
