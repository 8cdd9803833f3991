"""The student that is made after its victim: twice as wide as the backbone that the attacker knows of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench.test_cell_files import ATTACK, DATASET, run_of
from tests.bench.test_clones import INPUTS, SPEC
from tinycerb.attacks import AttackInputs
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.attacks.building_blocks.victim_x2 import Architecture, architecture_for, made_after
from tinycerb.bench import stealing
from tinycerb.bench.cell import specs_of_attack
from tinycerb.bench.parts_code import code_of
from tinycerb.config import load_config
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.jobs.check_names import check_names
from tinycerb.keras_models import build_backbone
from tinycerb.training.backbones import BACKBONES


@pytest.mark.parametrize(
    ("backbone", "width"), [("demo_net", 0.5), ("ds_cnn", 1.0), ("lenet5", 1.0), ("resnet8", 1.0), ("vgg_small", 1.0)]
)
def test_it_has_the_layers_of_the_victims_backbone_and_twice_its_channels(backbone: str, width: float) -> None:
    told = architecture_for("victim_x2", backbone, width)
    student = made_after(STUDENTS["victim_x2"], told)((32, 32, 3), 7)
    victim = build_backbone(backbone, (32, 32, 3), width)
    assert [type(layer) for layer in student.layers[:-1]] == [type(layer) for layer in victim.layers]
    assert student.output_shape == (None, 7)
    features = student.layers[-1].input_shape[-1]
    assert features == 2 * victim.output_shape[-1]
    # Weights between two layers grow by four, those of one channel alone by two; counts are rounded to fours.
    body = student.count_params() - 7 * (features + 1)
    assert 3 < body / victim.count_params() < 4


def test_other_students_are_told_nothing() -> None:
    assert architecture_for("lenet", "resnet8", 0.5) == Architecture()
    assert made_after(STUDENTS["lenet"], Architecture("resnet8")) is STUDENTS["lenet"]


def test_a_backbone_of_the_users_own_cannot_be_widened() -> None:
    config = load_config("smoke")
    attacks = (replace(config.attacks[0], students=("victim_x2",)),)
    check_names(replace(config, attacks=attacks))
    with pytest.raises(UsageError, match=r"student victim_x2 is twice .* 'user' is none that .* allowed: demo_net, "):
        check_names(replace(config, attacks=attacks, model=replace(config.model, backbone="user", source="a.h5")))


def test_a_cell_names_what_its_student_was_told_and_the_backbones_code(tmp_path: Path) -> None:
    run = run_of(tmp_path, "model.backbone=resnet8", "model.width=0.5")
    attack = replace(ATTACK, students=("victim_x2", "lenet"))
    larger, other = specs_of_attack(run, DATASET, "cerberos", attack, "random", "abc", "asked")
    assert (larger.architecture, other.architecture) == (Architecture("resnet8", 0.5), Architecture())
    victim = run.victims["cerberos"]
    codes = [
        code_of(victim, "knockoff", "victim_x2", architecture=Architecture(name)) for name in ("resnet8", "ds_cnn")
    ]
    assert larger.code == codes[0]
    assert codes[0].student != codes[1].student
    assert other.code == code_of(victim, "knockoff", "lenet")
    assert replace(larger, architecture=Architecture("resnet8")).digest() != larger.digest()


def test_a_plugins_backbone_counts_with_the_file_that_registers_it() -> None:
    BACKBONES.register("one_of_a_plugin")(lambda image_shape, width: build_backbone("demo_net", image_shape, width))
    try:
        assert architecture_for("victim_x2", "one_of_a_plugin", 1.0).code == (Path(__file__),)
    finally:
        BACKBONES.remove("one_of_a_plugin")


def test_a_cell_builds_it_as_its_specification_says(monkeypatch, tmp_path: Path) -> None:
    oracle = type("Oracle", (), {"charged": 0, "engine": {}})()
    remembered = type("Remembered", (), {"__enter__": lambda self: oracle, "__exit__": lambda self, *error: None})()
    monkeypatch.setattr(stealing, "RememberedOracle", lambda *arguments: remembered)
    monkeypatch.setattr(stealing, "require_code", lambda *arguments: None)

    class Thief:
        def run(self, inputs: AttackInputs) -> None:
            inputs.build()
            inputs.on_epoch(1, lambda images: np.eye(2, dtype=np.float32)[[0, 0, 1, 1]])

    monkeypatch.setattr(stealing, "attack_of", lambda config: Thief())
    inputs = replace(INPUTS, test=LabelledImages(np.zeros((4, 28, 28, 1), np.uint8), INPUTS.test.labels))
    spec = replace(SPEC, student="victim_x2", architecture=Architecture("ds_cnn", 0.5))
    result = stealing.compute_cell(spec, inputs, tmp_path, ignore)["result"]
    wanted = build_backbone("ds_cnn", (28, 28, 1), 1.0)
    parameters = wanted.count_params() + 2 * (wanted.output_shape[-1] + 1)
    assert result["clone_parameters"] == parameters  # pyright: ignore[reportGeneralTypeIssues]
