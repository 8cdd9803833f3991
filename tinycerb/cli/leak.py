"""`tinycerb bench leak`: what a defended answer still tells off the task."""

import json
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, ExistingRun

Family = Annotated[list[str] | None, typer.Option("--family", help="A procedural family. Default: all held out.")]
Images = Annotated[int, typer.Option(min=100, help="Images per family.")]

_MEANING = (
    "0: answers off the task say nothing of what the undefended network would; 1: all of it. Leak ranks no defences:\n"
    "less of it has gone with worse protection (docs/experiments/fortress.md); what ranks: `tinycerb bench matrix`."
)


def leak(run: ExistingRun, family: Family = None, images: Images = 2000, as_json: AsJson = False) -> None:
    """Measure the leak of a run's victims on procedural families that they were not trained on.

    Leak: normalised mutual information of the defended label and the undefended one, over images where the undefended
    network is over .9 sure. 0: nothing is told; 1: all, if only under other names.
    """
    from tinycerb.bench.leak import measure_leak
    from tinycerb.cli.console import plain_console
    from tinycerb.cli.side_by_side import side_by_side
    from tinycerb.run.directory import RunDirectory

    found = measure_leak(RunDirectory.open(run), images, family or ())
    if as_json:
        typer.echo(json.dumps(found))
        return
    families = found["families"]
    labels = [
        f"{name}, {row['sure_images']:,} sure" + (", trained on" if row["trained_on"] else "")
        for name, row in families.items()
    ]
    names = next(iter(families.values()))["victims"]
    columns = [(name, [_cell(row["victims"][name]) for row in families.values()]) for name in names]
    title = f"leak, one answer / mean head; {images:,} images per family"
    console = plain_console()
    console.print(side_by_side(title, labels, columns, console.width))
    typer.echo(_MEANING)


def _cell(victim: dict[str, float | None]) -> str:
    values = (victim["leak_answer"], victim["leak_mean_head"])
    return " / ".join("-" if value is None else f"{value:.2f}" for value in values)
