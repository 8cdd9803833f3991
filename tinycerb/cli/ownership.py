"""`tinycerb ownership`: the owner's key, and what is done with it before and beside a verification."""

from pathlib import Path
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson, ExistingRun, NamedModel
from tinycerb.workflow.named_model import open_model_file

app = typer.Typer(
    no_args_is_help=True, help="An owner key, which random teachers and ownership questions come from, and its uses."
)
KeyFile = Annotated[Path, typer.Argument(metavar="KEY", help="The key's file.", show_default=False)]
Replace = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]
OwnerFile = Annotated[
    str,
    typer.Option(
        "--owner",
        metavar="KEY",
        help="The owner key's file; or public, for models of published experiments: that proves nothing.",
        show_default=False,
    ),
]
OwnModel = Annotated[
    Path, typer.Option("--model", metavar="MODEL", help="Your model: a run, RUN/victims/NAME or a .tflite file.")
]
TrainedBy = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="PRESET",
        help="The preset or .toml file that MODEL was trained by, where it lies in no run.",
        show_default=False,
    ),
]


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


@app.command("commit")
def commit(key: KeyFile, model: NamedModel) -> None:
    """Print one line that names key and model, to be dated by a notary or published before there is a quarrel.

    It is a SHA-256 over the key's hash and the model's tensors, and tells neither.
    """
    from tinycerb.ownership.commitment import commitment
    from tinycerb.ownership.owner_key import read_owner_key

    owner = read_owner_key(key).hash
    typer.echo(commitment(owner, open_model_file(model)[1]))


@app.command("questions")
def questions(
    owner: OwnerFile,
    model: OwnModel,
    out: Annotated[Path, typer.Option(metavar="FILE.npz", help="Where the questions go.", show_default=False)],
    count: Annotated[int, typer.Option("--questions", "-n", min=1, max=100_000, help="How many.")] = 200,
    preset: TrainedBy = "",
    force: Replace = False,
) -> None:
    """Write a fresh batch of questions, for a suspect that somebody else asks.

    They come back with the answers: np.savez("answers.npz", answers=..., batch=q["batch"]), which `tinycerb verify
    answers.npz` judges. A batch is for one suspect: who has seen it can learn its answers.
    """
    import numpy as np

    from tinycerb.atomic import write_arrays
    from tinycerb.errors import UsageError
    from tinycerb.ownership.ledger import take_batch
    from tinycerb.ownership.owner import open_owner
    from tinycerb.verification.batches import batch_of
    from tinycerb.verification.owned_model import open_owned_model
    from tinycerb.workflow.named_model import find_model

    if out.exists() and not force:
        raise UsageError(f"{out} exists already; name another file, or replace it with --force")
    asking = open_owner(owner)
    mine = open_owned_model(find_model(model), asking, preset)
    # Before a batch is noted: what cannot be asked about raises here.
    mine.families(asking)
    batch = take_batch(asking, count, mine.tensors, "questions")
    drawn = batch_of(mine, asking, batch, count)
    write_arrays(out, {"images": drawn.images, "batch": np.array(batch)})
    typer.echo(f"{out}: {count} questions, batch {batch}, for one suspect")


@app.command("calibrate")
def calibrate(
    run: ExistingRun,
    owner: OwnerFile,
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="MODEL", help="Which victim of it. Default: the recommended one."),
    ] = None,
    networks: Annotated[
        int, typer.Option("--networks", "-n", min=0, max=10_000, help="Small networks to train beside RUN's victims.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Measure how often independent models agree with a run's model; `tinycerb verify` then tests against that.

    Noted beside the key, with the model's teacher, so that it is done once and verifications need no TensorFlow.
    Without it 0.2 of every family is taken.
    """
    import json

    from tinycerb.bounded.typed_json import to_json
    from tinycerb.ownership.owner import open_owner
    from tinycerb.run.directory import RunDirectory
    from tinycerb.verification.calibration import calibrate as measure
    from tinycerb.verification.own_teachers import own_teachers
    from tinycerb.verification.owned_model import open_owned_model
    from tinycerb.workflow.named_model import find_model

    asking = open_owner(owner)
    directory = RunDirectory.open(run)
    mine = open_owned_model(find_model(model or run), asking)
    null = measure(directory, mine, asking, networks, _tell)
    # So that verifications need no TensorFlow.
    own_teachers(mine, asking, _tell)
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "model_tensors_sha256": mine.tensors, **to_json(null)}))
        return
    typer.echo(f"{null.models} independent models, {null.questions:,} questions each; upper 99 % limit of the worst:")
    for family, rate in null.p0.items():
        typer.echo(f"  {family:18} {rate:.2f}")


def _tell(text: str) -> None:
    typer.echo(text, err=True)
