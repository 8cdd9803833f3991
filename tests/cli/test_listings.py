"""`tinycerb KIND list` and `show NAME`: every registered thing is listed and explained, in 80 columns and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from tinycerb.answers.responses import RESPONSES
from tinycerb.attacks import ATTACKS
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.boards.board import board_names
from tinycerb.cli import app
from tinycerb.cli.listable import LISTINGS, Entry, Listing, commands_of
from tinycerb.config import (
    AttackConfig,
    DataConfig,
    DistillationConfig,
    ModelConfig,
    TrainingConfig,
    VictimConfig,
)
from tinycerb.datasets import DATASETS
from tinycerb.defenses import DEFENSES
from tinycerb.keras_models import BACKBONES, PARAMETERS, build_backbone
from tinycerb.options import check_options, option, options_of
from tinycerb.presets import preset_names
from tinycerb.training.augmentation import AUGMENTATIONS
from tinycerb.training.optimizers import OPTIMIZERS

NAMES = {
    "attacks": set(ATTACKS), "backbones": set(BACKBONES), "boards": set(board_names()), "datasets": set(DATASETS),
    "augmentations": set(AUGMENTATIONS), "optimizers": set(OPTIMIZERS),
    "defenses": {*DEFENSES, *RESPONSES} - {"none"}, "presets": set(preset_names()), "students": set(STUDENTS),
}  # fmt: skip


@pytest.fixture(autouse=True)
def pipe(monkeypatch) -> None:
    """Nothing says how wide it is."""
    monkeypatch.delenv("COLUMNS", raising=False)


def output(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.output


def test_every_kind_is_listed() -> None:
    assert set(LISTINGS) == set(NAMES)
    listed = {
        each.limits.listed
        for section in (AttackConfig, DataConfig, DistillationConfig, ModelConfig, TrainingConfig, VictimConfig)
        for each in options_of(section).values()
    }
    assert listed - {""} <= set(LISTINGS)
    assert len(listed) == 8


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_a_list_names_all_in_eighty_columns_with_or_without_its_sub_command(kind: str) -> None:
    text = output(kind)
    assert output(kind, "list") == text
    rows = json.loads(output(kind, "list", "--json"))
    assert json.loads(output(kind, "--json")) == rows
    assert rows["schema_version"] == 1
    assert {row["name"] for row in rows[kind]} == NAMES[kind]
    assert all(len(row["summary"]) > 8 for row in rows[kind])
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith(f"next: tinycerb {kind} show NAME")
    assert {line.split()[0] for line in lines if line.strip()} >= NAMES[kind]


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_show_explains_each_in_eighty_columns_and_as_one_object(kind: str) -> None:
    for name in NAMES[kind]:
        text = output(kind, "show", name)
        assert max(map(len, text.splitlines())) <= 80, name
        assert text.splitlines()[0].split(" (")[0] == name
        assert "Args:" not in text
        found = json.loads(output(kind, "show", name, "--json"))
        assert (found["schema_version"], found["name"]) == (1, name)
        for part in found["parts"]:
            assert len(part["about"] or part["summary"]) > 8
            for each in part["options"]:
                assert f"\n  {each['name']} ({each['type']}) = " in text
                assert {"default", "allowed", "meaning"} <= set(each)


def test_json_may_stand_before_the_sub_command() -> None:
    assert json.loads(output("attacks", "--json", "show", "jbda")) == json.loads(
        output("attacks", "show", "jbda", "--json")
    )


def test_an_option_is_shown_with_default_range_and_meaning() -> None:
    text = " ".join(output("attacks", "show", "jbda").split())
    assert "seeds (int) = 150; 0 (all) to 10000000 images to start from" in text
    assert "x + step * sign(d S(x)_y / dx)" in text
    assert "Papernot et al., AsiaCCS 2017" in text
    text = " ".join(output("defenses", "show", "dcp").split())
    assert "preserve_top1 (bool) = true keep the label" in text
    assert "tau (float) = 0.7; 0 to 1 the gate opens where the largest posterior is below it" in text
    text = " ".join(output("defenses", "show", "ini").split())
    assert "arXiv 2308.00958" in text
    assert "isolation cos(grad_C L(C(x), V(x)), grad_C CE(C(x), y))" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("attacks", "show", "jdba"), "unknown attack 'jdba' (did you mean 'jbda'?); known: activethief"),
        (("datasets", "show", "mnits"), "unknown data set 'mnits' (did you mean 'mnist'?)"),
        (("boards", "show", "qemu-m5"), "unknown board 'qemu-m5'"),
        (("defenses", "show", "fortress"), "--defense misdirection+top1"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code != 0
    assert message in str(result.exception)


def test_a_list_needs_no_more_than_its_entries() -> None:
    """Equations keep their lines."""

    @dataclass(frozen=True)
    class Thing:
        size: float = option(1.0, "how large", 0, zero="flat")

        def __post_init__(self) -> None:
            check_options(self)

    def entries() -> Iterable[Entry]:
        yield Entry(
            "one", "a thing", "A thing.\n\n    x = y\n    z = w", facts={"owner": "me", "count": 1200}, options=Thing
        )

    things = commands_of("things", Listing("thing", "List things.", entries, "tinycerb things show NAME"))
    found = CliRunner().invoke(things, ["show", "one"]).output
    assert found.splitlines() == [
        "one", "", "A thing.", "", "    x = y", "    z = w", "", "owner:       me", "count:       1,200",
        "  size (float) = 1.0; 0 (flat) or more", "      how large",
    ]  # fmt: skip


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_has_the_parameters_that_its_list_names(name: str) -> None:
    assert build_backbone(name, (28, 28, 1), 1.0).count_params() == PARAMETERS[name]


def test_students_have_the_parameters_that_their_list_names() -> None:
    for row in json.loads(output("students", "--json"))["students"]:
        assert f"{STUDENTS[row['name']]((28, 28, 1), 10).count_params():,}" in row["summary"]
