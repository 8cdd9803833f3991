"""Behind a concatenation every part keeps its own place in the channels."""

import numpy as np

from tests.compression.pruned import L, functional, largest_difference, prune
from tinycerb.compression.channel_plan import plan_channels


def branches(x):
    left = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", name="left")(x)))
    right = L.Conv2D(12, 1, name="right")(x)
    both = L.Concatenate(name="both")([left, right, left])
    return L.Conv2D(16, 1, name="reader")(L.BatchNormalization(name="norm")(both))


def test_each_branch_is_cut_by_itself_and_the_reader_follows() -> None:
    pruned = prune(functional(branches))
    assert pruned.group_of("left").consumers == ("reader",)
    assert pruned.slim.get_layer("reader").get_weights()[0].shape == (1, 1, 4 + 8 + 4, 8)
    assert pruned.slim.get_layer("norm").get_weights()[0].shape == (16,)
    assert largest_difference(pruned) == 0.0


def test_a_flatten_behind_it_repeats_the_offsets_per_position() -> None:
    pruned = prune(functional(lambda x: L.Flatten()(L.MaxPooling2D(4)(branches(x)))))
    assert largest_difference(pruned) == 0.0


def test_the_mask_of_a_concatenation_lines_up() -> None:
    plan = plan_channels(functional(branches))
    kept = [np.arange(group.channels) % 2 == 0 for group in plan.groups]
    row = plan.mask(plan.outputs["both"], kept)
    assert row.tolist() == [index % 2 == 0 for index in (*range(8), *range(12), *range(8))]
