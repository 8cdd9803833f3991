"""Clones that are stolen to be asked: an attack of a configuration against a model's own file, its networks kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tinycerb.attacks import STUDENTS, AttackInputs, attack_of
from tinycerb.attacks.building_blocks.distill import predictor
from tinycerb.attacks.building_blocks.pretraining import start_from
from tinycerb.attacks.building_blocks.students import Student
from tinycerb.attacks.building_blocks.victim_x2 import architecture_for, made_after
from tinycerb.bench.cell import load_in_distribution, load_pool
from tinycerb.bench.parts_code import code_of
from tinycerb.bench.pretrained import pretrained_student
from tinycerb.config import AttackConfig, Config
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.query_pools import digest_labelled
from tinycerb.errors import InternalError
from tinycerb.events import OnProgress
from tinycerb.keras_models.legacy import keras
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.oracle.transcripts import RememberedOracle
from tinycerb.run.victim import victims_of
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.training.setup import make_repeatable

# Images of the test set by whose answers a clone's networks are known.
_COMPARED = 100


@dataclass(frozen=True)
class Clone:
    """A stolen network.

    Attributes:
        student: which network it is.
        members: float images in 0..1 to logits; it answers with the mean of their posteriors.
    """

    student: str
    members: tuple[keras.Model, ...]

    def labels(self, images: np.ndarray) -> np.ndarray:
        """Returns its labels, int64 [N], for uint8 images."""
        return predictor(self.members)(images).argmax(axis=1)


def steal(
    file: Path,
    victim: str,
    attack: AttackConfig,
    config: Config,
    dataset: Dataset,
    seed: int,
    answers: Path,
    on_progress: OnProgress,
) -> Clone:
    """Steals a model through its answers, as `tinycerb bench` does, with the first student and learning rate.

    Args:
        file: the victim's model.
        victim: its name in the configuration.
        attack: one of the configuration's.
        config: what the victim was trained by.
        dataset: of its task.
        seed: the attacker's.
        answers: folder where the oracle's answers are remembered.
        on_progress: takes progress events.

    Raises:
        UsageError: an unknown attack, student or pool, or settings that do not fit.
        EnvironmentProblem: the oracle died.
    """
    student, artifact, described = attack.students[0], open_artifact(file), victims_of(config)[victim]
    told = architecture_for(student, config.model.backbone, config.model.width)
    code = code_of(described, attack.attack, student, attack.pretraining, told)
    network = made_after(STUDENTS[student], told)
    weights = _pretrained(attack, network, dataset, seed, code.student, on_progress) if attack.pretraining else None
    make_repeatable(seed)
    built: list[keras.Model] = []

    def build() -> keras.Model:
        built.append(network(dataset.image_shape, dataset.classes))
        if weights is not None:
            start_from(weights, built[-1])
        return built[-1]

    said: list[np.ndarray] = []
    spec = OracleSpec(str(file), attack.output, described.defense.selection, config.seed)
    open_oracle = partial(SealedOracle, spec, on_progress)
    with RememberedOracle(spec, artifact.sha256, answers, open_oracle, code.response) as oracle:
        inputs = AttackInputs(
            oracle=oracle,
            pool=load_pool(attack, dataset),
            in_distribution=load_in_distribution(attack, dataset, config.seed),
            classes=dataset.classes,
            build=build,
            config=attack,
            learning_rate=attack.learning_rates[0],
            response=described.config.response,
            seed=seed,
            on_epoch=lambda epoch, predict: said.append(predict(dataset.test.images[:_COMPARED]).argmax(axis=1)),
            note=lambda key, value: None,
            on_progress=on_progress,
        )
        attack_of(attack).run(inputs)
    return Clone(student, made_last(built, attack, said[-1], dataset.test.images[:_COMPARED]))


def made_last(
    built: list[keras.Model], attack: AttackConfig, said: np.ndarray, images: np.ndarray
) -> tuple[keras.Model, ...]:
    """Returns the networks that answer as the clone did: of those that were made, the last ones.

    Networks that helped to choose questions were made before. How many a clone has is configured, but for attacks
    that train two at once.

    Raises:
        InternalError: none answer so.
    """
    for count in dict.fromkeys((attack.members, *range(1, len(built) + 1))):
        members = tuple(built[-count:])
        if (Clone(attack.students[0], members).labels(images) == said).all():
            return members
    raise InternalError(f"{attack.name}: the clone is not the networks that were made last")


def _pretrained(
    attack: AttackConfig, network: Student, dataset: Dataset, seed: int, code: str, on_progress: OnProgress
) -> Sequence[np.ndarray]:
    digest = digest_labelled(attack.pretraining, dataset)
    wanted = (attack.students[0], network, attack.pretraining, dataset.image_shape, seed, digest, code)
    return pretrained_student(*wanted, on_progress).weights
