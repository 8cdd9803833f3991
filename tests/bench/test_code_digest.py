"""Digests of code: what changes them, what does not, and which results of other code are not believed."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.test_cell_files import RESULT, SPEC, run_of
from tinycerb.bench import code_digest as digests
from tinycerb.bench.cell import find_cell, has_cell, keep_cell, look_for_cell, of_any_code, seal
from tinycerb.bench.code_digest import accepted_digests, code_digest
from tinycerb.bench.parts_code import (
    CodeDigests,
    OtherCode,
    code_of,
    require_code,
    response_files,
    training_files,
)
from tinycerb.check.files import check_cells
from tinycerb.config.victim import VictimConfig
from tinycerb.jobs import steps
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import STEPS, do, is_done, made_by_other_code
from tinycerb.matrix.cells import MatrixCell, take_stock
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import resolve_victim
from tinycerb.seal.files import made_from, write_bytes

ATTACK = '''"""Steals."""

from typing import TYPE_CHECKING

from tinycerb.attacks.tools import thief
from tinycerb.config import anything
from tinycerb.answers import soften

if TYPE_CHECKING:
    from tinycerb.defenses import wall


class Attack:
    """It does."""

    def run(self, images):
        """Runs."""
        return f"{thief.take(images)!r} {soften('u')}"  # all of them
'''
FILES = {
    "attacks/attack.py": ATTACK,
    "attacks/tools/__init__.py": "",
    "attacks/tools/thief.py": "from tinycerb.attacks.tools.sack import Sack\n\ntake = Sack()\n",
    "attacks/tools/sack.py": "class Sack: pass\n",
    "attacks/other.py": "from tinycerb.attacks import attack\n",
    "answers/__init__.py": "from tinycerb.answers import soft\nfrom tinycerb.answers.soft import soften\n",
    "answers/soft.py": "def soften(text): return text * 2\n",
    "answers/hard.py": "HARD = True\n",
    "defenses/wall.py": "WALL = 1\n",
    "config.py": "anything = 1\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch):
    """Makes TinyCerb's folder of these files, and returns the digest of its attack."""
    made = iter(range(100))

    def make(**changed: str) -> str:
        root = tmp_path / f"tree{next(made)}"
        for name, text in {**FILES, **{key.replace("__", "/") + ".py": text for key, text in changed.items()}}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode())
        monkeypatch.setattr(digests, "_ROOT", root)
        return code_digest([root / "attacks" / "attack.py"])

    return make


def test_what_does_not_change_a_digest(tree) -> None:
    """The same on every machine and Python, which the figure stands for, and without what no machine runs."""
    assert tree() == "ac3c97fec48a4591"
    without = ATTACK.replace("  # all of them", "").replace('"""Runs."""', "'''Runs\n        about.'''")
    for same in (
        {"attacks__attack": ATTACK.replace("\n", "\r\n")},
        {"attacks__attack": without.replace('return f"', 'return (f"').replace('}"', '}")')},
        {"attacks__tools__sack": '"""Holds."""\n# Things.\nclass Sack:\n    "A sack."\n    pass\n'},
        {"defenses__wall": "WALL = 2\n"},
        {"attacks__other": "import os\n"},
        {"answers__hard": "HARD = False\n"},
        {"config": "anything = 2\n"},
    ):
        assert tree(**same) == "ac3c97fec48a4591", same


def test_what_changes_a_digest(tree) -> None:
    found = [
        tree(),
        tree(attacks__attack=ATTACK.replace("'u'", "'v'")),
        tree(attacks__attack=ATTACK.replace("!r", "")),
        tree(attacks__tools__thief="from tinycerb.attacks.tools.sack import Sack\n\ntake = Sack\n"),
        tree(attacks__tools__sack="class Sack: big = True\n"),
        tree(answers__soft="def soften(text): return text * 3\n"),
    ]
    assert len(set(found)) == len(found)


def test_built_in_parts_have_digests_of_their_own_and_a_random_head_is_part_of_its_victim() -> None:
    def victim(defense: str, response: str):
        return resolve_victim(VictimConfig("v", defense, response=response))

    first = code_of(victim("cerberos", "dcp+rounding"), "knockoff", "lenet")
    assert all(len(digest) == 16 for digest in vars(first).values())
    others = {
        "attack": code_of(victim("cerberos", "dcp+rounding"), "jbda", "lenet"),
        "defense": code_of(victim("misdirection", "dcp+rounding"), "knockoff", "lenet"),
        "response": code_of(victim("cerberos", "dcp"), "knockoff", "lenet"),
    }
    for name, other in others.items():
        assert [key for key in vars(first) if getattr(first, key) != getattr(other, key)] == [name]
    assert [path.name for path in training_files(victim("misdirection", "grad_head"))] == [
        "misdirection.py", "random_head.py",
    ]  # fmt: skip
    assert [path.name for path in response_files(victim("none", "dcp+rounding"))] == ["dcp.py", "rounding.py"]


@pytest.fixture
def known(monkeypatch):
    """What the code is said to have been when results did not name it: that of now, or another one."""

    def say(same: bool) -> None:
        class Table(dict):
            def get(self, name: str, default=None) -> str:
                return code_digest([digests._ROOT / name]) if same else "0" * 16

        monkeypatch.setattr(digests, "_before", Table)

    return say


