"""How well ownership is shown: clones, independent networks, removals and evasion, one row each in a file of its own.

make bench-ownership ARGS="--out FOLDER [--dry-run] [--questions N]"

Goes on where it was stopped: a row that is there is not computed again. The victim is the committed network, whose
owner is the public; the attacker has Animal-MNIST with two varied copies of each image, asks once, and gets labels:
`label-only` of the preset `fortress`, the student `lenet`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tinycerb.atomic import read_json, write_json
from tinycerb.attacks.building_blocks.distill import DistillSettings, distill, soft_cross_entropy
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.bounded.arrays import read_npz
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.procedural import generate
from tinycerb.datasets.query_pools import query_pool
from tinycerb.datasets.variations import with_copies
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras
from tinycerb.ownership.owner import open_owner
from tinycerb.ownership.questions import Questions, draw_questions
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.training.setup import make_repeatable
from tinycerb.verification.own_teachers import own_teachers
from tinycerb.verification.owned_model import open_owned_model
from tinycerb.verification.removals import REMOVALS, Thief, fit, labels_of
from tinycerb.verification.suspects.tflite_file import artifact_labels
from tinycerb.verification.teachers import Teachers, pack_teachers, unpack_teachers
from tinycerb.verification.verdict import judge

ASSETS = Path(__file__).parents[1] / "assets"
# Of one core with nothing else to do.
SECONDS_PER_ROW = 15
P0 = 0.2
EPOCHS = 8
SEEDS = (1,)


@dataclass
class Table:
    """Everything that rows share; made when it is first wanted."""

    out: Path
    questions_asked: int
    own_images: int

    @cached_property
    def model(self):
        return open_owned_model(ASSETS / "fortress.tflite", open_owner("public"), "fortress")

    @cached_property
    def dataset(self):
        return load_dataset(load_config("fortress").data)

    @cached_property
    def questions(self) -> Questions:
        owner = open_owner("public")
        return draw_questions(owner.key, 0, self.questions_asked, self.model.families(owner), (28, 28, 1))

    @cached_property
    def expected(self) -> np.ndarray:
        return self.model.labels(self.questions)

    @cached_property
    def teachers(self) -> Teachers:
        kept = self.out / "teachers.npz"
        if not kept.exists():
            found = own_teachers(self.model, open_owner("public"), say)
            np.savez(kept, **pack_teachers(found))  # type: ignore[arg-type]
        return unpack_teachers(read_npz(kept))

    @cached_property
    def said(self):
        return self.teachers.labels(self.questions)

    @cached_property
    def pool(self) -> np.ndarray:
        return with_copies(query_pool("animal_mnist").load(self.dataset), 2)

    @cached_property
    def own(self) -> tuple[np.ndarray, np.ndarray]:
        validation = self.dataset.validation
        return validation.images[: self.own_images], validation.labels[: self.own_images]

    def answers(self, file: str, name: str, images: np.ndarray) -> np.ndarray:
        """A file's labels, remembered."""
        kept = self.out / f"answers-{file}-{name}.npz"
        if not kept.exists():
            path = ASSETS / f"{file}.tflite"
            np.savez(kept, labels=artifact_labels(path, open_artifact(path), images))
        return read_npz(kept)["labels"]

    def clone(self, file: str, seed: int, images: np.ndarray, labels: np.ndarray, name: str) -> keras.Model:
        """A student that was trained on labels, remembered."""
        make_repeatable(seed)
        student = STUDENTS["lenet"]((28, 28, 1), 10)
        kept = self.out / f"clone-{file}-{name}-{seed}.npz"
        if kept.exists():
            arrays = read_npz(kept)
            student.set_weights([arrays[f"arr_{index}"] for index in range(len(arrays))])
            return student
        wanted, settings = np.eye(10, dtype=np.float32)[labels], DistillSettings(EPOCHS, 64, 1e-3, 0.5)
        distill([student], images, wanted, settings, seed, lambda epoch, predict: None, ignore, soft_cross_entropy)
        np.savez(kept, *student.get_weights())
        return student

    def thief(self, seed: int = 1) -> Thief:
        images, true = self.own
        labels = self.answers("fortress", "pool", self.pool)
        return Thief(
            clone=self.clone("fortress", seed, self.pool, labels, "t1"),
            pool=self.pool,
            pool_labels=labels,
            own=images,
            victim_labels=self.answers("fortress", "own", images),
            true_labels=true,
            families=tuple(load_config("fortress").out_of_distribution.families),
            build=lambda: STUDENTS["lenet"]((28, 28, 1), 10),
            classes=10,
            seed=seed,
        )

    def row(self, predict: Callable[[np.ndarray], np.ndarray]) -> dict[str, object]:
        """Judges whoever gives labels of uint8 images."""
        verdict = judge(
            predict(self.questions.images), self.expected, self.questions, self.said,
            dict.fromkeys(self.questions.families, P0), 1e-3,
        )  # fmt: skip
        accuracy = float((predict(self.dataset.test.images) == self.dataset.test.labels).mean())
        return {
            "accuracy": round(accuracy, 4),
            "agreement": verdict.agreed / verdict.asked,
            "questions": verdict.asked,
            "p_by_population": verdict.p_population,
            "p_by_secret": verdict.p_secret,
            "strict_after": verdict.strict_after,
            "verdict": verdict.verdict,
        }


