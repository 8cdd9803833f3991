"""`tinycerb bench cost`: what every defence of a run costs, on equal terms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tinycerb.cli.options import AsJson, ExistingRun, Quiet
from tinycerb.events import Progress

if TYPE_CHECKING:
    from tinycerb.bench.cost import VictimCosts

Pool = Annotated[str, typer.Option(help="What a thief may ask: a registered query pool.")]
Images = Annotated[int, typer.Option(min=100, help="Images per distortion.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")]

_COLUMNS = (
    "victim", "training", "accuracy", "calibration error", "flips", "L1 benign, mean / max", "L1 queries, mean / max",
    "host µs", "after the network, µs", "M4 flash", "M4 RAM", "M4 instructions",
    "M4 cycles, estimate (band)",
)  # fmt: skip


def cost(
    run: ExistingRun,
    pool: Pool = "animal_mnist",
    images: Images = 2000,
    markdown: Markdown = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure training time, accuracy, distortion, time per question and the device's cost of a benched run's victims.

    L1 is the distance of the answer to the undefended victim's; the host's time is that of one question, network
    included; the device is an emulated Cortex-M4: instructions executed, and cycles as an estimate with a band, not
    time. A run's metrics.json takes over what the device costs.
    """
    from tinycerb.bench.cost import measure_costs
    from tinycerb.bench.metrics import gather_metrics
    from tinycerb.cli.console import plain_console
    from tinycerb.cli.side_by_side import side_by_side
    from tinycerb.run.directory import RunDirectory
    from tinycerb.seal.files import write_json

    directory = RunDirectory.open(run)
    found = measure_costs(directory, pool, images, _say if not quiet else lambda progress: None)
    write_json(directory.costs, found)
    if directory.metrics.exists():
        gather_metrics(directory)
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [_row(name, victim) for name, victim in found["victims"].items()]
    if markdown:
        typer.echo("| " + " | ".join(_COLUMNS) + " |\n|---" + "|---:" * (len(_COLUMNS) - 1) + "|")
        for row in rows:
            typer.echo("| " + " | ".join(row) + " |")
        typer.echo("".join(f"\n{line}\n" for line in _claimed_speeds(found["victims"])), nl=False)
        return
    console = plain_console()
    console.print(side_by_side("cost", _COLUMNS[1:], [(name, values) for name, *values in rows], console.width))


# How many times as fast as heavy defences their papers say they answer (Khaled et al., 2023; Guo et al., 2023).
_CLAIMS = {"dcp": 37.0, "ini": 25.4}
_HEAVY = "grad2"


def _claimed_speeds(victims: dict[str, VictimCosts]) -> list[str]:
    """One sentence per paper that claims to be so many times as fast as heavy defences: the same ratio, measured."""
    if _HEAVY not in victims:
        return []
    heavy = victims[_HEAVY]["host_query_us_p50"]
    return [
        f"{name} answers {heavy / victims[name]['host_query_us_p50']:.1f} times as fast as {_HEAVY} (its paper: "
        f"{claim:g} times as fast as heavy defences)."
        for name, claim in _CLAIMS.items()
        if name in victims
    ]


def _say(progress: Progress) -> None:
    typer.echo(progress.note, err=True)


def _row(name: str, victim: VictimCosts) -> list[str]:
    from tinycerb.reports.facts import cycles_text

    device = victim["device"]
    on_device = (
        [
            f"{device['flash_bytes']:,}",
            f"{device['ram_bytes']:,}",
            f"{device['instructions_per_inference']:,}",
            cycles_text(device),
        ]
        if "flash_bytes" in device and "ram_bytes" in device and "instructions_per_inference" in device
        else ["not deployable", "-", "-", "-"]
    )
    return [
        name,
        f"{victim['training_factor']:.2f}x",
        f"{victim['accuracy_expected']:.1%}",
        f"{victim['calibration_error']:.3f}",
        f"{victim['flip_rate']:.1%}",
        f"{victim['l1_benign_mean']:.2f} / {victim['l1_benign_max']:.2f}",
        f"{victim['l1_queries_mean']:.2f} / {victim['l1_queries_max']:.2f}",
        f"{victim['host_query_us_p50']:.0f}",
        f"{victim['host_response_us_p50']:.0f}",
        *on_device,
    ]
