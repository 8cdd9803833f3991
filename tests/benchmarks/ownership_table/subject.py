"""What a table is about: a protected model and its owner, what stands beside it, and who is independent of it."""

import glob
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.attacks import STUDENTS
from tinycerb.bounded.arrays import read_npz
from tinycerb.config import AttackConfig, Config, load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras
from tinycerb.ownership.owner import Owner, open_owner
from tinycerb.ownership.questions import Questions
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.verification.batches import batch_of
from tinycerb.verification.calibration import p0_of
from tinycerb.verification.clones import Clone, steal
from tinycerb.verification.own_teachers import own_teachers
from tinycerb.verification.owned_model import OwnedModel, open_owned_model
from tinycerb.verification.removals import labels_of
from tinycerb.verification.suspects.tflite_file import artifact_labels
from tinycerb.verification.teachers import TeacherLabels, Teachers, pack_teachers, unpack_teachers
from tinycerb.verification.train_independent import independent_network

ASSETS = Path(__file__).parents[2] / "assets"
UNDEFENDED, CONTROL = "undefended", "pruned"
# Another defence of which there is a committed network, and the preset that has it.
BESIDE, BESIDE_PRESET = "cerberos", "ownership"
# As many as verify asks, and how many such batches a row looks at.
BATCH, BATCHES = 200, 10
_PER_KIND = 400
# Batches' numbers: of the table, and of its null.
_TABLE, _NULL = 1, 2

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """A protected model and its surroundings.

    Attributes:
        folder: where rows, clones and networks are kept.
        owner: whose it is.
        config: what it was trained by.
        dataset: of its task.
        files: its victims' models, by name.
        protected: name of the one that is the owner's.
        preset: what names the teachers of a model that lies in no run.
    """

    folder: Path
    owner: Owner
    config: Config
    dataset: Dataset
    files: dict[str, Path]
    protected: str
    preset: str

    def network(self, index: int) -> keras.Model:
        """An independent network, remembered beside the tables."""
        folder = self.folder.parent / "networks"
        folder.mkdir(exist_ok=True)
        for kept in folder.glob(f"{index}-*.npz"):
            return self.restored(kept.stem.partition("-")[2], kept)
        name, network = independent_network(self.dataset, index)
        np.savez(folder / f"{index}-{name}.npz", *network.get_weights())
        return network

    def restored(self, student: str, kept: Path) -> keras.Model:
        height, width, channels = self.dataset.image_shape
        network = STUDENTS[student]((height, width, channels), self.dataset.classes)
        arrays = read_npz(kept)
        network.set_weights([arrays[f"arr_{index}"] for index in range(len(arrays))])
        return network

    def clone(self, victim: str, attack: AttackConfig, seed: int) -> Clone:
        """A clone, remembered."""
        student, kept = attack.students[0], f"clone-{victim}-{attack.name}-{seed}"
        # The first network's file is written last: where it is, all are.
        if (self.folder / f"{kept}-0.npz").exists():
            files = sorted(self.folder.glob(f"{glob.escape(kept)}-*.npz"))
            return Clone(student, tuple(self.restored(student, file) for file in files))
        answers = self.folder / "answers"
        clone = steal(self.files[victim], victim, attack, self.config, self.dataset, seed, answers, ignore)
        for index, member in reversed(list(enumerate(clone.members))):
            named = {f"arr_{place}": array for place, array in enumerate(member.get_weights())}
            write_arrays(self.folder / f"{kept}-{index}.npz", named)
        return clone

    def file_labels(self, file: Path) -> Predict:
        """What a model file answers."""
        artifact = open_artifact(file)
        return lambda images: artifact_labels(file, artifact, images)

    def answers(self, name: str, images: np.ndarray) -> np.ndarray:
        """What the protected model says to a thief's images, remembered under a name."""
        kept = self.folder / f"labels-{name}.npz"
        if not kept.exists():
            np.savez(kept, labels=self.file_labels(self.files[self.protected])(images))
        return read_npz(kept)["labels"]

    def accuracy(self, predict: Predict) -> float:
        test = self.dataset.test
        return float((predict(test.images) == test.labels).mean())


@dataclass(frozen=True)
class Target:
    """One model of a subject that suspects are compared with; what it needs is made when it is first wanted."""

    subject: Subject
    name: str
    networks: int

    @cached_property
    def model(self) -> OwnedModel:
        # The preset of committed networks has no other defence.
        preset = BESIDE_PRESET if self.subject.preset and self.name == BESIDE else self.subject.preset
        return open_owned_model(self.subject.files[self.name], self.subject.owner, preset)

    @cached_property
    def questions(self) -> Questions:
        return batch_of(self.model, self.subject.owner, _TABLE, BATCH * BATCHES)

    @cached_property
    def expected(self) -> np.ndarray:
        return self.model.labels(self.questions)

    @cached_property
    def independent(self) -> dict[str, Predict]:
        """The half of all independent models that the null is measured on."""
        victims = {name: self.subject.files[name] for name in (UNDEFENDED, CONTROL) if name in self.subject.files}
        found = {name: self.subject.file_labels(file) for name, file in victims.items() if name != self.name}
        for index in range(self.networks // 2):
            found[f"network {index}"] = of_network(self.subject.network(index))
        return found

    @cached_property
    def p0(self) -> dict[str, float]:
        count = _PER_KIND * len(self.questions.families)
        asked = batch_of(self.model, self.subject.owner, _NULL, count)
        said = [predict(asked.images) for predict in self.independent.values()]
        return dict(p0_of(self.model.labels(asked), said, asked, self.subject.dataset.classes))

    @cached_property
    def teachers(self) -> Teachers | None:
        """Kept in the folder where they are the public's, beside the key elsewhere."""
        kept = self.subject.folder / f"teachers-{self.name}.npz"
        if kept.exists():
            return unpack_teachers(read_npz(kept))
        found = own_teachers(self.model, self.subject.owner, print)
        if found is not None and self.subject.owner.file is None:
            np.savez(kept, **pack_teachers(found))  # type: ignore[arg-type]
        return found

    @cached_property
    def said(self) -> TeacherLabels | None:
        """What teachers say to the first batch."""
        return None if self.teachers is None else self.teachers.labels(self.questions.part(0, BATCH))


def of_network(network: keras.Model) -> Predict:
    return lambda images: labels_of(network, images)


def committed(out: Path) -> Subject:
    """The committed networks of the preset `fortress`, whose owner is the public, and the demo's CERBEROS beside."""
    name = "fortress"
    config = replace(load_config(name), seed=1)
    beside = tuple(victim for victim in load_config(BESIDE_PRESET).victims if victim.name == BESIDE)
    config = replace(config, victims=(*config.victims, *beside))
    files = {
        name: ASSETS / "fortress.tflite",
        CONTROL: ASSETS / "one_head_control.tflite",
        BESIDE: ASSETS / "cerberos_demo.tflite",
    }
    return Subject(out / "committed", open_owner("public"), config, load_dataset(config.data), files, name, name)


def trained(out: Path, seed: int) -> Subject:
    """A seed's run, under its own key."""
    run = RunDirectory.open(out / f"run-{seed}")
    files = {name: run.model(name) for name in run.victims if run.model(name).is_file()}
    protected = next(name for name, victim in run.victims.items() if victim.defense.teachers)
    owner = open_owner(str(out / f"owner-{seed}.key"))
    return Subject(out / f"seed-{seed}", owner, run.config, load_dataset(run.config.data), files, protected, "")
