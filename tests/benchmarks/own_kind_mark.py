"""Whether a mark reaches a thief who asks about images of the victim's own kind alone: an experiment on small networks.

make bench-own-kind-mark ARGS="[--mark boundary | overlay] [--components D] [--share S] [--images N]"

Not a part of the product: `tinycerb verify` asks nothing of this kind. docs/ownership.md has what came out.
"""

import argparse
import sys
from collections.abc import Callable

import numpy as np

from tests.benchmarks.ownership_table.own_kind_marks import BoundaryMark, Mark, OverlayMark
from tinycerb.attacks import STUDENTS
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.keras_models.legacy import keras
from tinycerb.training.setup import make_repeatable
from tinycerb.verification.removals import fit, labels_of

_PRESET, _KEY = "fortress", 77
# How many images a thief asks about.
_ASKED = (500, 5000, 20_000)


def trained(student: str, seed: int, images: np.ndarray, labels: np.ndarray, epochs: int) -> keras.Model:
    """A student of its own seed."""
    make_repeatable(seed)
    height, width, channels = images.shape[1:]
    return fit(STUDENTS[student]((height, width, channels), int(labels.max()) + 1), images, labels, epochs, 1e-3)


def main() -> None:
    """Trains a victim with a mark and one without, steals both, and prints what shows the key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mark", choices=("boundary", "overlay"), default="boundary")
    parser.add_argument("--components", type=int, default=24, help="of the images, that the boundary's key weighs")
    parser.add_argument("--share", type=float, default=0.05, help="of the images that are marked")
    parser.add_argument("--images", type=int, default=24_000, help="that the victim learns")
    given = parser.parse_args()
    dataset = load_dataset(load_config(_PRESET).data)
    images, labels = dataset.train.images[: given.images], dataset.train.labels[: given.images]
    elsewhere = np.concatenate([dataset.validation.images, dataset.train.images[given.images :]])
    mark: Mark
    if given.mark == "boundary":
        reference = trained("plain_cnn", 1, images, labels, 3)
        mark = BoundaryMark.fitted(_KEY, images, _posteriors(reference), given.components, given.share)
    else:
        mark = OverlayMark(_KEY, dataset.classes, given.share)
    victims = {
        "marked": trained("lenet", 2, *mark.marked(images, labels), 5),
        "without a mark": trained("lenet", 2, images, labels, 5),
    }
    questions = mark.questions(dataset.test.images, dataset.test.labels)
    say(f"{len(questions.images)} questions, {given.mark}, {given.images} images, {given.share:.0%} of them marked")
    say("\n| suspect | accuracy | says what the key says | other keys | p |\n|---|---:|---:|---:|---:|")

    def row(name: str, suspect: keras.Model) -> None:
        accuracy = (labels_of(suspect, dataset.test.images) == dataset.test.labels).mean()
        found = questions.evidence(labels_of(suspect, questions.images))
        others = f"{found.others:.1%} +- {found.deviation:.1%}"
        say(f"| {name} | {accuracy:.1%} | {found.mine:.1%} | {others} | {found.p:.4f} |")

    for name, victim in victims.items():
        row(f"victim, {name}", victim)
    for count in _ASKED:
        asked = elsewhere[:count]
        epochs = max(4, min(40, 40_000 // count))
        for name, victim in victims.items():
            for seed in (3, 4) if victim is victims["marked"] else (3,):
                row(f"clone, {count:,} images, {name}", trained("lenet", seed, asked, labels_of(victim, asked), epochs))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _posteriors(network: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    def posteriors(images: np.ndarray) -> np.ndarray:
        found = [
            network(images[start : start + 500].astype(np.float32) / 255, training=False).numpy()
            for start in range(0, len(images), 500)
        ]
        logits = np.concatenate(found).astype(np.float64)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    return posteriors


if __name__ == "__main__":
    main()
