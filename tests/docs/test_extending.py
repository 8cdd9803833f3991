"""docs/extending.md: every recipe is short, and what it adds is there - a figure of a matrix, a byte of a board."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from tests.conftest import run_cli
from tinycerb.atomic import read_json
from tinycerb.converters.model_file import read_model_file

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
RECIPES = {section.partition("\n")[0]: section for section in PAGE.split("\n## ")[1:]}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDERS = ("converters", "firmware_stub", "keras_models", "reports", "tinycerb")


def listings(text: str) -> dict[str, str]:
    """Files that a text shows, by the name in their first line."""
    found = {}
    for _, block in BLOCK.findall(text):
        named = re.match(r"(?:#|/\*) ([\w/]+\.\w+)", block)
        assert named, block
        found[named[1]] = block
    return found


def test_every_part_has_a_recipe_of_less_than_forty_lines() -> None:
    assert list(RECIPES) == [
        "A training part", "A response with its C part", "A response that learns", "An attack", "A student",
        "A backbone", "A data set", "A board", "An operator of the C runtime", "A command", "A report page",
    ]  # fmt: skip
    for name, text in RECIPES.items():
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(lines) < 40, name
        assert "Test: " in text.replace("\n", " "), name


@pytest.fixture(scope="module")
def user(tmp_path_factory) -> Path:
    """A user's folder with all that the page shows, and the matrix of its configuration."""
    folder = tmp_path_factory.mktemp("extending")
    for name, content in listings(PAGE).items():
        if "/" not in name:
            (folder / name).write_text(content)
    call(folder, "bench", "matrix", "mine.toml", "--out", "matrix", "--jobs", 2, "--quiet")
    return folder


