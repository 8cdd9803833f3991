"""`--defense` as text."""

import pytest

from tinycerb.config import load_config
from tinycerb.defenses.choice import parse_choice, with_defense
from tinycerb.errors import UsageError


def test_a_training_part_with_a_response() -> None:
    choice = parse_choice("cerberos,heads=2,diversity_weight=.5,selection=keyed+rounding,bits=3")
    assert choice.defense == "cerberos"
    assert choice.options == {"heads": 2, "diversity_weight": 0.5, "selection": "keyed"}
    assert choice.response == "rounding,bits=3"
    assert choice.name == "cerberos-rounding"


def test_a_mix_of_losses_before_a_response() -> None:
    choice = parse_choice("cerberos,heads=2,losses=neg_js+mean_head:.3+dcp,tau=.5")
    assert choice.options == {"heads": 2, "losses": "neg_js+mean_head:.3"}
    assert choice.response == "dcp,tau=.5"


def test_either_part_alone() -> None:
    assert parse_choice("top1").response == "top1"
    assert parse_choice("ini,projects_conflicts=true").options == {"projects_conflicts": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cerberus", "did you mean 'cerberos'"),
        ("cerberos,head=3", "did you mean 'heads'"),
        ("cerberos,heads=three", "cerberos.heads is 'three'; expected a int"),
        ("ini,reverse=yes", "expected true or false"),
        ("cerberos+ini", "2 training parts"),
        ("cerberos,heads=1", "2 or more"),
        ("dcp+rounding,bits=9", "allowed: 1 to 8"),
        ("top1+dcp", "nothing may follow 'top1'"),
    ],
)
def test_wrong_choices_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_choice(text)


def test_it_takes_the_place_of_the_preset_s_defence_and_keeps_its_size() -> None:
    config = with_defense(load_config("demo"), "ini+top1")
    assert [victim.name for victim in config.victims] == ["undefended", "pruned", "ini-top1"]
    assert config.victims[-1].channel_ratio == 0.5
    assert config.victims[-1].response == "top1"
