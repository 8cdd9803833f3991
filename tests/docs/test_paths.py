"""What pages, comments and docstrings name is there: paths, links, headings and modules."""

import re
from functools import cache
from pathlib import Path

import pytest

import tinycerb

ROOT = Path(__file__).parents[2]
ROOMS = ("tinycerb", "converters", "reports", "keras_models", "firmware_stub", "tests", "docs", "requirements")
FRONT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile")
# Made by others on this machine, or mere examples.
ELSEWHERE = ("node_modules", "__pycache__")
SUFFIXES = (".md", ".py", ".toml", ".c", ".h", ".S", ".cmake")


def files_below(folder: str) -> list[Path]:
    return [
        path
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in SUFFIXES and not set(path.parts) & set(ELSEWHERE)
    ]


FILES = [*(ROOT / name for name in FRONT), *(path for room in ROOMS for path in files_below(room))]
PAGES = [path for path in FILES if path.suffix == ".md"]
# A whole path from the top, that nothing else is glued to: no name in braces, no backslash of a pattern.
PATH = re.compile(rf"(?<![\w/.-])((?:{'|'.join(ROOMS)})/[\w./*-]*)(?![\w./*{{\\-])")
LINK = re.compile(r"\]\((?!https?:)([^)\s]*)\)")


def missing_paths(text: str) -> list[str]:
    named = {match.rstrip("./") for match in PATH.findall(text)}
    return sorted(name for name in named if not any(part in name for part in ELSEWHERE) and not any(ROOT.glob(name)))


# Files that a page tells its readers to make.
TO_MAKE = {"docs/extending.md": re.compile(r"^(?:#|/\*) ([\w/]+\.\w+)", re.MULTILINE)}


def test_every_path_that_is_named_exists() -> None:
    assert len(FILES) > 500
    wrong = {}
    for path in FILES:
        name, text = str(path.relative_to(ROOT)), path.read_text()
        made = set(TO_MAKE[name].findall(text)) if name in TO_MAKE else set()
        if gone := [each for each in missing_paths(text) if each not in made]:
            wrong[name] = gone
    assert wrong == {}


def test_a_path_that_is_gone_is_seen() -> None:
    gone = "/".join(("tinycerb", "attics", "old.py"))
    assert missing_paths(f"see `{gone}`, {gone}.") == [gone]
    assert missing_paths(f"{gone[:-3]}{{name}}.py") == []


@cache
def anchors(page: Path) -> set[str]:
    """Headings as the links of a page's viewer have them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_of_the_docs_is_in_their_index() -> None:
    folder = ROOT / "docs"
    linked = {link.partition("#")[0] for link in LINK.findall((folder / "README.md").read_text())}
    pages = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")} - {"README.md"}
    assert pages - linked == set()


def test_modules_that_pages_name_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"\btinycerb(?:\.\w{2,})+", page.read_text())}
    for name in named - {f"tinycerb.{function}" for function in tinycerb.__all__}:
        parts = name.split(".")
        # The last part may be a function of the module before it.
        homes = [ROOT.joinpath(*parts[:length]) for length in (len(parts), len(parts) - 1) if length > 1]
        assert any(home.is_dir() or home.with_suffix(".py").is_file() for home in homes), name


def test_where_things_are_shows_every_room() -> None:
    """README's map has the folders of the top level, and names the rooms of the application."""
    text = (ROOT / "README.md").read_text().partition("## Where things are")[2]
    for room in ROOMS:
        assert f"\n    {room}/" in text
    rooms = [path.parent.name for path in (ROOT / "tinycerb").glob("*/__init__.py") if not path.parent.is_symlink()]
    assert [room for room in rooms if f" {room}/" not in text] == []
