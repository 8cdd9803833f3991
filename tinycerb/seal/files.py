"""The one door through which a run's artefacts are written and read; files outside of a run pass as they are."""

import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb import atomic, file_names
from tinycerb.bounded import files as bounded
from tinycerb.bounded.arrays import read_npz_from
from tinycerb.bounded.files import memory_limit
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.seal.manifest import Entry, Manifest
from tinycerb.seal.remedies import IRREPLACEABLE, is_artefact, remedy
from tinycerb.seal.versions import key_of, versions_now

_SHOWN_DIGITS = 12
_manifests: dict[Path, Manifest] = {}
_inputs: ContextVar[str] = ContextVar("inputs", default="")
_code: ContextVar[str] = ContextVar("code", default="")
_only_looking: ContextVar[bool] = ContextVar("only_looking", default=False)


class Damaged(EnvironmentProblem):
    """An artefact is not the one that was written."""


def manifest_of(path: Path) -> Manifest | None:
    """Returns the manifest of the run whose artefact a file is, or None: it is none, or of a run without a seal."""
    whole = path.absolute()
    root = next((folder for folder in whole.parents if (folder / file_names.CONFIG).is_file()), None)
    if root is None or not is_artefact(whole.relative_to(root).as_posix()):
        return None
    return manifest_in(root)


def manifest_in(root: Path) -> Manifest | None:
    """Returns the manifest of a run directory, or None: it has no seal."""
    root = root.absolute()
    if not Manifest.is_there(root):
        return None
    return _manifests.setdefault(root, Manifest(root))


@contextmanager
def only_looking() -> Iterator[None]:
    """Inside, nothing is moved aside, whatever is found."""
    token = _only_looking.set(True)
    try:
        yield
    finally:
        _only_looking.reset(token)


@contextmanager
def made_from(paths: Iterable[Path], code: str = "") -> Iterator[None]:
    """What is written inside is said to be made from these files, as they are now, by code of this digest."""
    inputs, by = _inputs.set(inputs_digest(paths)), _code.set(code)
    try:
        yield
    finally:
        _inputs.reset(inputs)
        _code.reset(by)


