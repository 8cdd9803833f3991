"""`tinycerb convert`: trained victims to int8 files."""

import typer

from tinycerb.cli.options import ExistingRun, Jobs, Quiet


def convert(path: ExistingRun, jobs: Jobs = 0, quiet: Quiet = False) -> None:
    """Convert the trained victims of a run to int8 .tflite files with head selection, and check them."""
    from tinycerb.atomic import read_json
    from tinycerb.cli.workflow import work
    from tinycerb.run_dir import RunDirectory

    directory = RunDirectory.open(path)
    with directory.locked():
        work(directory, ("convert",), jobs, quiet)
    for victim in directory.config.victims:
        card = read_json(directory.victim(victim.name) / "model.json")
        typer.echo(f"{directory.model(victim.name)}  {card['file_bytes']:,} bytes, {card['heads']} head(s)")
    typer.echo(f"converted; next: tinycerb bench {path}")
