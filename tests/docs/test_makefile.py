"""The Makefile: its head lists the targets in order, and benchmarks are found through it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text()
HEAD = TEXT[: TEXT.index("\n\n")]
RULES = dict(re.findall(r"^([a-z0-9-]+):(?!=).*\n((?:\t.*\n)*)", TEXT, re.MULTILINE))
# What others stand on; nobody calls them by name.
STEPS = {
    "data", "firmware-tools", "llvm-tools", "cxx-tools", "fuzz-tools", "rp2040js", "run-given", "upstream-given",
}  # fmt: skip
BENCHMARKS = sorted(path.stem for path in (ROOT / "tests" / "benchmarks").glob("*.py"))


def test_the_head_lists_all_targets_in_their_order() -> None:
    listed = re.findall(r"^# make ([a-z0-9-]+)", HEAD, re.MULTILINE)
    assert listed == [target for target in RULES if target not in STEPS]


def test_every_target_is_phony() -> None:
    phony = " ".join(re.findall(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE)).split()
    assert sorted(phony) == sorted(RULES)


@pytest.mark.parametrize("module", BENCHMARKS)
def test_a_benchmark_has_a_target_which_pages_name(module: str) -> None:
    (target,) = [name for name, recipe in RULES.items() if f"tests.benchmarks.{module} " in recipe.replace("\n", " ")]
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    assert any(f"make {target}" in page.read_text().replace("\n", " ") for page in pages)
    assert not any(f"tests.benchmarks.{module}" in page.read_text() for page in pages), f"say make {target}"
    assert f"make {target}" in (ROOT / "tests" / "benchmarks" / f"{module}.py").read_text()


def test_programs_that_the_makefile_runs_are_there() -> None:
    modules = re.findall(r"python -m (tests\.[\w.]*\w)", TEXT)
    assert len(modules) > len(BENCHMARKS)
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or path.is_dir(), module


@pytest.mark.parametrize("target", ["bench-attacks", "bench-gradients", "bench-art"])
def test_a_benchmark_of_a_run_asks_for_it_before_anything_is_installed(target: str) -> None:
    # `make test` hands its level down, and a make below another one announces its directories.
    own = {name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}}
    done = subprocess.run(["make", target], cwd=ROOT, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"error: RUN is empty; expected: the directory of a finished run, as in make {target} RUN=" in done.stderr
