"""GRAD^2: every answer sends the thief's student in a direction that the defender has chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.answers.responses.fitting import FittingContext
from tinycerb.answers.responses.response import RESPONSES, Answer, Network, Response, ResponseStep, host_only
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.procedural import generate
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option
from tinycerb.seal.files import write_bytes

# A float network beside the victim's file: images to the direction per class.
AUXILIARY_MODEL = "redirection.tflite"
# Far from the seeds of training's own procedural images.
_SEED_OFFSET = 300_000
_WATERMARK_FAMILY, _WATERMARK_IMAGES = "gratings", 100


@RESPONSES.register("grad2")
@dataclass(frozen=True)
class GradientRedirection(Response):
    """Solves max c . y' within an L1 budget for every question, where c comes from a surrogate of the thief's student.

    Mazeika, Li and Forsyth, ICML 2022. The surrogate is distilled from the clean victim when the victim is converted,
    on images of the task and procedural ones, and stopped early; c is its derivative along the target. Host only, and
    only within a run: a second network answers every question.
    """

    name = "grad2"
    final = True
    files = (AUXILIARY_MODEL,)

    epsilon: float = option(1.0, "L1 budget", 0, 2)
    target: str = option(
        "all_ones", "direction of the student's parameters", choices=("all_ones", "random", "watermark")
    )
    surrogate_epochs: int = option(2, "epochs of the surrogate, stopped early", 1, 100)
    preserve_top1: bool = option(False, "keep the label")

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @property
    def uses_owner_key(self) -> bool:
        """Where the target is a secret."""
        return self.target != "all_ones"

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Refuses: without the question's direction there is no answer."""
        raise UsageError(
            "response 'grad2' asks a second network about every question, which `tinycerb run` makes with the victim: "
            'name it in the configuration, response = "grad2", or with --defense grad2'
        )

    def fit(self, context: FittingContext) -> "GradientRedirection":
        """Distils the surrogate from the clean victim and writes the network that every answer asks.

        The surrogate sees the training images and as many procedural ones: nobody knows what a thief will ask.
        """
        from tinycerb.answers.responses.building_blocks.redirection_network import (
            TARGETS,
            redirection_network,
            to_float_tflite,
        )

        train, seed = context.dataset.train.images, context.seed + _SEED_OFFSET
        count = min(len(train), context.drawn_images)
        images = np.concatenate([train[:count], generate(context.families, count, train, seed)])
        surrogate = context.surrogate(images, self.surrogate_epochs, seed).network
        marks, labels = watermark(context.clean_posteriors, context.dataset, context.seed, context.key_words)
        rng = np.random.default_rng([*context.key_words, context.seed, _SEED_OFFSET])
        direction = TARGETS[self.target](surrogate, marks.astype(np.float32) / 255, labels, rng)
        write_bytes(context.folder / AUXILIARY_MODEL, to_float_tflite(redirection_network(surrogate, direction)))
        return self

    def opened(self, network: Callable[[str], Network]) -> Answer:
        """Returns what asks the second network about every image."""
        directions = network(AUXILIARY_MODEL)

        def answer(images: np.ndarray | None, codes: np.ndarray) -> np.ndarray:
            if images is None:
                raise UsageError(f"response {self.name!r} asks a second network about every image; none are given")
            return self.answer(codes, directions(images))

        return answer

    def answer(self, codes: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Returns the redirected codes, for directions float [N, classes]."""
        return redirect(codes, directions, self.epsilon, self.preserve_top1)

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Refuses."""
        raise host_only(self, "a surrogate network, twice, stands behind every answer")


def watermark(
    predict: Callable[[np.ndarray], np.ndarray], dataset: Dataset, seed: int, key_words: tuple[int, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the watermark's images, uint8 [100, ...], and the labels that a marked clone gives them, int64 [100].

    One class for all of them, the one that the clean victim expects least there; `predict` gives its posteriors, [N,
    classes] for uint8 images. Labels of several classes do not take: every answer spends its whole budget, so what the
    clone learns is the class that the target favours on average (measured: clones then answer that one class and miss
    all others).
    """
    # All words in one number, above any seed.
    secret = sum(word << 32 * place for place, word in enumerate(key_words, 1))
    images = generate([_WATERMARK_FAMILY], _WATERMARK_IMAGES, dataset.train.images, secret + seed + _SEED_OFFSET + 1)
    return images, np.full(len(images), predict(images).mean(axis=0).argmin())
