"""Options: what a declaration allows, how it is checked, and how it is read from text."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from functools import partial
from typing import Any, get_type_hints

import pytest

from tinycerb.answers.responses import RESPONSES
from tinycerb.attacks import ATTACKS
from tinycerb.config import AttackConfig, Config, VictimConfig
from tinycerb.defenses import DEFENSES
from tinycerb.errors import UsageError
from tinycerb.options import Limits, check_options, option, options_of, parse_part, part_text, split_parts
from tinycerb.registry import Registry

PARTS: Registry[type] = Registry("part")


@PARTS.register("mix")
@dataclass(frozen=True)
class Mix:
    """A part with an option of every kind."""

    share: float = option(0.5, "a share", 0, 1)
    count: int = option(3, "how many", 0, zero="all")
    rate: float = option(0.1, "a rate", above=0, below=1)
    kind: str = option("soft", "which kind", choices=("soft", "hard"), empty="both")
    names: str = option("one", "several names", choices=("one", "two"), joined=True, weighted=True)
    quick: bool = option(False, "whether it hurries")
    rates: tuple[float, ...] = option((0.1,), "rates", above=0, high=8)
    seeds: tuple[int, ...] = option((), "seeds", 0, empty="one", distinct=True)
    table: Mapping[str, Any] = option({}, "settings of its own")

    def __post_init__(self) -> None:
        check_options(self)


@PARTS.register("plain")
@dataclass(frozen=True)
class Plain:
    """A part without options."""


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits("", 0, 2), "0 to 2"),
        (Limits("", 0.001, 10), "0.001 to 10"),
        (Limits("", 0, 2**31 - 1), "0 to 2147483647"),
        (Limits("", 0, zero="all"), "0 (all) or more"),
        (Limits("", 0, 1, zero="no gate"), "0 (no gate) to 1"),
        (Limits("", 0, below=1), "0 to below 1"),
        (Limits("", above=0, below=1), "above 0, below 1"),
        (Limits("", above=0, high=8), "above 0, at most 8"),
        (Limits(""), "any"),
        (Limits("", empty="none"), "any, or empty (none)"),
        (Limits("", choices=("a", "b")), "a, b"),
        (Limits("", choices=PARTS, joined=True), "mix, plain, joined by +"),
        (Limits("", choices=("a",), joined=True, weighted=True, empty="all"),
         "a, joined by +, weights behind a colon, or empty (all)"),
    ],
)  # fmt: skip
def test_limits_in_words(limits: Limits, words: str) -> None:
    assert limits.allowed == words


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": 1.1}, "part 'mix': option share is 1.1; allowed: 0 to 1"),
        ({"share": float("nan")}, "share is nan; allowed: 0 to 1"),
        ({"count": -1}, r"count is -1; allowed: 0 \(all\) or more"),
        ({"rate": 0.0}, "rate is 0.0; allowed: above 0, below 1"),
        ({"rate": 1.0}, "rate is 1.0; allowed: above 0, below 1"),
        ({"kind": "sofd"}, r"kind is 'sofd' \(did you mean 'soft'\?\); allowed: soft, hard, or empty \(both\)"),
        ({"names": "one+twos"}, r"names names 'twos' \(did you mean 'two'\?\); allowed: one, two"),
        ({"names": ""}, "names names ''; allowed: one, two"),
        ({"rates": ()}, "rates is empty; name at least one"),
        ({"rates": (0.5, 9.0)}, "rates has 9.0; allowed: above 0, at most 8"),
        ({"seeds": (1, 1)}, r"seeds is \[1, 1\]; allowed: each one once"),
        ({"seeds": (1, -1)}, "seeds has -1; allowed: 0 or more"),
    ],
)
def test_a_wrong_value_is_named_with_the_allowed_ones(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Mix(**values)


def test_allowed_values_pass_and_the_dataclass_stays_frozen() -> None:
    mix = Mix(share=1, count=0, kind="", names="one:0.3 + two", rates=(8.0,), seeds=(3, 4))
    with pytest.raises(FrozenInstanceError):
        mix.share = 0.0  # type: ignore[misc]
    assert Mix().table == {}
    assert Mix().table is not Mix().table


def test_a_place_is_named_in_front_of_the_option() -> None:
    @dataclass(frozen=True)
    class Section:
        batch: int = option(8, "images in a step", 1)
        name: str = option("x", "its name")

    with pytest.raises(UsageError, match=r"^training\.batch is 0; allowed: 1 or more$"):
        check_options(Section(batch=0), "training")
    with pytest.raises(UsageError, match=r"^batch is 0; allowed: 1 or more$"):
        check_options(Section(batch=0))


def test_what_there_is_to_say_of_an_option() -> None:
    known = options_of(Mix)
    assert known["count"].facts() == {
        "name": "count", "type": "int", "default": 3, "allowed": "0 (all) or more", "meaning": "how many",
    }  # fmt: skip
    assert {name: each.type for name, each in known.items()} == {
        "share": "float", "count": "int", "rate": "float", "kind": "str", "names": "str", "quick": "bool",
        "rates": "list of float", "seeds": "list of int", "table": "table",
    }  # fmt: skip
    assert known["quick"].allowed == "true, false"
    assert [known[name].default_text for name in ("quick", "rates", "share", "kind")] == ["false", "0.1", "0.5", "soft"]

    @dataclass(frozen=True)
    class Named:
        name: str = option(MISSING, "what it is called")

    assert options_of(Named)["name"].default_text == "required"
    assert options_of(Named)["name"].facts()["default"] is None
    with pytest.raises(TypeError, match="name"):
        Named()


def test_text_and_options_are_one() -> None:
    text = "mix,share=0.25,count=2,quick=true,names=one:2+two"
    values = {"share": 0.25, "count": 2, "quick": True, "names": "one:2+two"}
    assert parse_part(text, PARTS) == ("mix", values)
    assert part_text("mix", values) == text
    assert parse_part(" mix , quick = YES ", PARTS) == ("mix", {"quick": True})
    assert parse_part("plain", PARTS) == ("plain", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mixx", "unknown part 'mixx' .did you mean 'mix'"),
        ("mix,shar=1", r"part 'mix' has no option 'shar' \(did you mean 'share'\?\); its options: share, count"),
        ("plain,x=1", "part 'plain' has no option 'x'; its options: none"),
        ("mix,share=1,share=1", "part 'mix' has 'share' twice; give it once"),
        ("mix,count=1.5", "part 'mix': option count is '1.5'; expected a whole number, e.g. count=3"),
        ("mix,share=much", "option share is 'much'; expected a number, e.g. share=0.5"),
        ("mix,share", "option share is ''; expected a number"),
        ("mix,quick=perhaps", "option quick is 'perhaps'; allowed: true, false"),
    ],
)
def test_a_wrong_text_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_part(text, PARTS)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mix+plain", ["mix", "plain"]),
        ("mix,share=1e+3+plain", ["mix,share=1e+3", "plain"]),
        ("mix,names=one+two:.3+plain", ["mix,names=one+two:.3", "plain"]),
        ("mix,names=one+two,count=2+plain", ["mix,names=one+two,count=2", "plain"]),
        ("mix,kind=soft+two", ["mix,kind=soft", "two"]),
        ("plain+", ["plain", ""]),
        (" mix + plain ", ["mix", "plain"]),
    ],
)
def test_parts_are_joined_by_plus(text: str, parts: list[str]) -> None:
    assert split_parts(text, PARTS) == parts


@pytest.mark.parametrize("registry", [DEFENSES, RESPONSES, ATTACKS], ids=lambda registry: registry.kind)
def test_every_field_is_an_option_with_a_meaning(registry: Registry[type]) -> None:
    for name in registry:
        known = options_of(registry[name])
        assert set(known) == {field.name for field in fields(registry[name]) if field.init}, name
        for each in known.values():
            assert len(each.limits.meaning) > 5, (name, each.name)
            assert not each.limits.meaning.endswith("."), (name, each.name)


def wrong_values(limits: Limits) -> list[Any]:
    """What an option must refuse: just outside of its range, and a word that is no choice."""
    if limits.choices:
        return ["no such word"]
    outside = [limits.above, limits.below]
    outside += [limits.low - 1] if limits.low is not None else []
    outside += [limits.high + 1] if limits.high is not None else []
    return [value for value in outside if value is not None]


PARTS_OF_ALL = [
    *(
        (f"{registry.kind} {name!r}: option ", registry[name])
        for registry in (DEFENSES, RESPONSES, ATTACKS)
        for name in registry
    ),
    *((f"{name}.", kind) for name, kind in get_type_hints(Config).items() if hasattr(kind, "__dataclass_fields__")),
    ("victims.x.", partial(VictimConfig, "x")),
    ("attacks.x.", partial(AttackConfig, "x")),
]


@pytest.mark.parametrize(("where", "make"), PARTS_OF_ALL, ids=[where for where, _ in PARTS_OF_ALL])
def test_whatever_is_declared_is_checked(where: str, make: Callable[..., Any]) -> None:
    make()
    kind: Any = getattr(make, "func", make)
    for name, known in options_of(kind).items():
        for value in wrong_values(known.limits):
            listed = known.type.startswith("list")
            with pytest.raises(UsageError) as told:
                make(**{name: (value,) if listed else value})
            assert str(told.value).startswith(f"{where}{name} "), told.value
            assert repr(value) in str(told.value)
            assert f"; allowed: {known.limits.allowed}" in str(told.value)
