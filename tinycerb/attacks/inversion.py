"""Undoes reverse-sigmoid noise (RS, DCP) by looking answers up in a table of what it can have made.

Breaks: perturbations that treat all classes alike. y' = Norm(y - beta alpha r(y)), r(y) = sigmoid(gamma logit(y)) -
1/2, has two to three parameters and commutes with permutations of the classes: answers are looked up in order of size,
so that one table serves all classes. The function of one class is not monotone near 0 and the answer has 8 bits,
so several posteriors fit; their mean is taken. Parameters come from the vendor's documents (`known`, a worst case) or
are `fitted`: under the right ones, real answers lie nearest to answers that the response can give.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses import parse_response
from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.building_blocks.response_pairs import answers_to, in_rounds, mean_of_nearest, plausible_codes
from tinycerb.attacks.registry import ATTACKS
from tinycerb.attacks.restorer import check_posteriors
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option

_BETAS, _GAMMAS, _TAUS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.1), (0.1, 0.2, 0.4), (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_FITTED_ON, _FIT_PAIRS = 200, 4000


@ATTACKS.register("inversion")
@dataclass(frozen=True)
class Inversion:
    """Asks each image once; inverts the answers; distils.

    Notes `response`, what was inverted.
    """

    parameters: str = option(
        "known",
        "of the noise: known from the vendor's documents, or fitted to the answers alone",
        choices=("known", "fitted"),
    )
    kind: str = option("dcp", "which noise is fitted; known parameters name it themselves", choices=("dcp", "rs"))
    pairs: int = option(30_000, "size of the table in each round", 100, 10_000_000)
    rounds: int = option(
        2, "rounds of inverting; each draws half of its table around what the one before has found", 1, 10
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_distinct(config, pool_images, in_distribution_images)
        check_posteriors(config)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_images(inputs)
        answers = inputs.oracle.query(images)
        response = inputs.response if self.parameters == "known" else fit(answers, self.kind, inputs.seed)
        inputs.note("response", response)
        if self.parameters == "known":
            inputs.note("worst_case", "knows the response")
        train_clone(inputs, images, self.inverted(answers, response, inputs.seed))

    def inverted(self, answers: np.ndarray, response: str, seed: int) -> np.ndarray:
        """Returns answers float [N, classes] without the noise, float32 [N, classes]; other responses stay.

        Raises:
            UsageError: unknown response.
        """
        if parse_response(response).name not in ("dcp", "rs"):
            return answers
        order = np.argsort(-answers, axis=1, kind="stable")
        ordered = np.take_along_axis(answers, order, axis=1).astype(np.float32)
        unique, back = np.unique(ordered, axis=0, return_inverse=True)

        def undo(codes: np.ndarray) -> np.ndarray:
            return mean_of_nearest(unique, *_ordered_table(response, codes), 16)[0]

        found = in_rounds(undo, self.rounds, self.pairs, answers.shape[1], seed)
        result = np.empty_like(ordered)
        np.put_along_axis(result, order, found[back.reshape(-1)], axis=1)
        return result


def fit(answers: np.ndarray, kind: str, seed: int) -> str:
    """Returns the response of a kind under whose table the answers, float [N, classes], lie nearest."""
    rng = np.random.default_rng([seed, 31])
    some = answers[rng.permutation(len(answers))[:_FITTED_ON]].astype(np.float32)
    some = -np.sort(-some, axis=1)
    codes = plausible_codes(_FIT_PAIRS, answers.shape[1], seed)
    settings = itertools.product(_BETAS, _GAMMAS, _TAUS if kind == "dcp" else (0,))
    texts = [f"{kind},beta={b},gamma={g}" + (f",tau={t}" if kind == "dcp" else "") for b, g, t in settings]
    return min(texts, key=lambda text: mean_of_nearest(some, *_ordered_table(text, codes), 1)[1].mean())


def _ordered_table(response: str, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns answers in order of size, and the posteriors that they were made from in the same order of classes."""
    seen = answers_to(response, codes)
    order = np.argsort(-seen, axis=1, kind="stable")
    clean = np.take_along_axis(codes.astype(np.float32) / 256, order, axis=1)
    return np.take_along_axis(seen, order, axis=1), clean
