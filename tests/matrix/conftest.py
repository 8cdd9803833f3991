"""A matrix on the smoke run's victims, and one that ran undisturbed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import run_cli
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.care import adopt

CELLS = 9


def make_matrix(smoke_run: RunDirectory, path: Path) -> RunDirectory:
    """Copies the smoke run, without its cells, as a matrix of nine."""
    shutil.copytree(smoke_run.path, path)
    shutil.rmtree(path / "cells")
    shutil.rmtree(path / "answers")
    config = smoke_run.config
    own = replace(config.attacks[0], name="own-kind", query_pool="in_distribution", epochs=3)
    bench = replace(config.bench, budgets=(200, 600))
    changed = replace(config, bench=bench, attacks=(config.attacks[0], own))
    (path / "config.toml").write_text(changed.to_toml())
    adopt(path)
    return RunDirectory(path, changed)


@pytest.fixture
def matrix(smoke_run, tmp_path: Path) -> RunDirectory:
    """A matrix of which nothing is done."""
    return make_matrix(smoke_run, tmp_path / "matrix")


@pytest.fixture(scope="session")
def undisturbed(smoke_run, tmp_path_factory) -> RunDirectory:
    """A matrix that ran in one go; read it, do not change it."""
    root = make_matrix(smoke_run, tmp_path_factory.mktemp("undisturbed") / "matrix")
    finished = run_cli("bench", "matrix", "--resume", root.path, "--jobs", 2)
    assert finished.returncode == 0, finished.stderr
    (root.path / "stdout.txt").write_text(finished.stdout)
    (root.path / "stderr.txt").write_text(finished.stderr)
    return root


@pytest.fixture(scope="session")
def cells_of() -> Callable[[RunDirectory], dict[str, bytes]]:
    """Returns the bytes of a matrix's cells by file name."""
    return lambda run: {path.name: path.read_bytes() for path in (run.path / "cells").glob("*.json")}
