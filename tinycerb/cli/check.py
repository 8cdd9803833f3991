"""`tinycerb check`: is a run what it says it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinycerb import file_names
from tinycerb.cli.options import AsJson, ExistingRun

if TYPE_CHECKING:
    from pathlib import Path

    from tinycerb.check.verdict import Verdict

Seal = Annotated[
    bool,
    typer.Option(
        "--seal",
        help="First take what the manifest does not know, and a changed config.toml, into it as they lie there.",
    ),
]


def check(path: ExistingRun, seal: Seal = False, as_json: AsJson = False) -> None:
    """Check a run: its files against its manifest, its figures and pages against the cells that they come from.

    Exit 1 if anything differs. Nothing is changed and nothing is trained; what is damaged is made again by going on
    with --resume. Whoever edits files and manifest alike is not found out: compare the manifest's own SHA-256 with one
    that you were told.
    """
    import json

    from tinycerb.check.verdict import check_runs
    from tinycerb.errors import GateError
    from tinycerb.matrix.seeds import seed_runs
    from tinycerb.run.directory import RunDirectory

    if seal:
        _seal(path)
    root = RunDirectory.open(path)
    # A run that is no matrix has no other seeds on the disk.
    runs = [run for run in seed_runs(root, create=False) if run is root or (run.path / file_names.CONFIG).is_file()]
    verdict = check_runs(runs)
    if as_json:
        typer.echo(json.dumps(_table(root.path, verdict)))
    else:
        _print(verdict)
    if verdict.differences:
        count = len(verdict.differences)
        remedy = f"mend it with the command that made it and --resume {path}"
        if not root.has_seal:
            remedy = f"take it into a manifest as it lies there: tinycerb check {path} --seal"
        raise GateError(f"{path} is not as it was made: {count} difference{'s' if count > 1 else ''}; {remedy}")


def _seal(path: Path) -> None:
    from tinycerb.errors import UsageError
    from tinycerb.run.directory import locked
    from tinycerb.seal.care import adopt

    if not (path / file_names.CONFIG).is_file():
        raise UsageError(f"{path} is no run directory (no config.toml)")
    for root in (path, *sorted(each.parent for each in path.glob("seeds/*/config.toml"))):
        with locked(root):
            typer.echo(f"{root}: {adopt(root)} files taken into the manifest as they are", err=True)


def _print(verdict: Verdict) -> None:
    for note in verdict.notes:
        typer.echo(f"ok         {note}")
    for versions in verdict.versions:
        typer.echo(f"made with  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    for difference in verdict.differences:
        typer.echo(f"differs    {difference.file} {difference.what}")


def _table(path: Path, verdict: Verdict) -> dict:
    from dataclasses import asdict

    return {
        "schema_version": 1,
        "run": str(path),
        "sound": not verdict.differences,
        "differences": [asdict(each) for each in verdict.differences],
        "notes": list(verdict.notes),
        "versions": list(verdict.versions),
    }
