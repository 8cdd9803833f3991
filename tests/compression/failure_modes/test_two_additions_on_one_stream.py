"""A stream with two additions is still one group, however long it gets."""

from tests.compression.pruned import L, functional, largest_difference, prune


def two_additions(x):
    x = L.Conv2D(12, 1, name="a")(x)
    x = L.Add()([x, L.BatchNormalization()(L.Conv2D(12, 3, padding="same", name="b")(x))])
    x = L.ReLU()(x)
    return L.Add()([x, L.Conv2D(12, 1, name="c")(L.Conv2D(20, 1, name="apart")(x))])


def test_three_producers_one_group() -> None:
    pruned = prune(functional(two_additions))
    assert pruned.group_of("a").producers == ("a", "b", "c")
    assert pruned.group_of("apart").producers == ("apart",)


def test_surgery_is_exact() -> None:
    assert largest_difference(prune(functional(two_additions), ratio=0.3)) == 0.0


def test_an_addition_of_the_image_protects_the_stream() -> None:
    pruned = prune(functional(lambda x: L.Conv2D(8, 1, name="free")(L.Add()([x, L.Conv2D(3, 1, name="held")(x)]))))
    assert [group.producers for group in pruned.groups] == [("free",)]
    assert largest_difference(pruned) == 0.0
