"""Runs of before say the same in other words."""

import pytest

from tinycerb.conversion.from_run import _heads_in_file


@pytest.mark.parametrize(
    ("training", "heads"),
    [
        ({"heads": 1, "heads_in_file": 2}, 2),
        # As it was called, and before it was said at all.
        ({"heads": 1, "rows": 2}, 2),
        ({"heads": 3}, 3),
    ],
)
def test_heads_of_the_file_are_found_under_every_name(training: dict[str, int], heads: int) -> None:
    assert _heads_in_file(training) == heads
