"""Text that people have brought along, such as names of classes and files: on a page it is text and nothing else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

Content = TypeVar("Content")

# In place of a character that cannot be shown.
_NO_CHARACTER = "\ufffd"
# Sentences of ours are shorter, and no reader misses the rest of a name.
_MOST_CHARACTERS, _MOST_IN_A_WORD = 2000, 200
_MOST_IN_A_LINE = 200
# On a screen letters are moved to whole pixels.
_HINTED = 1.07
# What would begin code, a cell, a formula, a heading, emphasis, or end the text of a link.
_MARKDOWN = re.compile(r"[\\`|~$#]|\*(?=\S)|\](?=[(\[:])|(?<![^\W_])_(?=\S)")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def clean(content: Content, show: Callable[[str], str] | None = None) -> Content:
    """Returns a report's figures with every text in them as one line that can be shown, of bounded length.

    Args:
        content: what JSON holds: tables, lists, texts, numbers. Texts that are alike stay alike.
        show: what is done to a text besides; by default nothing.
    """
    return _clean(content, show or str)


def _clean(content: Any, show: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        most = _MOST_CHARACTERS if " " in content else _MOST_IN_A_WORD
        kept = content if len(content) <= 2 * most else content[:most] + content[-most:]
        return show(shortened("".join(map(_shown, kept)), most))
    if isinstance(content, list | tuple):
        return [_clean(item, show) for item in content]
    if isinstance(content, dict):
        return {_clean(key, show): _clean(value, show) for key, value in content.items()}
    return content


def drawable(text: str) -> str:
    """Returns a text without what the pages' fonts have no glyph for."""
    known = "".join(character if ord(character) in _glyphs() else _NO_CHARACTER for character in text)
    # Matplotlib takes labels that begin so out of legends.
    return f"\u00a0{known}" if known.startswith("_") else known


def shortened(text: str, most: int) -> str:
    """Returns a text of at most so many characters; an ellipsis stands for what is left out in its middle."""
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def fitted(text: str, points: float, size: float, weight: str = "normal") -> str:
    """Returns a drawable text, shortened until it is at most so many points wide in letters of this size."""
    text = shortened(text, _MOST_IN_A_LINE)
    for most in range(len(text), 0, -1):
        cut = shortened(text, most)
        if width_of(cut, size, weight) <= points:
            return cut
    return ""


def wrapped(text: str, characters: int, points: float, size: float) -> list[str]:
    """Returns a drawable text in lines of at most so many characters, fewer where its letters are wide."""
    lines = textwrap.wrap(text, characters)
    while characters > 1 and any(width_of(line, size) > points for line in lines):
        characters -= max(characters // 10, 1)
        lines = textwrap.wrap(text, characters)
    return lines


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Returns how many points a drawable text is wide at most in letters of this size."""
    return _HINTED * size * sum(_advance(character, weight) for character in text)


def markdown(text: str) -> str:
    """Returns a text as Markdown that shows it as it is, in a paragraph, a list or a cell of a table."""
    escaped = _MARKDOWN.sub(lambda found: f"\\{found[0]}", text)
    return "".join(_HTML.get(character, character) for character in escaped)


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    # Control characters, halves of surrogates, and marks that turn the direction of what follows.
    return character if character.isprintable() else _NO_CHARACTER


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Code points that the pages' normal and bold letters have; what the typewriter's lack, those give."""
    return frozenset(_face("normal").get_charmap()) & frozenset(_face("bold").get_charmap())


@lru_cache(maxsize=4096)
def _advance(character: str, weight: str) -> float:
    """Width of a letter in sizes of the font."""
    face = _face(weight)
    face.set_size(1, 72)
    return face.load_char(ord(character)).linearHoriAdvance / 2**16


def _face(weight: str) -> FT2Font:
    # Markdown and tables of a terminal need no fonts.
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
