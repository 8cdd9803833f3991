"""How a run ends: what it has shown, which file is for deployment, and what to do next."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tinycerb import file_names
from tinycerb.config.user_sources import USER
from tinycerb.datasets.procedural import FAMILIES, NEEDS_IMAGES
from tinycerb.datasets.query_pools import DRAWN
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.plain_words import nearest_attack, plain_verdict
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json

_COLOURS = {"good": "green", "bad": "bold red", "open": "yellow"}
_MORE_EPOCHS = 3


def print_closing(run: RunDirectory, metrics: Metrics, report: Path, console: Console) -> None:
    """Prints the verdict on the recommended victim, the report, its file, and the next commands.

    Args:
        run: a run that is done.
        metrics: its `metrics.json`.
        report: the PDF.
        console: where to.
    """
    name = recommended_victim(run.config)

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    say("")
    for status, sentence in plain_verdict(metrics, name):
        console.print(Text.assemble(("■ ", _COLOURS[status]), sentence))
    say("")
    say(f"report: {report}")
    say(f"model: {run.model(name)}")
    for reason, command in _next_steps(run, metrics):
        say(f"next, {reason}:\n      {command}" if reason else f"next: {command}")


def _next_steps(run: RunDirectory, metrics: Metrics) -> Iterator[tuple[str, str]]:
    """Reasons and commands: what would answer what is open, then what brings the model to a board."""
    if not metrics["threats"] and run.config.data.name == USER:
        reason = "as nothing was stolen without the attacker's images"
        # A thief has none of the task's own images.
        known = NEEDS_IMAGES.union(run.config.out_of_distribution.families)
        unseen = [family for family in FAMILIES if family not in known]
        if unseen:
            reason += f" (none at hand: {DRAWN}{'+'.join(unseen)}, drawn ones)"
        yield reason, f"{_again(run)} --query-pool IMAGES"
    for threat, verdict in metrics["threats"].items():
        if not verdict["conclusive"]:
            attack = run.config.attack(nearest_attack(verdict))
            reason = f"as {threat} is inconclusive: attack longer, or with more images by --query-pool"
            yield reason, f"{_again(run)} --set attacks.{attack.name}.epochs={_MORE_EPOCHS * attack.epochs}"
    yield "", f"tinycerb flash {shlex.quote(str(run.path))} --board qemu-m4"


def _again(run: RunDirectory) -> str:
    """The command that made the run, without where it went."""
    try:
        _, command, *words = shlex.split(read_json(run.path / file_names.ENVIRONMENT)["command"])
    except ValueError:
        # Older versions wrote down words without their quotes.
        command, words = "", []
    if command not in ("run", "train"):
        return f"tinycerb run {shlex.quote(str(run.path / 'config.toml'))}"
    kept: list[str] = []
    while words:
        word = words.pop(0)
        if word == "--out" and words:
            words.pop(0)
        elif word != "--force" and not word.startswith("--out="):
            kept.append(word)
    return shlex.join(["tinycerb", "run", *kept])
