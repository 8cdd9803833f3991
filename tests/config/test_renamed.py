"""Keys of before are understood: in files, by --set, and in the configuration of a run that is older."""

from pathlib import Path

import pytest

from tinycerb.config import given_keys, load_config, parse_config
from tinycerb.config.renamed import ATTACK_KEYS, _say_once
from tinycerb.errors import UsageError

OLD, NEW = "own_images", "in_distribution_images"
TOLD = f"the key '{OLD}' is called '{NEW}' now\n"
ATTACK = 'extends = "smoke"\n[[attacks]]\nname = "mine"\nquery_pool = "animal_mnist"\n'


@pytest.fixture(autouse=True)
def _nobody_was_told() -> None:
    _say_once.cache_clear()


def test_a_file_with_the_old_name_is_answered_once(tmp_path: Path, capsys) -> None:
    assert ATTACK_KEYS == {OLD: NEW}
    for name, key in (("old", OLD), ("new", NEW)):
        (tmp_path / f"{name}.toml").write_text(f"{ATTACK}{key} = 20\n")
    new = load_config(str(tmp_path / "new.toml"))
    assert capsys.readouterr().err == ""
    assert load_config(str(tmp_path / "old.toml")) == new
    assert given_keys(str(tmp_path / "old.toml")) == {"attacks"}
    assert new.attack("mine").in_distribution_images == 20
    assert capsys.readouterr().err == TOLD


def test_a_later_value_counts_under_either_name(tmp_path: Path, capsys) -> None:
    (tmp_path / "old.toml").write_text(f"{ATTACK}{OLD} = 20\n")
    for key in (OLD, NEW):
        config = load_config(str(tmp_path / "old.toml"), [f"attacks.mine.{key}=7"])
        assert config.attack("mine").in_distribution_images == 7
    assert load_config("smoke", [f'attacks=[{{name="a",{OLD}=5}}]']).attack("a").in_distribution_images == 5
    assert capsys.readouterr().err == TOLD


def test_an_older_run_is_opened_without_a_word(capsys) -> None:
    config = load_config("smoke", [f"attacks.knockoff.{NEW}=3"])
    assert parse_config(config.to_toml().replace(NEW, OLD), "config.toml") == config
    assert capsys.readouterr().err == ""


def test_the_old_name_is_none_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"unknown key '{OLD}'"):
        load_config("smoke", [f"data.{OLD}=1"])
