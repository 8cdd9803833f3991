"""Plugins are found, read, imported and named in errors; what goes wrong leaves nothing behind."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.plugins.conftest import copy_example
from tinycerb.advice.diagnosis import diagnose
from tinycerb.answers.responses import parse_response
from tinycerb.attacks import ATTACKS
from tinycerb.attacks.base import AttackInputs
from tinycerb.bench.code_digest import code_digest
from tinycerb.bench.report_pages import BUILT_IN, REPORT_PAGES, render_report
from tinycerb.config import DataConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.query_pools import query_pool
from tinycerb.errors import EnvironmentProblem, InternalError, UsageError
from tinycerb.plugins import find_plugin, load_handed_over, load_plugin, loaded_plugins
from tinycerb.registry import Registry
from tinycerb.reports import pdf
from tinycerb.training.backbones import BACKBONES

ATTACK = """
from dataclasses import dataclass
from tinycerb.attacks import ATTACKS

@ATTACKS.register("mine")
@dataclass(frozen=True)
class Mine:
    \"\"\"Asks nothing.\"\"\"

    check = None

    def run(self, inputs):
        raise ValueError("no thief")
"""
Write = Callable[[str, str], Path]


def names() -> dict[str, list[str]]:
    return {table.kind: list(table) for table in Registry.tables if len(table)}


def test_every_kind_of_part_is_found_by_its_name(here: Write, tmp_path: Path) -> None:
    assert "two_layers" not in BACKBONES
    before = names()
    load_plugin(find_plugin(str(copy_example(tmp_path))))
    added = {kind: sorted({*found} - {*before[kind]}) for kind, found in names().items() if found != before[kind]}
    assert added == {
        "attack": ["first_asked"], "backbone": ["two_layers"], "data set": ["stripes"], "defence": ["entropy"],
        "query pool": ["noise"], "report page": ["sizes"], "response": ["halves"], "student": ["one_layer"],
    }  # fmt: skip
    dataset = load_dataset(DataConfig("stripes", validation_images=50))
    assert (len(dataset.train.images), len(dataset.validation.images), dataset.classes) == (350, 50, 2)
    assert query_pool("noise").load(dataset).shape == (200, 8, 8, 1)
    codes = np.array([[200, 50, 6]], np.uint8)
    assert parse_response("halves,label=130")(codes).tolist() == [[130, 63, 63]]
    with pytest.raises(UsageError, match="response 'halves': option label is 1000; allowed: 128 to 255"):
        parse_response("halves,label=1000")


def test_pages_of_plugins_stand_before_the_last_of_ours(here: Write, tmp_path: Path, monkeypatch) -> None:
    assert [page.__module__.rpartition(".")[2] for page in pdf.PAGES] == list(BUILT_IN)
    load_plugin(find_plugin(str(copy_example(tmp_path))))
    drawn: list[str] = []
    monkeypatch.setattr(pdf, "render_pdf", lambda metrics, pages: [drawn.append(draw) for draw in pages])
    nothing: Any = {}
    render_report(nothing)
    assert [drawn.index(REPORT_PAGES["sizes"]), len(drawn)] == [9 - 1, 10]  # pyright: ignore[reportArgumentType]
    metrics: Any = {"victims": {"mine": {"file": {"flash_bytes": 12345}}}}
    (page,) = REPORT_PAGES["sizes"](metrics)
    assert "mine: 12,345 bytes in flash" in [text.get_text() for text in page.texts]


def test_one_file_has_its_own_sha256_and_several_that_of_their_list(here: Write) -> None:
    file = here("mine.py", ATTACK)
    plugin = find_plugin("mine")
    assert plugin.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (plugin.name, plugin.path, plugin.given) == ("mine", file, "mine")
    here("mine.c", "int x;\n")
    here("other.py", "")
    whole = subprocess.run(["sha256sum", "mine.c", "mine.py"], capture_output=True, check=True).stdout
    assert find_plugin("mine.py").sha256 == hashlib.sha256(whole).hexdigest()


def test_a_package_is_one_plugin(here: Write) -> None:
    here("parts/__init__.py", "from parts import thief\n")
    here("parts/thief.py", "from .inner.words import WORD\n" + ATTACK.replace("no thief", "{WORD}"))
    here("parts/inner/__init__.py", "")
    words = here("parts/inner/words.py", "WORD = 1\n")
    load_plugin(find_plugin("parts"))
    assert ATTACKS["mine"].__module__ == "parts.thief"
    first = code_digest([ATTACKS.place("mine").file])
    # What was read is what runs, and what the digest is of.
    words.write_text("WORD = 2\n")
    assert code_digest([ATTACKS.place("mine").file]) == first
    load_plugin(find_plugin("parts"))
    assert sys.modules["parts.inner.words"].WORD == 2
    code_digest.__globals__["_normalised"].cache_clear()
    assert code_digest([ATTACKS.place("mine").file]) != first


def test_a_module_of_a_package_is_named_with_it(here: Write) -> None:
    here("parts/__init__.py", "")
    here("parts/thief.py", ATTACK)
    load_plugin(find_plugin("parts.thief"))
    assert "mine" in ATTACKS
    with pytest.raises(UsageError, match=r"has no such module \(did you mean 'parts.thief'\?\)"):
        find_plugin("parts.theif")


WRONG = {
    "registers nothing; give a part a name in one of the tables, such as @ATTACKS.register": "x = 1\n",
    r"attack 'knockoff' is registered twice: in .*knockoff.py line \d+ and in .*wrong.py line 5; choose another name": (
        ATTACK.replace('"mine"', '"knockoff"')
    ),
    r"cannot be imported: ZeroDivisionError: division by zero \(.*wrong.py:3\)": "def f():\n\n    1 / 0\n\nf()\n",
    r"cannot be imported: SyntaxError: .* \(.*wrong.py:2\)": "x = 1\nx = = 2\n",
    r"cannot be imported: SystemExit: 3 \(.*wrong.py:1\)": "raise SystemExit(3)\n",
    r"No module named 'beside' \(.*wrong.py:1\); a plugin of several files is a package: a folder with beside.py": (
        "import beside\n"
    ),
    "imports TensorFlow when it is loaded, and some processes must not have it": (
        ATTACK + "import sys\nsys.modules['tensorflow'] = sys\n"
    ),
    r"wrong.py line 5: the attack 'a\+b' has no name that configurations can hold": ATTACK.replace('"mine"', '"a+b"'),
    r"wrong.py line 5: the attack 'mine' lacks check": ATTACK.replace("    check = None\n", ""),
    "the attack 'mine' is no dataclass, and its fields are": ATTACK.replace("@dataclass(frozen=True)\n", ""),
    "the attack 'mine' calls itself 'yours'; give it the same name": ATTACK.replace(
        "    def run", "    name = 'yours'\n    def run"
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_said_and_leaves_nothing_behind(message: str, here: Write, monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    before = names()
    here("wrong.py", WRONG[message])
    here("beside.py", "")
    with pytest.raises(UsageError, match=message):
        load_plugin(find_plugin("wrong"))
    assert names() == before
    assert (loaded_plugins(), "wrong" in sys.modules) == ((), False)
    # Mended, it is loaded in the same process.
    here("wrong.py", ATTACK)
    load_plugin(find_plugin("wrong"))
    assert "mine" in ATTACKS


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "my_defense",
            r"no plugin 'my_defense' \(did you mean 'my_defence'\?\); .* \(which has: my_defence, parts\), ",
        ),
        ("./my_defense.py", r"there is no such file \(did you mean 'my_defence.py'\?\)"),
        ("my-defence", "neither a module's name"),
        ("my_defence:Thing", "neither a module's name"),
        ("my_defence.inner", "is no package; name it by --plugin my_defence"),
        ("math", "there is no plugin|is no Python source"),
    ],
)
def test_what_is_no_plugin_is_answered_with_what_is(given: str, message: str, here: Write) -> None:
    here("my_defence.py", ATTACK)
    here("parts/__init__.py", "")
    with pytest.raises(UsageError, match=message):
        find_plugin(given)


def test_a_name_of_another_module_is_refused(here: Write) -> None:
    with pytest.raises(UsageError, match=r"the name 'json' is taken by the module .*json/__init__.py; rename yours"):
        load_plugin(find_plugin(str(here("json.py", ATTACK))))
    assert "mine" not in ATTACKS


def test_an_error_in_a_plugin_is_no_fault_of_ours(here: Write) -> None:
    file = here("mine.py", ATTACK)
    load_plugin(find_plugin("mine"))
    with pytest.raises(ValueError, match="no thief") as caught:
        ATTACKS["mine"]().run(cast(AttackInputs, None))
    told = diagnose(caught.value)
    assert isinstance(told, UsageError)
    assert str(told).startswith(f"plugin 'mine' failed: ValueError: no thief ({file}:13)")
    assert isinstance(diagnose(ValueError("ours")), InternalError)


def test_child_processes_load_the_same_bytes_or_none(here: Write, monkeypatch) -> None:
    file = here("mine.py", ATTACK)
    load_plugin(find_plugin("mine"))
    code = "from tinycerb.plugins import *; load_handed_over(); print(*(p.sha256 for p in loaded_plugins()))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert child.stdout.split() == [find_plugin("mine").sha256]
    file.write_text(ATTACK + "\n")
    with pytest.raises(EnvironmentProblem, match=r"the plugin mine in .* has changed since the command was started"):
        load_handed_over()


def test_a_response_without_c_is_not_deployable(here: Write) -> None:
    here(
        "mine.py",
        "from dataclasses import dataclass\n"
        "from tinycerb.answers.responses import RESPONSES, Response\n\n"
        '@RESPONSES.register("same")\n@dataclass(frozen=True)\nclass Same(Response):\n'
        '    name = "same"\n\n    def __call__(self, codes):\n        return codes\n',
    )
    load_plugin(find_plugin("mine"))
    with pytest.raises(UsageError, match=r"^response 'same' is not deployable: it has no part in C"):
        parse_response("same").device(10)
