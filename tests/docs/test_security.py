"""Every promise of the security page names a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text())


def test_what_shows_a_promise_is_there() -> None:
    assert len(NAMED) > 20
    for path, function in NAMED:
        assert f"\ndef {function}(" in (ROOT / path).read_text(), f"{path}::{function}"


def test_every_row_of_a_table_names_what_shows_it() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "promise |" not in line]
    assert len(rows) > 20
    assert [row for row in rows if "::" not in row] == []


def test_links_between_the_pages_lead_somewhere() -> None:
    policy = ROOT / "SECURITY.md"
    for page in (PAGE, policy):
        links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", page.read_text())
        assert links
        assert [link for link in links if not (page.parent / link).exists()] == []
    assert "docs/security.md" in policy.read_text()
    assert "docs/security.md" in (ROOT / "README.md").read_text()
