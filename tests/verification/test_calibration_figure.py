"""The calibration's figure: drawn from what the benchmark has kept, and from nothing less."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks import ownership
from tests.benchmarks.ownership_table.calibration import kept, kept_file
from tests.benchmarks.ownership_table.calibration_figure import figure, shares_at_or_below
from tinycerb.errors import UsageError

DOCS = Path(__file__).parents[2] / "docs"


def keep(folder: Path, keys: int) -> np.ndarray:
    """P-values of three models under fresh keys, kept as the benchmark keeps them."""
    folder.mkdir()
    p = np.random.default_rng(3).integers(1, 10_001, (keys, 3)) / 10_000
    for first in range(0, keys, 50):
        np.savez(kept_file(folder, 3, first), p=p[first : first + 50])
    return p


def test_shares_are_counted_at_the_level_too() -> None:
    p = np.array([[0.1, 0.2], [0.2, 0.9]])
    assert shares_at_or_below(p, np.array([0.05, 0.1, 0.2, 1])).tolist() == [0, 0.25, 0.75, 1]


def test_the_figure_is_drawn_from_what_is_kept(tmp_path: Path, monkeypatch, capsys) -> None:
    p = keep(tmp_path / "committed", 120)
    assert (kept(tmp_path / "committed", 3, 120) == p).all()
    file = tmp_path / "figure.png"
    words = ["--committed", "--out", str(tmp_path), "--networks", "3", "--keys", "120", "--figure", str(file)]
    monkeypatch.setattr(sys, "argv", ["ownership", *words])
    ownership.main()
    assert Image.open(io.BytesIO(file.read_bytes())).size == (500, 400)
    assert file.read_bytes() == figure(p)
    assert file.read_bytes() != figure(p**2)
    assert f"| {(p <= 0.5).mean():.4f} | {(p <= 0.2).mean():.4f} |" in capsys.readouterr().out


@pytest.mark.parametrize(("keys", "there"), [(121, 120), (151, 120), (200, 120)])
def test_fewer_keys_than_are_asked_for_are_said(tmp_path: Path, keys: int, there: int) -> None:
    keep(tmp_path / "committed", 120)
    with pytest.raises(UsageError, match=rf"under {there} keys, not {keys}; measure them with: .*--keys {keys}"):
        kept(tmp_path / "committed", 3, keys)


def test_nothing_kept_is_a_wrong_call(tmp_path: Path, monkeypatch, capsys) -> None:
    words = ["--committed", "--out", str(tmp_path), "--figure", str(tmp_path / "figure.png")]
    monkeypatch.setattr(sys, "argv", ["ownership", *words])
    with pytest.raises(SystemExit) as ended:
        ownership.main()
    assert ended.value.code == 2
    assert "40 networks under 0 keys, not 1000" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "figure.png").exists()


def test_the_page_shows_a_small_one() -> None:
    """Beside the command that draws it."""
    page = (DOCS / "ownership.md").read_text()
    assert "](ownership-calibration.png)" in page
    assert "--figure docs/ownership-calibration.png" in page
    committed = (DOCS / "ownership-calibration.png").read_bytes()
    assert Image.open(io.BytesIO(committed)).size == (500, 400)
    assert len(committed) < 60_000
