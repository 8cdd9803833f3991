"""How often models that have nothing to do with an owner's agree with it: a null of one's own, kept beside the key."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.bounded.arrays import read_npz
from tinycerb.errors import UsageError
from tinycerb.ownership.ledger import Null, note_null, take_batch
from tinycerb.ownership.owner import Owner
from tinycerb.ownership.questions import Questions
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.subprocess_call import call_in_subprocess
from tinycerb.verification.batches import batch_of
from tinycerb.verification.by_population import family_p0
from tinycerb.verification.owned_model import OwnedModel
from tinycerb.verification.suspects import Tell
from tinycerb.verification.suspects.serial_device import duration
from tinycerb.verification.suspects.tflite_file import artifact_labels

# Per family: at a rate of 0.1 the upper limit is then 0.14.
_PER_FAMILY = 400
# Of one core with nothing else to do.
_SECONDS_PER_NETWORK, _SECONDS_OF_ASKING = 10, 5


def calibrate(run: RunDirectory, model: OwnedModel, owner: Owner, networks: int, tell: Tell) -> Null:
    """Measures a null and notes it beside the key.

    Independent models are the run's own victims that have nothing from a key, and small networks that are trained on
    random halves of the run's data.

    Args:
        run: the run that the model is of.
        model: the owner's model.
        owner: whose it is.
        networks: how many small networks are trained.
        tell: says in one line what takes long.

    Raises:
        UsageError: the owner is the public, or there is no independent model at all.
    """
    if owner.file is None:
        raise UsageError("owner is 'public': there is no key beside which a null is noted; allowed: a key's file")
    victims = [name for name, victim in run.victims.items() if not victim.uses_owner_key and run.model(name).is_file()]
    if not victims and networks == 0:
        raise UsageError(f"{run.path} has no converted victim without a key, and --networks is 0; allowed: 1 or more")
    seconds = _SECONDS_OF_ASKING * (1 + len(victims)) + _SECONDS_PER_NETWORK * networks
    tell(
        f"asking {len(victims)} victims of the run, and training and asking {networks} small networks: about "
        f"{duration(seconds)} on one free core"
    )
    # As drawn, and sure.
    count = _PER_FAMILY * 2 * len(model.families(owner))
    batch = take_batch(owner, count, model.tensors, "calibrate")
    questions = batch_of(model, owner, batch, count)
    expected = model.labels(questions)
    said = [artifact_labels(run.model(name), open_artifact(run.model(name)), questions.images) for name in victims]
    if networks:
        said += list(_small_networks(run, questions, networks))
    null = Null(p0_of(expected, said, questions, model.artifact.classes), len(said), count)
    note_null(owner, model.tensors, null)
    return null


def p0_of(expected: np.ndarray, said: list[np.ndarray], questions: Questions, classes: int) -> Mapping[str, float]:
    """Returns p0 of every family.

    Args:
        expected: the model's labels, int [N].
        said: those of independent models, int [N] each.
        questions: what was asked.
        classes: number of classes.
    """
    p0 = {}
    for kind, family in enumerate(questions.families):
        of = questions.kinds == kind
        agreed = [int((labels[of] == expected[of]).sum()) for labels in said]
        p0[family] = family_p0(agreed, [int(of.sum())] * len(said), classes)
    return p0


def _small_networks(run: RunDirectory, questions: Questions, networks: int) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as private:
        asked, answered = Path(private, "questions.npz"), Path(private, "answers.npz")
        write_arrays(asked, {"images": questions.images})
        order = {
            "run": str(run.path.absolute()),
            "networks": networks,
            "questions": str(asked),
            "answers": str(answered),
        }
        call_in_subprocess("tinycerb.verification.train_independent", json.dumps(order))
        return read_npz(answered)["labels"]