def test_a_cell_without_its_code_counts_while_the_code_is_what_it_was(tmp_path: Path, known) -> None:
    run = run_of(tmp_path)
    code = code_of(run.victims["cerberos"], "knockoff", "lenet")
    spec, older = replace(SPEC, code=code), SPEC
    keep_cell(run, older, seal(older, RESULT))
    known(True)
    content, said = look_for_cell(run, spec)
    assert content is not None
    assert (content["result"], content["spec"]["digest"], said) == (RESULT, older.digest(), "")
    assert has_cell(run, spec)
    known(False)
    path = run.cell(older.digest())
    assert look_for_cell(run, spec) == (
        None, f"{path} does not say which code has made it, and that code has changed since; it is computed again",
    )  # fmt: skip
    assert path.is_file()
    # What is computed then stands beside it, under a name of its own.
    keep_cell(run, spec, seal(spec, {**RESULT, "clone_accuracy": 0.6}))
    assert find_cell(run, spec)["result"]["clone_accuracy"] == 0.6  # pyright: ignore[reportOptionalSubscript]
    assert find_cell(run, replace(spec, code=replace(code, attack="0" * 16))) is None


def test_no_cell_is_computed_with_other_code_than_it_names() -> None:
    victim = VictimConfig("v", "cerberos", response="dcp")
    code = code_of(resolve_victim(victim), "knockoff", "lenet")
    require_code(code, victim, "knockoff", "lenet")
    require_code(CodeDigests(), victim, "knockoff", "lenet")
    with pytest.raises(OtherCode, match=r"^the code of student 'lenet', response 'dcp' on .* start the command anew$"):
        require_code(replace(code, student="0" * 16, response="1" * 16), victim, "knockoff", "lenet")


def test_who_only_checks_takes_cells_of_any_code_the_latest_of_several(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    here = code_of(run.victims["cerberos"], "knockoff", "lenet")
    for age, attack in enumerate(("1" * 16, "2" * 16)):
        spec = replace(SPEC, code=replace(here, attack=attack))
        keep_cell(run, spec, seal(spec, {**RESULT, "clone_accuracy": 0.1 * age}))
        os.utime(run.cell(spec.digest()), (age, age))
    wanted = replace(SPEC, code=here)
    assert find_cell(run, wanted) is None
    missing = [MatrixCell(run, replace(wanted, attacker_seed=seed), "T1", 6) for seed in (7, 8)]
    assert take_stock(missing) == (
        {}, ["cells that other code of their parts has made, which are computed again: 1"],
    )  # fmt: skip
    with of_any_code():
        assert find_cell(run, wanted)["result"]["clone_accuracy"] == 0.1  # pyright: ignore[reportOptionalSubscript]
        assert find_cell(run, replace(wanted, attacker_seed=99)) is None
        _, said = check_cells(run)
    assert said[1] == f"{run.path / 'cells'}: 2 of them were made by other code of their parts than is here"
    keep_cell(run, wanted, seal(wanted, {**RESULT, "clone_accuracy": 0.9}))
    with of_any_code():
        assert find_cell(run, wanted)["result"]["clone_accuracy"] == 0.9  # pyright: ignore[reportOptionalSubscript]


def test_the_table_of_before_names_files_that_were_there() -> None:
    table = digests._before()
    assert table["attacks/knockoff.py"] != table["attacks/jbda.py"]
    assert len(table) > 40
    assert accepted_digests([Path(__file__)]) == (code_digest([Path(__file__)]),)


@pytest.fixture
def copy(smoke_run, tmp_path) -> RunDirectory:
    return RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))


def undone(run: RunDirectory) -> list[str]:
    return [task.key for task in plan(run.config) if not is_done(run, task)]


def test_victims_of_other_code_are_made_again(copy, monkeypatch) -> None:
    """A training part's from the first epoch on; a response's from the conversion on."""
    assert undone(copy) == []
    now = {kind: files(copy.victims["cerberos"]) for kind, files in (("t", training_files), ("r", response_files))}

    def changed(kind: str):
        return lambda files: ("changed",) if [*files] == now[kind] else accepted_digests(files)

    monkeypatch.setattr(steps, "accepted_digests", changed("r"))
    tasks = plan(copy.config)
    assert made_by_other_code(copy, tasks) == [key for key in undone(copy) if key != "latency"]
    assert {key.split("/")[0] for key in undone(copy)} == {"convert", "measure"}
    monkeypatch.setattr(steps, "accepted_digests", changed("t"))
    assert undone(copy) == made_by_other_code(copy, tasks) == ["pretrain/cerberos", "train/cerberos"]
    checkpoint = copy.victim("cerberos") / "checkpoint.npz"
    found: list[bool] = []
    again = replace(STEPS["train"], run=lambda run, arguments, report: found.append(checkpoint.exists()))
    monkeypatch.setitem(STEPS, "train", again)
    (task,) = (task for task in plan(copy.config) if task.key == "train/cerberos")
    assert checkpoint.is_file()
    do(copy, task, lambda progress: None)
    assert found == [False]
    assert not (copy.victim("cerberos") / "float.h5").exists()
    assert (copy.victim("cerberos") / "model.tflite").is_file()


def test_victims_without_their_code_count_while_it_is_what_it_was(copy, known) -> None:
    manifest, names = copy.path / "manifest.jsonl", ('"dense/cerberos/dense.json"', '"dense/cerberos/checkpoint.npz"')
    lines = manifest.read_text().splitlines(keepends=True)
    older = [line.replace('"code": "', '"later": "') if any(name in line for name in names) else line for line in lines]
    assert older != lines
    manifest.with_name("older").write_text("".join(older))
    manifest.with_name("older").replace(manifest)
    known(True)
    assert undone(copy) == []
    known(False)
    assert undone(copy) == ["pretrain/cerberos"]
    with made_from([], "by somebody"):
        write_bytes(copy.latency, b"{}")
    assert '"code": "by somebody"' in (copy.path / "manifest.jsonl").read_text().splitlines()[-1]
