"""Mutation testing: its tables name what is there, its C changes are the ones meant, and fifty changes are tried."""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.mutation import c_mutants, python_mutants
from tests.mutation.c_changes import changes_of
from tests.mutation.tree import COPIED, HERE, ROOT, Mutant, copy_tree, judged_files, report

# Judged in a moment each, without TensorFlow.
FAST = (
    "tinycerb/answers/normalise.py",
    "tinycerb/bench/verdict.py",
    "tinycerb/bench/statistics.py",
    "tinycerb/compression/budget.py",
    "tinycerb/matrix/reference_rows.py",
)


@pytest.mark.parametrize("table", [python_mutants.TABLE, c_mutants.TABLE])
def test_tables_name_files_and_tests_that_are_there(table: str) -> None:
    for file, judges in judged_files(table).items():
        assert (ROOT / file).is_file(), file
        assert judges["tests"], file
        assert set(judges) <= {"tests", "without"}, file
        for test in [*judges["tests"], *judges.get("without", ())]:
            path, _, name = test.partition("::")
            assert f"def {name}" in (ROOT / path).read_text() if name else (ROOT / path).is_file(), test


@pytest.mark.parametrize("table", [python_mutants.TABLE, c_mutants.TABLE])
def test_no_judge_waits_for_a_finished_run(table: str) -> None:
    """Such a test takes minutes, and every change would run it again."""
    for file, judges in judged_files(table).items():
        left_out = judges.get("without", ())
        for chosen in judges["tests"]:
            path, _, name = chosen.partition("::")
            for node in ast.parse((ROOT / path).read_text()).body:
                if not isinstance(node, ast.FunctionDef) or not node.name.startswith(name or "test_"):
                    continue
                slow = {argument.arg for argument in node.args.args} & {"smoke_run", "undisturbed", "cli"}
                assert not slow or any(f"{path}::{node.name}".startswith(test) for test in left_out), (file, node.name)


def test_what_nobody_notices_is_still_there_and_has_a_reason() -> None:
    known = set(judged_files(python_mutants.TABLE)) | set(judged_files(c_mutants.TABLE))
    for each in tomllib.loads((HERE / "survivors.toml").read_text())["survivors"]:
        assert each["file"] in known, each
        assert each["was"] in " ".join((ROOT / each["file"]).read_text().split()), each
        assert each["was"] != each["became"], each
        assert len(each["reason"]) > 20, each


def test_a_linked_folder_is_changed_under_the_name_that_tests_import(tmp_path: Path) -> None:
    """Else a change would be made in one of two copies, and the tests would import the other."""
    copy_tree(tmp_path)
    for linked in (path for path in (ROOT / "tinycerb").iterdir() if path.is_symlink()):
        assert linked.name in COPIED
        assert (tmp_path / "tinycerb" / linked.name).resolve() == tmp_path / linked.name
    for module in judged_files(python_mutants.TABLE):
        imported = python_mutants.imported_as(module)
        assert imported.startswith("tinycerb/")
        assert (tmp_path / imported).samefile(tmp_path / module)


def test_fifty_changes_are_noticed() -> None:
    """At least nine of ten; which fifty depends on the modules alone."""
    mutants = python_mutants.mutate(FAST, most=10, seed=1)
    assert len(mutants) == 50
    noticed = [mutant for mutant in mutants if mutant.fate == "noticed"]
    assert len(noticed) >= 45, report(mutants)


C_SOURCE = """\
/* a < b */
#include <x.h>
int f(int a) {
    if (a >= 0x10 && a != 2u)
        return a << 1;
    count(a); // a + 1
    return "a + b"[0];
}
"""


def test_changes_of_a_c_source_by_hand() -> None:
    assert [(change.was, change.became) for change in changes_of(C_SOURCE)] == [
        ("if (a >= 0x10 && a != 2u)", "if (a < 0x10 && a != 2u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a > 0x10 && a != 2u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a >= 15 && a != 2u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a >= 17 && a != 2u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a >= 0x10 || a != 2u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a >= 0x10 && a == 2u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a >= 0x10 && a != 1u)"),
        ("if (a >= 0x10 && a != 2u)", "if (a >= 0x10 && a != 3u)"),
        ("return a << 1;", "return a >> 1;"),
        ("return a << 1;", "return a << 0;"),
        ("return a << 1;", "return a << 2;"),
        ("count(a); // a + 1", "; // a + 1"),
        ('return "a + b"[0];', 'return "a + b"[1];'),
    ]


def test_a_change_is_in_one_place_alone() -> None:
    for change in changes_of(C_SOURCE):
        before, after = C_SOURCE.splitlines(), change.source.splitlines()
        assert len(before) == len(after)
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_report_counts_what_is_reached() -> None:
    mutants = [Mutant("a.py", "noticed")] * 3 + [
        Mutant("a.py", "unnoticed", "x < 1", "x <= 1"),
        Mutant("a.py", "unreached"),
    ]
    assert report(mutants).splitlines() == [
        "| `a.py` | 5 | 4 | 3 | 75% |", "  - x < 1", "  + x <= 1", "    no reason is listed",
    ]  # fmt: skip


def test_the_command_line_tells_what_it_does_not_know(capsys, monkeypatch) -> None:
    for tool in (python_mutants, c_mutants):
        monkeypatch.setattr("sys.argv", ["mutants", "nowhere.py"])
        with pytest.raises(SystemExit, match="2"):
            tool.main()
        assert f"none of nowhere.py stands in tests/mutation/{tool.TABLE}" in capsys.readouterr().err


def test_every_package_in_scope_is_judged_somewhere() -> None:
    folders = {str(Path(file).parent) for file in judged_files(python_mutants.TABLE)}
    for package in ("tinycerb/answers", "tinycerb/bench", "tinycerb/attacks", "tinycerb/compression", "converters"):
        assert any(folder.startswith(package) for folder in folders), package
