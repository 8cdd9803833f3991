"""Looks after all artefacts of a run at once: before work goes on, and when a run is checked or sealed afterwards."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinycerb.bounded.files import memory_limit, read_bytes
from tinycerb.errors import EnvironmentProblem
from tinycerb.file_names import PLUGINS
from tinycerb.seal.files import manifest_in, set_aside
from tinycerb.seal.manifest import Entry, Manifest
from tinycerb.seal.remedies import IRREPLACEABLE, is_artefact, remedy

_PLACES = ("*", "dense/*/*", "victims/*/*", "cells/*", "answers/*", "plots/*", f"{PLUGINS}/*/**/*")


@dataclass(frozen=True)
class Difference:
    """An artefact that is not as the manifest says.

    Attributes:
        file: its name, counted from the run directory.
        what: what is wrong with it.
        content: its bytes, None if it is not there.
        cut_off: whether it is the one before, whose successor a kill kept away: as good as new.
    """

    file: str
    what: str
    content: bytes | None = None
    cut_off: bool = False


def covered_files(root: Path) -> Iterator[Path]:
    """Finds the artefacts of a run, whether its manifest knows them or not."""
    for place in _PLACES:
        for path in sorted(root.glob(place)):
            if is_artefact(path.relative_to(root).as_posix()) and path.is_file():
                yield path


def compare(root: Path, manifest: Manifest) -> Iterator[Difference]:
    """Compares all artefacts of a run with its manifest."""
    manifest.refresh()
    for name, entry in sorted(manifest.entries.items()):
        if not entry.sha256:
            continue
        try:
            content = read_bytes(root / name, memory_limit())
        except FileNotFoundError:
            yield Difference(name, "is missing")
            continue
        except OSError as error:
            yield Difference(name, f"cannot be read: {error.strerror}")
            continue
        found, before = hashlib.sha256(content).hexdigest(), manifest.before.get(name)
        if found != entry.sha256:
            what = f"SHA-256 is {found[:12]}..., expected {entry.sha256[:12]}..."
            yield Difference(name, what, content, before is not None and found == before.sha256)
    for path in covered_files(root):
        name = path.relative_to(root).as_posix()
        known = manifest.entries.get(name)
        if known is None or not known.sha256:
            yield Difference(name, "is not in the manifest", read_bytes(path, memory_limit()))


def mend(root: Path) -> list[str]:
    """Moves aside everything that is damaged, so that it is made again; the run must be locked.

    Returns:
        A sentence for each.

    Raises:
        EnvironmentProblem: what is damaged cannot be made again.
    """
    for part in root.rglob(".*.part"):
        # Of a process that was killed.
        part.unlink(missing_ok=True)
    manifest = manifest_in(root)
    if manifest is None:
        return []
    said = []
    for difference in list(compare(root, manifest)):
        path = root / difference.file
        if difference.content is None:
            continue
        if difference.cut_off:
            manifest.add([manifest.before[difference.file]])
            continue
        sentence = set_aside(manifest, path, difference.content)
        if path.name in IRREPLACEABLE:
            raise EnvironmentProblem(f"{sentence}; {remedy(root, path.name)}")
        said.append(f"{sentence}, and made again where it is needed")
    return said


def adopt(root: Path) -> int:
    """Takes what lies in a run into its manifest as it is; returns how many files that were.

    Damaged artefacts are left to be made again; a changed configuration is taken.
    """
    root = root.absolute()
    manifest = manifest_in(root) or Manifest.create(root)
    manifest.refresh()
    taken = []
    for path in covered_files(root):
        name, sha256 = path.relative_to(root).as_posix(), hashlib.sha256(read_bytes(path, memory_limit())).hexdigest()
        known = manifest.entries.get(name)
        changed = known is not None and name in IRREPLACEABLE and known.sha256 != sha256
        if known is None or not known.sha256 or changed:
            # Who made it is not known here.
            taken.append(Entry(name, sha256, made_by="", adopted=True))
    manifest.add(taken)
    return len(taken)