def inputs_digest(paths: Iterable[Path]) -> str:
    """Returns a digest of what the manifest says about files; empty in a run without a seal."""
    lines = []
    for path in paths:
        manifest = manifest_of(path)
        if manifest is None:
            return ""
        manifest.refresh()
        entry = manifest.entries.get(_name(manifest, path))
        lines.append(f"{_name(manifest, path)} {entry.sha256 if entry else ''}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, and notes its digest in the run's manifest.

    Raises:
        EnvironmentProblem: it cannot be written; then nothing has changed.
    """
    write_into(manifest_of(path), path, content)


def write_into(manifest: Manifest | None, path: Path, content: bytes) -> None:
    """Writes a file whose run is not whole yet; else as `write_bytes`."""
    if manifest is None:
        atomic.write_bytes(path, content)
        return
    manifest.refresh()
    name = _name(manifest, path)
    old = manifest.entries.get(name)
    entry = Entry(
        file=name,
        sha256=hashlib.sha256(content).hexdigest(),
        made_by=key_of(versions_now()),
        # Whoever amends a file goes on from what it was made from.
        inputs=_inputs.get() or (old.inputs if old else ""),
        code=_code.get() or (old.code if old else ""),
    )
    atomic.write_bytes(path, content, lambda: manifest.add([entry]) if entry != old else None)


def write_text(path: Path, content: str) -> None:
    """Writes UTF-8 text; see `write_bytes`."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Writes a JSON object, without NaN and infinity, which JSON has not; see `write_bytes`."""
    write_bytes(path, atomic.pack_json(content))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays as an uncompressed .npz; see `write_bytes`."""
    write_bytes(path, atomic.pack_arrays(arrays))


def read_bytes(path: Path) -> bytes:
    """Reads a file and compares it with the manifest of its run.

    Raises:
        EnvironmentProblem: it cannot be read.
        Damaged: it is not the one that was written; it was moved aside to `NAME.damaged`, and the message says what
            makes it again.
    """
    manifest = manifest_of(path)
    most = memory_limit()
    try:
        content = bounded.read_bytes(path, most)
        if manifest is None or _is_the_one(manifest, path, content):
            return content
        # It may have been written between the look at it and the look at the manifest.
        content = bounded.read_bytes(path, most)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error
    if _is_the_one(manifest, path, content):
        return content
    raise Damaged(f"{set_aside(manifest, path, content)}; {remedy(manifest.root, path.name)}")


def read_text(path: Path) -> str:
    """Reads UTF-8 text; errors as `read_bytes`."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise EnvironmentProblem(f"{path} is no UTF-8 text: {error.reason}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        EnvironmentProblem: it is missing, no JSON object, or `Damaged` as in `read_bytes`.
    """
    return atomic.parse_json(path, read_bytes(path))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads the arrays of an .npz.

    Raises:
        EnvironmentProblem: it is missing, no .npz of plain arrays, or `Damaged` as in `read_bytes`.
    """
    content = read_bytes(path)
    try:
        return read_npz_from(io.BytesIO(content), path)
    except EnvironmentProblem as error:
        raise EnvironmentProblem(f"{path} is no .npz file of arrays ({error}); delete it to make it again") from error


def verify(path: Path) -> None:
    """Reads a file to see that it is the one that was written, for others who will read it; errors as `read_bytes`."""
    read_bytes(path)


def unmake(path: Path) -> None:
    """Removes the artefact that a task writes last, where the task begins anew: until then it is not done.

    Raises:
        EnvironmentProblem: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise atomic.describe_os_error(path, error) from error


def is_made(path: Path, inputs: str = "", codes: Collection[str] = ()) -> bool:
    """Whether a file is there and the manifest knows it; its bytes are not looked at.

    Args:
        path: the file.
        inputs: what `inputs_digest` says now of what it is made from: one that was made from others is not there.
        codes: digests of the code that may have made it: one that other code has made is not there; none for any code.
    """
    manifest = manifest_of(path)
    if manifest is None or not path.is_file():
        return path.is_file()
    manifest.refresh()
    entry = manifest.entries.get(_name(manifest, path))
    if entry is None or not entry.sha256:
        return False
    if codes and not entry.adopted and entry.code not in codes:
        return False
    return not (inputs and entry.inputs and entry.inputs != inputs)


def was_made(path: Path) -> bool:
    """Whether the manifest has ever known a file, be it there or not."""
    manifest = manifest_of(path)
    if manifest is None:
        return path.is_file()
    manifest.refresh()
    return _name(manifest, path) in manifest.entries


def is_sound(path: Path) -> bool:
    """Whether a file is there and is the one that was written; nothing is moved."""
    manifest = manifest_of(path)
    try:
        content = bounded.read_bytes(path, memory_limit())
    except (OSError, UsageError):
        return False
    return manifest is None or _is_the_one(manifest, path, content)


def set_aside(manifest: Manifest, path: Path, content: bytes) -> str:
    """Moves a damaged file aside if it can be made again; returns what is wrong with it and where it is now."""
    entry = manifest.entries.get(_name(manifest, path))
    if entry is None or not entry.sha256:
        fault = f"{path} is not in the run's manifest: something else has put it there"
    else:
        found = hashlib.sha256(content).hexdigest()
        fault = f"{path} is damaged: SHA-256 {found[:_SHOWN_DIGITS]}..., expected {entry.sha256[:_SHOWN_DIGITS]}..."
    if path.name in IRREPLACEABLE:
        return fault
    moved = move_aside(path)
    if moved:
        with suppress(EnvironmentProblem):
            manifest.add([Entry(_name(manifest, path), "", key_of(versions_now()))])
    return fault + moved


def move_aside(path: Path) -> str:
    """Moves a file to `NAME.damaged`; returns what is to be said about that."""
    aside = path.with_name(f"{path.name}.damaged")
    if not _only_looking.get():
        # In a folder that cannot be written it stays; nobody believes it there either.
        with suppress(OSError):
            path.replace(aside)
            return f"; moved to {aside.name}"
    return ""


def _is_the_one(manifest: Manifest, path: Path, content: bytes) -> bool:
    """Whether it is the file of the last line about it, or of the one before, whose successor a kill kept away."""
    manifest.refresh()
    name, found = _name(manifest, path), hashlib.sha256(content).hexdigest()
    lines = (manifest.entries.get(name), manifest.before.get(name))
    return found in [line.sha256 for line in lines if line is not None]


def _name(manifest: Manifest, path: Path) -> str:
    return path.absolute().relative_to(manifest.root).as_posix()
