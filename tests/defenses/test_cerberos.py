"""CERBEROS-R's options and its weight over time."""

import pytest

from tinycerb.config import VictimConfig
from tinycerb.defenses import DEFENSES, defense_of
from tinycerb.defenses.cerberos import Cerberos
from tinycerb.errors import UsageError


def test_warm_up_and_ramp() -> None:
    defense = Cerberos(diversity_weight=2.0, warm_up_epochs=0.5, ramp_epochs=1.0)
    assert [defense.weight(epoch) for epoch in (0, 0.5, 1.0, 1.5, 9)] == [0, 0, 1.0, 2.0, 2.0]


def test_the_weight_never_falls() -> None:
    weights = [Cerberos().weight(epoch / 10) for epoch in range(100)]
    assert weights == sorted(weights)


@pytest.mark.parametrize("key", ["diversity_weight", "warm_up_epochs", "ramp_epochs"])
def test_options_out_of_range(key: str) -> None:
    with pytest.raises(UsageError, match=f"{key} is -1"):
        defense_of(VictimConfig("v", "cerberos", options={key: -1}))


def test_every_defence_names_a_selection_that_exists() -> None:
    from tinycerb.answers.selection import HEAD_SELECTIONS

    assert all(DEFENSES[name]().selection in HEAD_SELECTIONS for name in DEFENSES)
