"""`--defense` as text."""

from dataclasses import replace

import pytest

from tinycerb.config import VictimConfig, load_config
from tinycerb.defenses.choice import parse_defense, with_defense
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import UsageError
from tinycerb.presets import preset_names


def test_a_training_part_with_a_response() -> None:
    choice = parse_defense("cerberos,heads=2,diversity_weight=.5,selection=keyed+rounding,bits=3")
    assert choice.defense == "cerberos"
    assert choice.options == {"heads": 2, "diversity_weight": 0.5, "selection": "keyed"}
    assert choice.response == "rounding,bits=3"
    assert choice.name == "cerberos-rounding"


def test_a_mix_of_losses_before_a_response() -> None:
    choice = parse_defense("cerberos,heads=2,losses=neg_js+mean_head:.3+dcp,tau=.5")
    assert choice.options == {"heads": 2, "losses": "neg_js+mean_head:.3"}
    assert choice.response == "dcp,tau=.5"


def test_what_an_option_joins_by_plus_goes_on_behind_it_and_nothing_else_does() -> None:
    choice = parse_defense("cerberos,losses=neg_js+mean_head:.3,heads=2+top1")
    assert (choice.options, choice.response) == ({"losses": "neg_js+mean_head:.3", "heads": 2}, "top1")
    with pytest.raises(UsageError, match=r"unknown defence 'mean_head:\.3'"):
        parse_defense("cerberos,losses=neg_js,heads=2+mean_head:.3")
    with pytest.raises(UsageError, match=r"names 'mean_hea' \(did you mean 'mean_head'\?\); allowed: cosine_lse"):
        parse_defense("cerberos,losses=neg_js+mean_hea")


def test_numbers_and_truth_are_read_as_in_responses() -> None:
    assert parse_defense("cerberos,diversity_weight=1e+1").options == {"diversity_weight": 10.0}
    assert parse_defense("mad,epsilon=1e+0+top1").name == "mad-top1"
    assert parse_defense("ini,reverse=yes , distance=kl + top1").options == {"reverse": True, "distance": "kl"}


def test_either_part_alone() -> None:
    assert parse_defense("top1").response == "top1"
    assert parse_defense("ini,projects_conflicts=true").options == {"projects_conflicts": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cerberus", "did you mean 'cerberos'"),
        ("cerberos,head=3", "did you mean 'heads'"),
        ("cerberos,heads=three", "defence 'cerberos': option heads is 'three'; expected a whole number, e.g. heads=3"),
        ("ini,reverse=perhaps", "option reverse is 'perhaps'; allowed: true, false"),
        ("ini,ramp_epochs=1,ramp_epochs=2", "has 'ramp_epochs' twice"),
        ("cerberos+ini", "2 training parts"),
        ("cerberos,heads=1", "2 or more"),
        ("dcp+rounding,bits=9", "allowed: 1 to 8"),
        ("top1+dcp", "nothing may follow 'top1'"),
    ],
)
def test_wrong_choices_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_defense(text)


@pytest.mark.parametrize(
    ("text", "name", "ratio"),
    [
        ("ini+top1", "ini-top1", 0.5),
        ("cerberos,heads=2", "cerberos", 0.5),
        ("misdirection+top1", "misdirection-top1", 0.25),
    ],
)
def test_it_takes_the_place_of_the_preset_s_defences_and_keeps_their_size(text: str, name: str, ratio: float) -> None:
    """Of the one with the same training part, else of the first."""
    demo = load_config("demo")
    assert [victim.defense for victim in demo.victims] == ["none", "none", "cerberos", "misdirection"]
    sized = replace(demo, victims=(*demo.victims[:-1], replace(demo.victims[-1], channel_ratio=0.25)))
    config = with_defense(sized, text)
    assert [victim.name for victim in config.victims] == ["undefended", "pruned", name]
    assert config.victims[-1].channel_ratio == ratio
    assert recommended_victim(config) == name
    assert config.victims[-1].response == ("top1" if "top1" in text else "none")


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_s_name_is_answered_with_its_defence(preset: str) -> None:
    """What the error names is a choice, and makes the preset's own victim."""
    with pytest.raises(UsageError, match=f"{preset} is a preset .tinycerb run {preset}.") as refused:
        parse_defense(preset)
    text = str(refused.value).partition("its defence: --defense ")[2]
    config = load_config(preset)
    victim, choice = config.victim(recommended_victim(config)), parse_defense(text)
    assert (choice.defense, choice.options, choice.response) == (victim.defense, victim.options, victim.response)


def test_the_fortress_is_misdirection_with_labels_alone() -> None:
    with pytest.raises(UsageError, match=r"its defence: --defense misdirection\+top1$"):
        parse_defense("fortress")
    with pytest.raises(UsageError, match="random_teacher is one of the losses of cerberos: --defense cerberos,losses"):
        parse_defense("random_teacher+top1")


def test_which_victim_is_recommended() -> None:
    undefended, cerberos = VictimConfig("undefended"), VictimConfig("cerberos", "cerberos")
    labels, misled = VictimConfig("labels", response="top1"), VictimConfig("m", "misdirection")
    demo = load_config("demo")
    for victims, wanted in (
        ((undefended, misled, cerberos), "m"),
        ((undefended, misled, replace(misled, name="small"), labels), "small"),
        ((undefended, cerberos, labels), "labels"),
        ((undefended, replace(undefended, name="pruned", channel_ratio=0.5)), "pruned"),
    ):
        assert recommended_victim(replace(demo, victims=victims)) == wanted
    victims = (undefended, misled, cerberos)
    assert recommended_victim(replace(demo, victims=victims, recommended="cerberos")) == "cerberos"
    with pytest.raises(UsageError, match="recommended is 'labels'; allowed: undefended, m, cerberos, or empty"):
        replace(demo, victims=victims, recommended="labels")