def call(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(ROOT)}
    done = run_cli(*arguments, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def results(user: Path) -> Any:
    return read_json(user / "matrix" / "results.json")


def test_the_training_part_is_in_the_loss(user: Path) -> None:
    def loss(victim: str) -> float:
        text = (user / "matrix" / "victims" / victim / "history.csv").read_text()
        history = csv.DictReader(text.splitlines())
        return float(list(history)[-1]["defense_loss"])

    # Minus twice an entropy of two classes.
    assert -2 * np.log(2) <= loss("mine") < -0.2
    assert loss("plain") == 0


def test_the_response_learns_how_sure_the_victim_is(user: Path) -> None:
    response = read_json(user / "matrix" / "victims" / "unsure" / "model.json")["response"]
    name, share, below = re.fullmatch(r"(\w+),share=([\d.]+),below=(\d+)", response).groups()  # type: ignore[union-attr]
    assert (name, share) == ("doubt", "0.25")
    assert 128 < int(below) <= 256


def test_attack_student_and_pool_make_a_figure(results: Any) -> None:
    assert results["failures"] == []
    (row,) = [row for row in results["cells"] if row["victim"] == "plain"]
    assert (row["attack"], row["student"], row["queries_charged"]) == ("first", "one_layer", 100)
    # Weights of 64 pixels and a bias, for two classes.
    assert row["clone_parameters"] == 2 * 64 + 2
    assert row["clone_accuracy"] > 0.6


def test_backbone_and_data_are_the_users(user: Path, results: Any) -> None:
    assert (results["provenance"]["dataset"], results["provenance"]["classes"]) == ("two_shades", 2)
    first = read_model_file(user / "matrix" / "victims" / "plain" / "model.tflite").operators[0]
    assert (first.name, first.outputs[0].shape) == ("CONV_2D", (1, 4, 4, 8))


def test_the_board_answers_what_the_response_says(user: Path) -> None:
    flashed = call(user, "flash", "matrix/victims/mine", "--board", "small.toml", "--out", "firmware", "--json")
    facts = json.loads(flashed.stdout)
    assert (facts["flash_bytes_available"], facts["ram_bytes_available"]) == (0x20000, 0x8000 - 0x1000)
    assert facts["golden_vectors"] > 0
    assert facts["golden_vectors_wrong"] == 0
    # The C part is in the firmware, whose answers are compared with the host's: those are of two bytes alone.
    assert listings(PAGE)["halves.c"].rstrip() in (user / "firmware" / "model.c").read_text()
    told = [np.load(path)["answers"] * 256 for path in (user / "matrix" / "answers").glob("*.npz")]
    assert [set(answers.ravel()) for answers in told].count({180, 76}) == 1


def test_the_report_has_the_page(user: Path) -> None:
    call(user, "run", "--resume", "matrix", "--quiet")
    figures = read_json(user / "matrix" / "metrics.json")["victims"]
    pages = " ".join(page.extract_text() for page in PdfReader(user / "matrix" / "report.pdf").pages)
    for name, victim in figures.items():
        assert f"{name} takes {victim['file']['flash_bytes']:,} bytes of flash" in pages


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the packages to which the recipes of the tree have been applied."""
    folder = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, content in listings(PAGE).items():
        if "/" in name and not (folder / name).exists():
            (folder / name).write_text(content)
    header = folder / "firmware_stub" / "kernels" / "kernels.h"
    (declaration,) = re.findall(r'"(void tc_maximum.*?;)"', RECIPES["An operator of the C runtime"])
    header.write_text(header.read_text().replace("void tc_mul(", f"{declaration}\nvoid tc_mul(", 1))
    model = folder / "converters" / "c_model" / "model.py"
    model.write_text(model.read_text().replace("lookups, ", "lookups, maximum, ", 1))
    commands = folder / "tinycerb" / "cli" / "__init__.py"
    (lines,) = [text for name, text in listings(RECIPES["A command"]).items() if name.endswith("__init__.py")]
    commands.write_text(commands.read_text().replace("\ndef main(", f"\n{lines}\n\ndef main(", 1))
    return folder


OPERATOR = """
import tempfile
from pathlib import Path
import numpy as np
from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.model_file import parse_model
from tinycerb.runtimes.engines import ENGINES

flat = FlatModel()
image = flat.tensor([1, 4, 4, 8], [0.1], [3])
other = flat.operator("LOGISTIC", [image], flat.tensor([1, 4, 4, 8], [1 / 256], [-128]))
same = flat.operator("QUANTIZE", [other], flat.tensor([1, 4, 4, 8], [0.1], [3]), "QuantizeOptions")
largest = flat.operator("MAXIMUM", [image, same], flat.tensor([1, 4, 4, 8], [0.1], [3]), "MaximumMinimumOptions")
file = parse_model(flat.finish([image], largest))
images = np.random.default_rng(1).integers(-128, 128, (20, 4, 4, 8), dtype=np.int8)
engine = ENGINES["tflite-runtime"](file, "reference", [])
(name,), (answer,) = file.inputs, file.outputs
expected = np.concatenate([engine.run({name: each[np.newaxis]})[answer] for each in images])
folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
found = build_host_model(file, Path("firmware_stub"), folder).infer(images).reshape(expected.shape)
print(int((found != expected).sum()), int((expected != images).sum()))
"""


def test_the_operator_has_the_bytes_of_the_reference_kernels(tree: Path) -> None:
    differing, changed = map(int, python(tree, OPERATOR).split())
    assert differing == 0
    assert changed > 100


def test_the_command_prints_the_classes(tree: Path, user: Path) -> None:
    call(user, "run", "--resume", "matrix", "--quiet")
    code = "import sys; from tinycerb.__main__ import main; sys.argv[0] = 'tinycerb'; main()"
    assert python(tree, code, "classes", user / "matrix", *plugins(user)) == "dark\nbright\n"


def plugins(user: Path) -> list[object]:
    names = sorted(name for name in listings(PAGE) if name.endswith(".py") and "/" not in name)
    found: list[object] = []
    for name in names:
        found += ["--plugin", user / name]
    return found


def python(tree: Path, code: str, *arguments: object) -> str:
    """Runs code with the packages of a tree, and the tests of this one."""
    if not (tree / "tests").exists():
        (tree / "tests").symlink_to(ROOT / "tests")
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "XDG_STATE_HOME": str(tree / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
