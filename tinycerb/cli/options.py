"""Options that several commands share.

Commands import what they work with in their bodies: `--help` must answer at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinycerb.errors import UsageError

if TYPE_CHECKING:
    from tinycerb.run_dir import RunDirectory

Preset = Annotated[
    str | None,
    typer.Argument(help="A preset (demo, smoke) or the path of a .toml file.", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value, e.g. --set training.dense_epochs=5."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Directory of the new run. Default: runs/<time>-<name>-<hash>.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Delete an older run at --out first.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", metavar="RUN", help="Go on with this run.", show_default=False),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", min=0, max=256, help="Tasks side by side. 0: one per core.", envvar="TINYCERB_JOBS"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ExistingRun = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]


def new_or_resumed_run(
    preset: str | None, overrides: list[str] | None, out: Path | None, force: bool, resume: Path | None
) -> RunDirectory:
    """Creates a run from a preset, or opens the one to resume.

    Raises:
        UsageError: both or neither are given, or the preset is wrong.
    """
    from tinycerb.config import load_config
    from tinycerb.jobs.plan import check_names
    from tinycerb.run_dir import RunDirectory

    if (preset is None) == (resume is None):
        raise UsageError("give either a preset (tinycerb run demo) or --resume RUN")
    if resume is not None:
        if overrides or out or force:
            raise UsageError("--resume takes the run as it was configured: leave out --set, --out and --force")
        return RunDirectory.open(resume)
    config = load_config(str(preset), overrides or [])
    check_names(config)
    return RunDirectory.create(config, out, force)
