"""Runs as a kill would have left them, and whether two of them have come to the same."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinycerb.seal.care import covered_files
from tinycerb.seal.manifest import NAME

_CHECKPOINT, _FINISHED, _ANSWERS = "checkpoint.npz", "training.json", "answers"
# Clocks are in them.
_TIMED = ("epoch_times.csv", "latency.json", "env.json", "report.pdf", "model_card.md")


def lines_of(run: Path) -> list[str]:
    """Returns the lines of a run's manifest."""
    return (run / NAME).read_text().splitlines(keepends=True)


def cut_back(reference: Path, target: Path, line: int) -> Path:
    """Copies a finished run as it was when its manifest had so many lines.

    Of a file that was written several times the last version alone is known: where it came later, there is none.
    """
    lines = lines_of(reference)
    if not any('"config.toml"' in text for text in lines[:line]):
        # Nothing else is there before the configuration is.
        target.mkdir()
        shutil.copy(reference / "env.json", target)
    else:
        shutil.copytree(reference, target)
    (target / NAME).write_text("".join(lines[:line]))
    written = {json.loads(text)["file"]: index for index, text in enumerate(lines) if '"file"' in text}
    for name, last in written.items():
        if last >= line:
            (target / name).unlink(missing_ok=True)
    return target


def differences(found: Path, reference: Path) -> Iterator[str]:
    """Names the artefacts of a run that are not byte for byte those of another; figures without their times."""
    for path in covered_files(reference):
        name = path.relative_to(reference)
        if path.name in _TIMED or _put_away(found / name):
            continue
        if not (found / name).is_file():
            yield f"{name} is missing"
        elif path.name in ("metrics.json", "results.json"):
            if _without_times(found / name) != _without_times(path):
                yield f"{name} has other figures"
        elif (found / name).read_bytes() != path.read_bytes():
            yield f"{name} has other bytes"


def _put_away(path: Path) -> bool:
    """Whether it is damaged, put away, and of use to nobody any more: nothing reads it, nothing makes it again.

    That is the checkpoint of a training that is finished, and remembered answers: whatever cell wants them asks anew,
    and cells are compared byte by byte.
    """
    if not path.with_name(f"{path.name}.damaged").exists():
        return False
    return path.parent.name == _ANSWERS or (path.name == _CHECKPOINT and path.with_name(_FINISHED).exists())


def _without_times(path: Path) -> Any:
    content = json.loads(path.read_text())
    content.pop("provenance")
    for victim in content["victims"].values():
        victim.pop("latency", None)
    return content
