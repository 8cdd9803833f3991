"""`tinycerb bench leak`: what a defended answer still tells off the task."""

import json
from typing import Annotated, Any

import typer

from tinycerb.cli.options import AsJson, ExistingRun

Family = Annotated[list[str] | None, typer.Option("--family", help="A procedural family. Default: all held out.")]
Images = Annotated[int, typer.Option(min=100, help="Images per family.")]


def leak(run: ExistingRun, family: Family = None, images: Images = 2000, as_json: AsJson = False) -> None:
    """Measure the leak of a run's victims on procedural families that they were not trained on.

    Leak: normalised mutual information of the defended label and the undefended one, over images where the undefended
    network is over .9 sure. 0: nothing is told; 1: all, if only under other names.
    """
    from rich.console import Console
    from rich.table import Table

    from tinycerb.bench.leak import measure_leak
    from tinycerb.run_dir import RunDirectory

    found = measure_leak(RunDirectory.open(run), images, family or ())
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table(title=f"leak, one answer / mean head; {images:,} images per family")
    table.add_column("family", overflow="fold")
    table.add_column("sure", justify="right")
    names = list(next(iter(found["families"].values()))["victims"])
    for name in names:
        table.add_column(name, justify="right", overflow="fold")
    for name, row in found["families"].items():
        cells = [_cell(row["victims"][victim]) for victim in names]
        table.add_row(name + (" (trained on)" if row["trained_on"] else ""), f"{row['sure_images']:,}", *cells)
    Console().print(table)


def _cell(victim: dict[str, Any]) -> str:
    values = (victim["leak_answer"], victim["leak_mean_head"])
    return " / ".join("-" if value is None else f"{value:.2f}" for value in values)
