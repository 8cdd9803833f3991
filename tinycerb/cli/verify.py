"""`tinycerb verify`: is a suspect a clone of your model?"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinycerb.cli.options import AllowCode, AsJson
from tinycerb.cli.ownership import OwnerFile, OwnModel, TrainedBy

if TYPE_CHECKING:
    from tinycerb.ownership.owner import Owner
    from tinycerb.ownership.questions import Questions
    from tinycerb.verification.owned_model import OwnedModel
    from tinycerb.verification.suspects import Suspect

Named = Annotated[
    str | None,
    typer.Argument(
        metavar="SUSPECT",
        help="A .tflite file, a Keras file, package.module:predict, or a .npz of answers. None: --port.",
        show_default=False,
    ),
]
Port = Annotated[str | None, typer.Option(help="Serial port of a device to ask instead.", show_default=False)]
BoardName = Annotated[str, typer.Option("--board", "-b", help="How that line is set: a board's name or .toml file.")]
Limit = Annotated[float, typer.Option("--time-limit", min=1, help="Seconds that the device may be silent.")]
Count = Annotated[int, typer.Option("--questions", "-n", min=1, max=100_000, help="How many to ask.")]
StopEarly = Annotated[
    bool, typer.Option("--stop-early", help="Stop as soon as a clone is shown, for devices that answer slowly.")
]
Level = Annotated[float, typer.Option(min=1e-4, max=0.05, help="The largest p of a clone.")]
Commitment = Annotated[
    str,
    typer.Option(metavar="LINE", help="The line that was dated, or a file with it; must be of key and model."),
]
Page = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.pdf", help="Write a page on it.", show_default=False)
]


def verify(
    owner: OwnerFile,
    model: OwnModel,
    suspect: Named = None,
    port: Port = None,
    board: BoardName = "qemu-m4",
    limit: Limit = 60,
    count: Count = 200,
    stop_early: StopEarly = False,
    level: Level = 1e-3,
    commitment: Commitment = "",
    preset: TrainedBy = "",
    allow_code: AllowCode = False,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """Ask a suspect what only the owner of MODEL can ask, and say whether it is a clone of MODEL; labels are enough.

    Two p-values: among teachers of other keys, and against independent models; the larger one counts. Exit 1 where
    nothing is shown: a clone that was made from images of the task alone carries no mark, and a suspect can hide one.
    """
    import json

    from tinycerb.boards.board import load_board
    from tinycerb.config import user_sources
    from tinycerb.errors import ExitCode, UsageError
    from tinycerb.ownership.commitment import check_commitment
    from tinycerb.ownership.owner import open_owner
    from tinycerb.reports.verification import plain_verification, render_verification
    from tinycerb.verification.facts import verification_facts
    from tinycerb.verification.own_teachers import own_teachers
    from tinycerb.verification.owned_model import open_owned_model
    from tinycerb.verification.suspects import open_suspect
    from tinycerb.verification.suspects.serial_device import open_serial_device
    from tinycerb.verification.trial import examine, population_of
    from tinycerb.workflow.named_model import find_model
    from tinycerb.workflow.new_run import warn_of_code
    from tinycerb.workflow.report import keep_verification

    if (suspect is None) == (port is None):
        raise UsageError("give either a SUSPECT (a file, package.module:predict) or a device's --port")
    asking = open_owner(owner)
    mine = open_owned_model(find_model(model), asking, preset)
    dated = check_commitment(commitment, asking.digest, mine.artifact.file) if commitment else ""
    if allow_code and suspect is not None:
        warn_of_code(suspect)
        user_sources.allow_code()
    with ExitStack() as until_the_end:
        asked: Suspect
        if port is not None:
            opened = open_serial_device(port, load_board(board), limit, mine.artifact, _tell)
            asked = until_the_end.enter_context(opened)
        else:
            asked = open_suspect(str(suspect), mine.artifact.classes)
        questions = _questions(asked, asking, mine, count, stop_early)
        teachers = own_teachers(mine, asking, _tell)
        population = population_of(mine, asking, questions.families)
        verdict = examine(asked, questions, mine, teachers, population.p0, level, stop_early)
        facts = verification_facts(verdict, asked, mine, asking, questions, population, dated)
    if page is not None:
        from tinycerb.atomic import write_bytes

        write_bytes(page, render_verification(facts))
    typer.echo(json.dumps(facts, allow_nan=False) if as_json else plain_verification(facts))
    if mine.run is not None:
        keep_verification(mine.run, facts)
        _tell(f"noted in the run; a page on it: tinycerb report {mine.run.path}")
    if facts["verdict"] != "clone":
        raise typer.Exit(ExitCode.GATE)


def _questions(suspect: Suspect, owner: Owner, model: OwnedModel, count: int, stop_early: bool) -> Questions:
    """A fresh batch, or the one that answers which are there already belong to."""
    from tinycerb.errors import UsageError
    from tinycerb.ownership.ledger import take_batch, used_batch
    from tinycerb.verification.batches import batch_of
    from tinycerb.verification.suspects.answers_file import AnswersFile

    if not isinstance(suspect, AnswersFile):
        batch = take_batch(owner, count, model.tensors, "verify")
    else:
        if stop_early:
            raise UsageError(f"--stop-early: the answers of {suspect.path} are all there; leave it out")
        batch, count = suspect.batch, len(suspect.answers)
        if owner.file is not None:
            used = used_batch(owner, batch)
            if used.model_tensors != model.tensors:
                raise UsageError(f"batch {batch} was drawn for another model than {model.path}; name that one: --model")
            count = used.questions
    return batch_of(model, owner, batch, count)


def _tell(text: str) -> None:
    typer.secho(text, err=True)
