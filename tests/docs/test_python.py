"""The Python of README and docs/python.md is run, all but trainings: a finished run stands in their place."""

import inspect
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import tinycerb
from tests.docs.test_guides import BLOCK
from tinycerb.api.inputs import data_source, model_source
from tinycerb.api.train import Run, _as_layers
from tinycerb.config import load_config
from tinycerb.config.user_sources import Sources
from tinycerb.datasets import load_dataset
from tinycerb.run.directory import RunDirectory

ROOT = Path(__file__).parents[2]
PAGES = {"README.md": 1, "docs/python.md": 4}


def blocks(page: str) -> list[str]:
    return [text for language, text in BLOCK.findall((ROOT / page).read_text()) if language == "python"]


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_runs(
    page: str, smoke_run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    finished = Path(shutil.copytree(smoke_run.path, tmp_path / "finished"))
    really, trained = tinycerb.train, []

    def train(*arguments, **options) -> Run:
        """As the page calls it, its configuration is made; what is trained already is handed on."""
        given = inspect.signature(really).bind(*arguments, **options).arguments
        sources = Sources(model_source(given.get("model"), tmp_path), data_source(given.get("data"), tmp_path))
        base, overrides = _as_layers(given.get("preset", "custom"), given.get("settings", {}))
        trained.append(load_config(str(base), overrides, sources))
        return really(resume=finished, progress=False)

    monkeypatch.setattr(tinycerb, "train", train)
    images = load_dataset(smoke_run.config.data).test.images
    images = np.concatenate([images, images])
    names: dict[str, object] = {}
    for block in blocks(page):
        # Of the finished run's kind, whatever a page has trained on.
        names["images"] = images
        exec(compile(block, page, "exec"), names)
    assert len(trained) == 1
    told = capsys.readouterr().out
    assert re.search(r"^0\.\d+$|cerberos 0\.\d+ 500$", told, re.MULTILINE)
    assert str(finished / "report.pdf") in told
    if page != "README.md":
        assert "there is no nothing.tflite" in told
        assert trained[0].seed == 2


def test_no_block_is_left_out() -> None:
    assert {page: len(blocks(page)) for page in PAGES} == PAGES
    others = [path for path in (ROOT / "docs").rglob("*.md") if f"docs/{path.name}" not in PAGES]
    assert not [path for path in others if "tinycerb.train(" in path.read_text()]
