"""Teachers of a model: those beside its key, or made now, in a process of its own."""

import json
import tempfile
from pathlib import Path

from tinycerb.bounded.arrays import read_npz
from tinycerb.ownership.owner import Owner
from tinycerb.run.victim import victims_of
from tinycerb.subprocess_call import call_in_subprocess
from tinycerb.verification.owned_model import OwnedModel
from tinycerb.verification.suspects import Tell
from tinycerb.verification.teachers import Teachers, read_teachers, teachers_file, unpack_teachers


def own_teachers(model: OwnedModel, owner: Owner, tell: Tell) -> Teachers | None:
    """Returns the teachers of a model, or None where it has none or nothing says how it was trained.

    Args:
        model: the owner's model.
        owner: who draws them.
        tell: says in one line what takes long.

    Raises:
        UsageError: what it was trained by does not say how its teachers are made.
        EnvironmentProblem: the data that they are fitted to are missing, or files beside the key cannot be used.
    """
    kept = None if owner.file is None else teachers_file(owner.file, model.tensors)
    if kept is not None and kept.exists():
        return read_teachers(kept)
    if model.config is None or not victims_of(model.config)[model.victim].defense.teachers:
        return None
    tell("fitting the teachers of 10,000 keys, once for this model: about a minute")
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as private:
        out = kept or Path(private, "teachers.npz")
        seed = model.config.seed if model.artifact.card.seed is None else model.artifact.card.seed
        order = {
            "run": "" if model.run is None else str(model.run.path.absolute()),
            "preset": model.trained_by,
            "victim": model.victim,
            "seed": seed,
            "owner": "public" if owner.file is None else str(owner.file.absolute()),
            "out": str(out.absolute()),
        }
        call_in_subprocess("tinycerb.verification.make_teachers", json.dumps(order))
        return read_teachers(out) if kept else unpack_teachers(read_npz(out))
