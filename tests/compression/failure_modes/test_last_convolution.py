"""The last convolution is read by every head, and is cut like any other; the heads' logits never are."""

from tests.compression.pruned import L, functional, largest_difference, prune


def last(x):
    return L.ReLU()(L.BatchNormalization()(L.Conv2D(32, 3, padding="same", name="last")(x)))


def test_all_heads_lose_the_same_rows() -> None:
    pruned = prune(functional(last))
    assert pruned.group_of("last").consumers == ("head_0", "head_1")
    for name in ("head_0", "head_1"):
        assert pruned.slim.get_layer(name).get_weights()[0].shape == (16, 3)
    assert largest_difference(pruned) == 0.0


def test_a_flatten_in_between_costs_the_heads_a_row_per_position() -> None:
    pruned = prune(functional(lambda x: L.Flatten()(last(x))))
    assert pruned.slim.get_layer("head_0").get_weights()[0].shape == (16 * 64, 3)
    assert largest_difference(pruned) == 0.0
