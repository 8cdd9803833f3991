"""`tinycerb compare`: the victims of several runs, one row each."""

import json
from pathlib import Path
from typing import Annotated, TypedDict, cast

import typer
from rich.table import Table

from tinycerb.cli.console import plain_console
from tinycerb.cli.options import AsJson
from tinycerb.cli.side_by_side import side_by_side
from tinycerb.errors import UsageError

COLUMNS = (
    "network",
    "victim",
    "channels cut",
    "parameters",
    "MACs",
    ".tflite bytes",
    "of first",
    "arena",
    "expected",
    "worst head",
    "heads agree",
    "coherence off task",
)


class _Row(TypedDict):
    """A victim of one of the runs."""

    network: str
    victim: str
    channels_cut: float
    parameters: int
    multiply_accumulates: int
    flash_bytes: int
    flash_share_of_first: float
    arena_bytes: int | None
    accuracy_expected: float
    accuracy_worst_head: float
    head_agreement: float
    coherence: float | None


# Beyond the widest table that there can be.
_WIDE = 1000


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run directories that are benched.", show_default=False)],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the victims of several runs side by side: size, accuracy, agreement of heads.

    Accuracy and agreement are those of the int8 files on the test set. Coherence off task is the mean cosine of the
    posteriors of two heads on procedural images.
    """
    from tinycerb.reports.facts import channels_removed
    from tinycerb.reports.metrics import Metrics
    from tinycerb.run.directory import RunDirectory
    from tinycerb.seal.files import read_json
    from tinycerb.workflow.provenance import say_if_unsealed

    rows: list[_Row] = []
    for path in runs:
        directory = RunDirectory.open(path)
        say_if_unsealed(directory)
        if not directory.metrics.exists():
            raise UsageError(f"{path} has no metrics.json yet; make it with: tinycerb bench {path}")
        metrics = cast(Metrics, read_json(directory.metrics))
        model = f"{metrics['model']['backbone']} x {metrics['model']['width']:g}"
        first = next(iter(metrics["victims"].values()))["file"]["flash_bytes"]
        for name, victim in metrics["victims"].items():
            rows.append(
                {
                    "network": model,
                    "victim": name,
                    "channels_cut": channels_removed(victim),
                    "parameters": victim["training"]["parameters"],
                    "multiply_accumulates": victim["file"]["multiply_accumulates"],
                    "flash_bytes": victim["file"]["flash_bytes"],
                    "flash_share_of_first": victim["file"]["flash_bytes"] / first,
                    "arena_bytes": victim["memory"]["arena_bytes"] if victim["memory"] else None,
                    "accuracy_expected": victim["accuracy"]["accuracy_expected"],
                    "accuracy_worst_head": victim["accuracy"]["accuracy_worst_head"],
                    "head_agreement": victim["accuracy"]["head_agreement_mean"],
                    "coherence": victim["coherence"]["cosine"] if victim["coherence"] else None,
                }
            )
    if as_json:
        typer.echo(json.dumps({"rows": rows}))
    elif markdown:
        typer.echo(_markdown([list(COLUMNS), *(_texts(row) for row in rows)]))
    else:
        _print(list(map(_texts, rows)))


def _print(rows: list[list[str]]) -> None:
    """A row for each victim where the terminal is wide enough, else a column for each."""
    console = plain_console()
    table = Table()
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if index < 2 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    if table.__rich_measure__(console, console.options.update(width=_WIDE)).maximum <= console.width:
        console.print(table)
        return
    for network in dict.fromkeys(row[0] for row in rows):
        columns = [(victim, texts) for found, victim, *texts in rows if found == network]
        console.print(side_by_side(network, COLUMNS[2:], columns, console.width))


def _texts(row: _Row) -> list[str]:
    return [
        row["network"],
        row["victim"],
        f"{row['channels_cut']:.0%}",
        f"{row['parameters']:,}",
        f"{row['multiply_accumulates']:,}",
        f"{row['flash_bytes']:,}",
        f"{row['flash_share_of_first']:.1%}",
        "-" if row["arena_bytes"] is None else f"{row['arena_bytes']:,}",
        f"{row['accuracy_expected']:.2%}",
        f"{row['accuracy_worst_head']:.2%}",
        f"{row['head_agreement']:.1%}",
        "-" if row["coherence"] is None else f"{row['coherence']:.2f}",
    ]


def _markdown(lines: list[list[str]]) -> str:
    rule = ["---", "---", *["---:"] * (len(COLUMNS) - 2)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])
