"""`tinycerb ownership`: the owner's key."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Make an owner key, which a defence's random teachers come from.")
KeyFile = Annotated[Path, typer.Argument(metavar="KEY", help="The key's file.", show_default=False)]
Replace = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


@app.command("new")
def new(key: KeyFile, force: Replace = False) -> None:
    """Make a key, for `tinycerb run --owner KEY`; prints its hash.

    Only you can read the file, the key is never printed, and a place that git would track is refused.
    """
    from tinycerb.ownership.owner_key import new_owner_key, write_owner_key

    made = new_owner_key()
    write_owner_key(key, made, replace=force)
    typer.echo(made.hash)


@app.command("show")
def show(key: KeyFile) -> None:
    """Print a key's hash: what cards, metrics and reports say of it."""
    from tinycerb.ownership.owner_key import read_owner_key

    typer.echo(read_owner_key(key).hash)
