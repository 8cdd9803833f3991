"""docs/experiments: every file runs from where it is, and is on the page that says what it has shown."""

from pathlib import Path

import pytest

from tinycerb.config import load_config
from tinycerb.jobs.check_names import check_names
from tinycerb.presets import EXPERIMENTS, preset_names

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "experiments"
FILES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_an_experiment_resolves_and_says_how_it_is_run(file: Path, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    path = str(file.relative_to(ROOT))
    config = load_config(path)
    check_names(config)
    assert config.name == file.stem
    assert config.owner == "public", "others are to get the same networks"
    text = file.read_text()
    comment = text[: text.index("extends")]
    assert f"tinycerb run {path} " in comment
    assert all(line.startswith("#") for line in comment.splitlines())
    assert f"`{file.name}`" in (FOLDER / "README.md").read_text()


def test_an_experiment_is_no_preset() -> None:
    names = {file.stem for file in FILES}
    assert set(EXPERIMENTS) <= names
    assert not names & set(preset_names())


def test_every_preset_has_its_line() -> None:
    """The table beside them names each, and none that is not there."""
    page = (ROOT / "tinycerb" / "presets" / "README.md").read_text()
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(rows) == preset_names()
    for name in preset_names():
        assert load_config(name).name == name
