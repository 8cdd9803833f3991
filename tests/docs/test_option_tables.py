"""The tables of options in the documentation are those that the code declares."""

import re

import pytest

from tests.docs.option_tables import DOCS, KINDS, MARKS, with_tables

PAGES = [page for page in sorted(DOCS.glob("*.md")) if MARKS.search(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_s_tables_are_those_of_the_code(page) -> None:
    text = page.read_text()
    assert with_tables(text) == text, "the tables are old: make docs-tables"


def test_every_kind_has_a_table_and_every_attack_one_place() -> None:
    marks = [mark.groups() for page in PAGES for mark in MARKS.finditer(page.read_text())]
    assert {kind for _, what, kind, _, _ in marks if what == "options"} == set(KINDS)
    named = [name for _, _, kind, names, _ in marks if kind == "attacks" for name in names.split(", ")]
    with_options = {name for name, owner in KINDS["attacks"]().items() if owner.__dataclass_fields__}
    assert sorted(named) == sorted(with_options)


def test_a_table_that_is_old_is_written_anew() -> None:
    page = "before\n<!-- options of attacks: s4l -->\n| old |\n<!-- end -->\nafter\n"
    assert with_tables(page) == (
        "before\n<!-- options of attacks: s4l -->\n| of | option | default | allowed | meaning |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `s4l` | `weight` | `1.0` | 0 to 100 | weight of the turns' cross-entropy |\n"
        "<!-- end -->\nafter\n"
    )
    assert with_tables(with_tables(page)) == with_tables(page)
    assert with_tables("<!-- options of nothing known here") == "<!-- options of nothing known here"


def test_no_cell_breaks_its_row() -> None:
    for page in PAGES:
        for mark in MARKS.finditer(page.read_text()):
            rows = mark[0].splitlines()[1:-1]
            assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1, page.name
