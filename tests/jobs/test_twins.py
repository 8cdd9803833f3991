"""Victims that differ only after training share it."""

from dataclasses import replace

import pytest

from tinycerb.atomic import read_json, write_json
from tinycerb.config import VictimConfig, load_config
from tinycerb.errors import UsageError
from tinycerb.jobs.plan import plan
from tinycerb.run.victim import victims_of
from tinycerb.training.twin_victims import trained_twin
from tinycerb.training.twins import adopt_training

CONFIG = replace(
    load_config("demo"),
    victims=(
        VictimConfig("undefended"),
        VictimConfig("labels", response="top1"),
        VictimConfig("cerberos", "cerberos", channel_ratio=0.5, options={"heads": 3}),
        VictimConfig("keyed", "cerberos", channel_ratio=0.5, options={"heads": 3, "selection": "keyed"}),
        VictimConfig("less", "cerberos", channel_ratio=0.25, options={"heads": 3}),
    ),
)


def test_responses_and_selections_need_no_training_of_their_own() -> None:
    twins = {victim.name: trained_twin(victims_of(CONFIG), victim.name) for victim in CONFIG.victims}
    assert twins == {
        "undefended": "undefended", "labels": "undefended", "cerberos": "cerberos", "keyed": "cerberos", "less": "less",
    }  # fmt: skip
    tasks = {task.key: task for task in plan(CONFIG)}
    assert tasks["train/keyed"].after == ("train/cerberos",)
    assert tasks["train/less"].after == ("pretrain/cerberos",)
    assert [key for key in tasks if key.startswith("pretrain/")] == ["pretrain/undefended", "pretrain/cerberos"]


def test_what_is_adopted_says_whose_it_is_now(tmp_path) -> None:
    twin = tmp_path / "cerberos"
    write_json(twin / "training.json", {"victim": "cerberos", "selection": "random", "heads": 3})
    (twin / "model.h5").write_bytes(b"weights")
    adopt_training(victims_of(CONFIG)["keyed"], twin, tmp_path / "keyed")
    found = read_json(tmp_path / "keyed" / "training.json")
    assert found == {"victim": "keyed", "selection": "keyed", "heads": 3}
    assert (tmp_path / "keyed" / "model.h5").read_bytes() == b"weights"


def test_a_wrong_response_is_found_before_training() -> None:
    wrong = replace(CONFIG, victims=(VictimConfig("undefended", response="topp1"),))
    with pytest.raises(UsageError, match="did you mean 'top1'"):
        plan(wrong)
