"""Digests of the code that decides a result: results of one code are never taken for those of another.

The digest of a part is that of the file which registers it, or of the plugin which does, and of all that is imported
there from the rooms below, and so on. Comments, docstrings, formatting, line endings, the place of the installation and
what is imported for annotations alone do not change it.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from tinycerb.errors import EnvironmentProblem
from tinycerb.plugins import sources_beside

_ROOT = Path(str(resources.files("tinycerb")))
# Where parts and their building blocks stand. What runs all of them alike, such as the training loop, is not looked at.
_ROOMS = ("answers", "attacks", "defenses", "keras_models")
_DIGITS = 16
# The digests of the code that has made what carries none: results of the time before there were any. Names have changed
# in it since; the golden run (`python -m tests.golden_run check`) has shown that its results are the same.
_BEFORE = "code_before_digests.json"


def code_digest(files: Iterable[Path]) -> str:
    """Returns sixteen hexadecimal digits that stand for the code of these files and of what they import.

    Raises:
        EnvironmentProblem: a file cannot be read.
    """
    contents = sorted({_normalised(file)[0] for file in _reachable(files)})
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()[:_DIGITS]


def accepted_digests(files: Iterable[Path]) -> tuple[str, ...]:
    """Returns what a result of this code may carry: the code's digest, and "" where it has not changed since then."""
    files = [*files]
    found = [code_digest([file]) for file in files]
    unchanged = [_before().get(_name(file)) for file in files] == found
    return (code_digest(files), "") if unchanged else (code_digest(files),)


@cache
def _before() -> dict[str, str]:
    return json.loads((resources.files("tinycerb.bench") / _BEFORE).read_text())


def _name(file: Path) -> str:
    """Counted from TinyCerb's folder; of others, the whole path."""
    return file.relative_to(_ROOT).as_posix() if file.is_relative_to(_ROOT) else str(file)


def _reachable(files: Iterable[Path]) -> set[Path]:
    found: set[Path] = set()
    waiting = [*files]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _normalised(file)[1]
    return found


@cache
def _normalised(file: Path) -> tuple[str, tuple[Path, ...]]:
    """The code of a file as text, and the files of the rooms that it imports."""
    try:
        tree = ast.parse(sources_beside(file).get(file) or file.read_bytes())
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {file}, whose code decides results: {error.strerror}") from error
    imported = tuple(dict.fromkeys([*sources_beside(file), *_imported(tree)]))
    return _text(tree), imported


def _text(value: object) -> str:
    """A syntax tree as text, without what Python versions write differently: fields that are empty."""
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = {name: field for name, field in ast.iter_fields(value) if name not in ("kind", "type_comment")}
    if isinstance(value, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = _without_docstring(fields["body"])
    texts = [f"{name}={_text(field)}" for name, field in fields.items() if field is not None and field != []]
    return f"{type(value).__name__}({', '.join(texts)})"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _imported(tree: ast.AST) -> Iterator[Path]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from _files_of(names=[alias.name for alias in names])
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from _files_of(names=[f"{module}.{alias.name}" for alias in names])
        yield from _imported(node)


def _files_of(names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        package, *parts = name.split(".")
        if package == "tinycerb" and parts and parts[0] in _ROOMS and (file := _defining_file(parts)) is not None:
            yield file


def _defining_file(parts: list[str]) -> Path | None:
    """The module that a name stands for or is defined in; None for a package, which hands on what others define."""
    path = _ROOT.joinpath(*parts)
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    if path.parent.with_suffix(".py").is_file():
        return path.parent.with_suffix(".py")
    table = path.parent / "__init__.py"
    if path.is_dir() or not table.is_file():
        return None
    for node in ast.parse(table.read_bytes()).body:
        if isinstance(node, ast.ImportFrom) and node.module and parts[-1] in [alias.name for alias in node.names]:
            return _defining_file([*node.module.split(".")[1:], parts[-1]])
    return None
