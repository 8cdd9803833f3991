"""`tinycerb bench separation`: whether thieves with such images can be misdirected, before a defence is trained."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, Data

Where = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="A run whose baseline is converted, or a .tflite file.", show_default=False),
]
Pools = Annotated[
    list[str],
    typer.Option("--pool", metavar="POOL", help="Images that a thief may have, as for --query-pool; again for more."),
]


def separation(where: Where, pool: Pools, data: Data = "", as_json: AsJson = False) -> None:
    """Say whether thieves with such images will, may, or will not be misdirected.

    The undefended network must tell the pool from its task, by how sure it is or by its features. For a .tflite file,
    --data names what it was trained with.
    """
    from rich.text import Text

    from tinycerb.bench.separation import know_task, measure_separation, share_of_equal_labels
    from tinycerb.bench.separation_inputs import separation_inputs
    from tinycerb.bench.separation_verdict import judge, leave_tasks_out, measured_pairs
    from tinycerb.cli.console import plain_console
    from tinycerb.cli.side_by_side import side_by_side
    from tinycerb.datasets.query_pools import query_pool
    from tinycerb.reports.metrics import PoolSeparation
    from tinycerb.reports.separation_text import separation_sentences

    inputs = separation_inputs(where, data)
    pools = {name: query_pool(name) for name in pool}
    known = know_task(inputs.undefended, inputs.dataset)
    told: dict[str, PoolSeparation] = {}
    equal: dict[str, dict[str, float]] = {}
    for name, found in pools.items():
        images = found.load(inputs.dataset)
        measured = measure_separation(known, images)
        told[name] = {"pool": name, "verdict": judge(measured), **measured}
        equal[name] = share_of_equal_labels(inputs.undefended, inputs.defended, images)
    if as_json:
        rows = {name: {**row, "equal_labels": equal[name]} for name, row in told.items()}
        typer.echo(json.dumps({"schema_version": 1, "pools": rows}))
        return
    labels = ["AUROC, confidence", "AUROC, features", *(f"equal labels, {name}" for name in inputs.defended)]
    columns = [
        (
            Path(name).name,
            [f"{row['auroc_confidence']:.2f}", f"{row['auroc_features']:.2f}"]
            + [f"{share:.0%}" for share in equal[name].values()],
        )
        for name, row in told.items()
    ]
    console = plain_console()
    console.print(side_by_side("pools beside the task's test images", labels, columns, console.width))
    for _, sentence in separation_sentences(list(told.values())):
        console.print(Text(sentence))
    left_out = leave_tasks_out(measured_pairs())
    wrong, unsure = sum(each.wrong for each in left_out), sum(each.unsure for each in left_out)
    pairs = sum(each.pairs for each in left_out)
    console.print(
        Text(
            f"what this rests on: {pairs} measured pairs of {len(left_out)} tasks, {wrong} of them judged wrong by the "
            f"other tasks' thresholds and {unsure} told may; a hint, no figure of protection (docs/evaluation.md)"
        )
    )
