"""The owner's model: its file, what it was trained by, and what it says to the questions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.config import Config, load_config
from tinycerb.errors import UsageError
from tinycerb.file_names import CONFIG
from tinycerb.ownership.commitment import tensors_digest
from tinycerb.ownership.ledger import read_notes
from tinycerb.ownership.owner import Owner
from tinycerb.ownership.questions import SURE, Questions, question_families
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.model_artifact import ModelArtifact, open_artifact
from tinycerb.verification.suspects.tflite_file import artifact_labels, artifact_logits


@dataclass(frozen=True)
class OwnedModel:
    """A model that somebody says is theirs.

    Attributes:
        path: its file.
        artifact: what is in it.
        tensors: digest of its constant tensors, which it is known by.
        config: what it was trained by; None where nothing says it.
        victim: its name in there.
        run: the run that it lies in, or None.
        trained_by: the preset or `.toml` file that was named instead, or empty.
    """

    path: Path
    artifact: ModelArtifact
    tensors: str
    config: Config | None
    victim: str
    run: RunDirectory | None
    trained_by: str = ""

    def labels(self, questions: Questions) -> np.ndarray:
        """Returns what it answers, int64 [N]."""
        return artifact_labels(self.path, self.artifact, questions.images)

    def margins(self, images: np.ndarray) -> np.ndarray:
        """Returns how far its first class is ahead of its second, int64 [N], in codes of its logits.

        Args:
            images: uint8 [N, height, width, channels].
        """
        logits = np.sort(artifact_logits(self.path, self.artifact, images).sum(axis=1), axis=1)
        return logits[:, -1] - logits[:, -2]

    def families(self, owner: Owner) -> tuple[str, ...]:
        """Returns the families that it is asked about: those of its training, or all where nothing says them.

        Raises:
            UsageError: none of its families can be drawn without images.
            EnvironmentProblem: the notes beside the key are damaged.
        """
        if self.config is not None:
            return question_families(self.config.out_of_distribution.families)
        noted = read_notes(owner).nulls.get(self.tensors)
        if noted is not None:
            return tuple(name for name in noted.p0 if not name.endswith(SURE))
        from tinycerb.datasets.procedural import FAMILIES

        return question_families(tuple(FAMILIES))


def open_owned_model(path: Path, owner: Owner, trained_by: str = "") -> OwnedModel:
    """Opens a model and compares its card with the owner.

    Args:
        path: a `.tflite` file of TinyCerb's.
        owner: who says that it is theirs.
        trained_by: a preset or `.toml` file that it was trained by; empty for the run that it lies in, if it does.

    Raises:
        UsageError: it was trained with another key, or with none at all.
        EnvironmentProblem: it is missing or damaged.
    """
    artifact = open_artifact(path)
    card = artifact.card
    if card.owner_key not in (None, owner.digest):
        raise UsageError(
            f"{path} was trained with the owner key {_short(card.owner_key)}, and --owner is {_short(owner.digest)}; "
            "give the key that it was trained with"
        )
    run = None if trained_by else _run_of(path)
    config = load_config(trained_by) if trained_by else run.config if run else None
    victim = card.victim or path.parent.name
    if trained_by and config is not None and victim not in {each.name for each in config.victims}:
        names = ", ".join(each.name for each in config.victims)
        raise UsageError(f"{trained_by} has no victim {victim!r}, which {path} is; it has: {names}")
    return OwnedModel(path, artifact, tensors_digest(artifact.file), config, victim, run, trained_by)


def _run_of(path: Path) -> RunDirectory | None:
    folder = path.absolute().parent.parent.parent
    return RunDirectory.open(folder) if (folder / CONFIG).is_file() else None


def _short(digest: str | None) -> str:
    return str(digest) if digest is None or len(digest) < 20 else f"{digest[:16]}..."
