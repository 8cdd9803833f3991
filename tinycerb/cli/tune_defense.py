"""`tinycerb tune-defense`: how strong a response may be."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, ExistingRun

Response = Annotated[str, typer.Argument(help="A response, e.g. dcp or mad,oracle=argmin.", show_default=False)]
Victim = Annotated[str, typer.Option(help="A victim of the run. Default: its baseline.", show_default=False)]
Loss = Annotated[float, typer.Option(help="Points of expected accuracy that may be lost.")]


def tune_defense(
    run: ExistingRun, response: Response, victim: Victim = "", loss: Loss = 1.0, as_json: AsJson = False
) -> None:
    """Fix a response's strength on validation images, at a stated loss of accuracy. No attack is run."""
    from tinycerb.bench.tune import tune_response
    from tinycerb.defenses import DEFENSES
    from tinycerb.run.directory import RunDirectory

    directory = RunDirectory.open(run)
    name = victim or directory.config.bench.baseline
    chosen, tried = tune_response(directory, name, response, loss)
    if as_json:
        facts = {
            "schema_version": 1,
            "victim": name,
            "chosen": asdict(chosen),
            "tried": [asdict(each) for each in tried],
        }
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"{'strength':>9} {'accuracy':>9} {'points lost':>12} {'L1 mean':>8}")
    for each in tried[:: max(len(tried) // 10, 1)]:
        typer.echo(f"{each.strength:>9.3f} {each.accuracy:>9.1%} {each.points_lost:>12.2f} {each.l1_mean:>8.3f}")
    typer.echo(f"chosen: {chosen.response}  ({chosen.points_lost:+.2f} points lost, L1 mean {chosen.l1_mean:.3f})")
    # A training part of the same name takes the strength itself.
    joined = chosen.response if chosen.response.split(",")[0] in DEFENSES else f"...+{chosen.response}"
    typer.echo(f'next: response = "{chosen.response}" in the configuration, or --defense {joined}', err=True)
