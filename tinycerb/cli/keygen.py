"""`tinycerb keygen`: the secret of a device."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(help="Where the secret goes.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


def keygen(file: File, force: Force = False) -> None:
    """Make a device's secret, for `tinycerb flash --key FILE`.

    Only you can read the file, it is never printed, and a place that git would track is refused.
    """
    from tinycerb.boards.secret import make_secret

    make_secret(file, replace=force)
    typer.echo(str(file))
