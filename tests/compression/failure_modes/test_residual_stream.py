"""Everything on a residual stream loses the same channels."""

from tests.compression.pruned import L, functional, largest_difference, prune


def residual(x):
    x = L.BatchNormalization()(L.Conv2D(16, 3, padding="same", name="stem")(x))
    inner = L.ReLU()(L.BatchNormalization()(L.Conv2D(24, 3, padding="same", name="inner")(x)))
    return L.ReLU()(L.Add()([x, L.BatchNormalization()(L.Conv2D(16, 1, name="back")(inner))]))


def test_both_ends_of_the_stream_are_one_group() -> None:
    pruned = prune(functional(residual))
    assert pruned.group_of("stem").producers == ("stem", "back")
    assert pruned.group_of("inner").producers == ("inner",)


def test_surgery_is_exact() -> None:
    pruned = prune(functional(residual))
    assert pruned.kept == [8, 12]
    assert largest_difference(pruned) == 0.0
