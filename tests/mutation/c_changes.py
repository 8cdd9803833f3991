"""Small wrong changes to a C source: operators, comparisons, constants off by one, statements left out."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

# What stands in for an operator; longer operators are found first.
_OPERATORS: dict[str, tuple[str, ...]] = {
    "<<=": (">>=",), ">>=": ("<<=",), "<<": (">>",), ">>": ("<<",),
    "<=": ("<", ">"), ">=": (">", "<"), "==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
    "+=": ("-=", "="), "-=": ("+=", "="), "*=": ("+=",), "^=": ("|=",), "|=": ("&=",), "&=": ("|=",),
    "++": ("--",), "--": ("++",), "->": (),
    "<": ("<=", ">"), ">": (">=", "<"), "+": ("-",), "-": ("+",), "*": ("+",), "/": ("*",), "%": ("*",),
    "&": ("|",), "|": ("&",), "^": ("|",), "!": ("",), "~": ("",),
}  # fmt: skip
_INSTEAD: dict[str, tuple[str, ...]] = {**_OPERATORS, "continue": ("break",), "break": ("continue",)}
_TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*'|^[ \t]*#[^\n]*"  # comments, texts and directives stay
    r"|(?P<number>\b(?:0[xX][0-9a-fA-F]+|\d+)(?=[uUlL]*\b))|(?P<word>\b[A-Za-z_]\w*)"
    r"|(?P<operator>" + "|".join(map(re.escape, _OPERATORS)) + ")",
    re.DOTALL | re.MULTILINE,
)
_STATEMENT = re.compile(
    r"^[ \t]+(?:[\w>.\[\]-]+ *[-+|&^]?= *[^;{}=]+|\w+\([^;{}]*\)|[\w>.-]+(?:\+\+|--));", re.MULTILINE
)


@dataclass(frozen=True)
class Change:
    """A source with one wrong change.

    Attributes:
        was: the line before, without indentation.
        became: the line after.
        source: the whole source after.
    """

    was: str
    became: str
    source: str


def changes_of(source: str) -> list[Change]:
    """Returns all changes, in the order of the source."""
    found = []
    for start, end, text in sorted(_places(source)):
        changed = source[:start] + text + source[end:]
        begin = source.rfind("\n", 0, start) + 1
        was, became = source[begin : _line_end(source, end)], changed[begin : _line_end(changed, start + len(text))]
        found.append(Change(" ".join(was.split()), " ".join(became.split()), changed))
    return found


def draw(changes: list[Change], most: int, seed: int) -> list[Change]:
    """Returns `most` of the changes at most, drawn by `seed`."""
    return changes if len(changes) <= most else random.Random(seed).sample(changes, most)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _places(source: str) -> Iterator[tuple[int, int, str]]:
    """Every place that is changed: from, to, and what stands there instead."""
    for token in _TOKEN.finditer(source):
        for text in _instead(token):
            yield token.start(), token.end(), text
    for statement in _STATEMENT.finditer(source):
        indentation = len(statement[0]) - len(statement[0].lstrip())
        yield statement.start() + indentation, statement.end(), ";"


def _instead(token: re.Match[str]) -> tuple[str, ...]:
    if number := token["number"]:
        value = int(number, 0) if number.lower().startswith("0x") else int(number)
        return tuple(str(each) for each in (value + 1, value - 1) if each >= 0)
    return _INSTEAD.get(token["word"] or token["operator"] or "", ())
