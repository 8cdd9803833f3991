"""Learns to undo a known response, and trains on the restored answers. A worst case: it knows the vendor's recipe.

Breaks: deterministic perturbations of answers (reverse sigmoid, DCP, MAD, matrices). D-DAE (Chen et al., S&P 2023)
learns the way back from perturbed to clean answers; D-DAE+ and partial Bayes (ModelGuard, USENIX Security 2024) draw
pairs from Dirichlet distributions around plausible posteriors. Theirs are the victim's clean ones; here they are
general at first and then around what the first round has restored, so nothing but the recipe is known.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.building_blocks.response_pairs import answers_to, can_simulate, in_rounds, mean_of_nearest
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option


@ATTACKS.register("restorer")
@dataclass(frozen=True)
class Restorer:
    """Asks each image once; restores the answers with `inputs.response`; distils.

    A response that cannot be played with posteriors alone is left as it is.

    Notes `worst_case = "knows the response"` and `restored`, 1 or 0.
    """

    method: str = option(
        "mlp",
        "mlp: the network K-128-64-K of D-DAE+, L1 loss; partial_bayes: the mean of the clean posteriors whose answers "
        "lie nearest and name the same label",
        choices=("mlp", "partial_bayes"),
    )
    pairs: int = option(60_000, "pairs of clean and perturbed posteriors in each round", 100, 10_000_000)
    rounds: int = option(2, "rounds of restoring; each draws its pairs around what the one before has found", 1, 10)
    epochs: int = option(8, "epochs of the network in each round", 1, 1000)

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
        inputs.note("worst_case", "knows the response")
        inputs.note("restored", int(can_simulate(inputs.response, answers.shape[1])))
        train_clone(inputs, images, self.restored(answers, inputs.response, inputs.seed))

    def restored(self, answers: np.ndarray, response: str, seed: int) -> np.ndarray:
        """Returns answers float [N, classes] without the response, float32 [N, classes]."""
        if response == "none" or not can_simulate(response, answers.shape[1]):
            return answers

        def undo(codes: np.ndarray) -> np.ndarray:
            clean = codes.astype(np.float32) / 256
            return self._restore(answers.astype(np.float32), answers_to(response, codes), clean, seed)

        return in_rounds(undo, self.rounds, self.pairs, answers.shape[1], seed)

    def _restore(self, answers: np.ndarray, seen: np.ndarray, clean: np.ndarray, seed: int) -> np.ndarray:
        if self.method == "mlp":
            from tinycerb.attacks.building_blocks.restoring_network import restore

            return restore(answers, seen, clean, self.epochs, seed)
        found = answers.copy()
        labels, seen_labels = answers.argmax(axis=1), seen.argmax(axis=1)
        for label in np.unique(labels):
            rows = labels == label
            if (table := seen_labels == label).any():
                found[rows], _ = mean_of_nearest(answers[rows], seen[table], clean[table], 16)
        return found


def check_posteriors(config: AttackConfig) -> None:
    """For attacks that undo what was done to posteriors.

    Raises:
        UsageError: the victim gives none.
    """
    if config.output != "probs":
        raise UsageError(
            f"attacks.{config.name}.output is {config.output!r}, which leaves nothing to restore; allowed: 'probs'"
        )