def of_network(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    return lambda images: labels_of(model, images)


def clones(table: Table) -> dict[str, Callable[[], dict[str, object]]]:
    """Rows of clones and of independent networks."""

    def stolen(file: str, seed: int) -> dict[str, object]:
        return table.row(of_network(table.clone(file, seed, table.pool, table.answers(file, "pool", table.pool), "t1")))

    def own_kind() -> dict[str, object]:
        images = table.own[0][:500]
        labels = table.answers("fortress", "own", table.own[0])[:500]
        make_repeatable(1)
        student = STUDENTS["lenet"]((28, 28, 1), 10)
        return table.row(of_network(fit(student, images, labels, 20, 1e-3)))

    def independent(seed: int) -> dict[str, object]:
        train = table.dataset.train
        chosen = np.random.default_rng(seed).permutation(len(train.images))[:6000]
        make_repeatable(seed)
        student = STUDENTS["lenet"]((28, 28, 1), 10)
        return table.row(of_network(fit(student, train.images[chosen], train.labels[chosen], 3, 1e-3)))

    return {
        **{f"T1 clone, seed {seed}": lambda seed=seed: stolen("fortress", seed) for seed in SEEDS},
        "T2 clone, 500 own images": own_kind,
        **{
            f"clone of the undefended network, seed {seed}": lambda seed=seed: stolen("one_head_control", seed)
            for seed in SEEDS
        },
        **{f"independent network {seed}": lambda seed=seed: independent(seed) for seed in (1, 2)},
    }


def evasions(table: Table) -> dict[str, Callable[[], dict[str, object]]]:
    """Rows of a clone that answers at random what looks foreign to it."""

    def by(foreign: Callable[[Thief, np.ndarray], np.ndarray]) -> dict[str, object]:
        thief = table.thief()

        def predict(images: np.ndarray) -> np.ndarray:
            anything = np.random.default_rng(1).integers(0, 10, len(images))
            return np.where(foreign(thief, images), anything, labels_of(thief.clone, images))

        return table.row(predict)

    def unsure(thief: Thief, images: np.ndarray) -> np.ndarray:
        def confidence(of: np.ndarray) -> np.ndarray:
            logits = thief.clone.predict(of.astype(np.float32) / 255, batch_size=512, verbose=0)
            return (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)

        def top(of: np.ndarray) -> np.ndarray:
            return 1 / np.exp(confidence(of)).sum(axis=1)

        return top(images) < np.quantile(top(thief.own), 0.05)

    def drawn(thief: Thief, images: np.ndarray) -> np.ndarray:
        other = generate(thief.families, len(thief.own), thief.own, thief.seed + 2000)
        make_repeatable(1)
        detector = fit(
            STUDENTS["lenet"]((28, 28, 1), 2),
            np.concatenate([thief.own, other]),
            np.repeat([0, 1], len(thief.own)),
            4,
            1e-3,
        )
        return labels_of(detector, images) == 1

    return {
        "evasion: random where unsure": lambda: by(unsure),
        "evasion: random where it looks drawn": lambda: by(drawn),
    }


def rows_of(table: Table) -> dict[str, Callable[[], dict[str, object]]]:
    """All rows, by name."""

    def removed(name: str) -> dict[str, object]:
        thief = table.thief()
        make_repeatable(1)
        return table.row(of_network(REMOVALS[name](thief)))

    return {
        **clones(table),
        **evasions(table),
        **{f"removal: {name}": lambda name=name: removed(name) for name in REMOVALS},
    }


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def line(name: str, row: dict) -> str:
    """A row of the page's table."""
    strict = row["strict_after"] or "-"
    return (
        f"| {name} | {100 * row['accuracy']:.1f} % | {100 * row['agreement']:.0f} % | {row['p_by_population']:.1e} | "
        f"{row['p_by_secret']:.1e} | {strict} | {row['verdict']} |"
    )


def main() -> None:
    """Makes what is missing of the table, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--own-images", type=int, default=5000)
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    table = Table(given.out, given.questions, given.own_images)
    rows = rows_of(table)
    missing = [name for name in rows if not (given.out / f"{name}.json").exists()]
    if given.dry_run:
        say(f"{len(missing)} of {len(rows)} rows are missing: about {len(missing) * SECONDS_PER_ROW / 3600:.1f} hours")
        return
    given.out.mkdir(parents=True, exist_ok=True)
    say("| suspect | accuracy | agreement | p, population | p, secret | 1e-6 after | verdict |")
    say("|---|---:|---:|---:|---:|---:|---|")
    for name, make in rows.items():
        file = given.out / f"{name}.json"
        if name in missing:
            begun = time.process_time()
            row = make()
            write_json(file, {**row, "seconds": round(time.process_time() - begun, 1)})
        say(line(name, read_json(file)))


if __name__ == "__main__":
    main()
