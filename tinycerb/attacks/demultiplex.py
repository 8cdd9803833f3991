"""Takes random heads apart: counts them, links their answers across images, and clones one of them cleanly.

Breaks: the hope that answers of randomly drawn heads are noise. Int8 answers are the same to the last bit each time a
head is met, so repeats of one question show exactly as many byte-distinct answers as there are heads (all of them
after about H (1 + 1/2 + ... + 1/H) calls). What links heads across images is in `linking`. A keyed draw gives one
answer only; the attack then spends the rest of its budget on single questions.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs, choose_images
from tinycerb.attacks.building_blocks.linking import MOST_HEADS, answers_of, distinct_answers, link, relink
from tinycerb.attacks.building_blocks.repeats import ask_repeatedly, charged_option, check_repeats, choose_repeated
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    from tinycerb.attacks.building_blocks.transfer import Predict

_PROBES = 20
_HELD_OUT = 0.1
# The best deal is e times as likely as the second best.
_CLEAR = 1.0


@ATTACKS.register("demultiplex")
@dataclass(frozen=True)
class Demultiplex:
    """Asks n times, links, clones every head and their mean, keeps the clone that best foretells held-out answers.

    "Best" is agreement with the held-out answers that the clone stands for, corrected for chance (Cohen's kappa): a
    head that always says the same would else win. Test labels are not seen.

    Notes `heads` (byte-distinct answers), `linked` (share of images all of whose answers were met and dealt clearly)
    and `clone_of` (a head's number, `mean` or `answers`).
    """

    repeats: int = option(8, "n, calls per image", 2, 1000)
    charged: bool = charged_option()
    student_rounds: int = option(
        0,
        "how often students, trained on the linked answers of one half of the images, correct the links "
        "of the other half",
        0,
        10,
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_repeats(config, pool_images, in_distribution_images, self.repeats, self.charged)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_repeated(inputs, self.repeats, self.charged)
        probes = ask_repeatedly(inputs, images[:_PROBES], self.repeats)
        rest = images[_PROBES:]
        if len(rest) and (probes == probes[0]).all():
            inputs.note("heads", 1)
            inputs.note("clone_of", "answers")
            left = _single_questions(inputs, len(images), probes.shape[0] * probes.shape[1])
            train_clone(inputs, left, inputs.oracle.query(left))
            return
        answers = np.concatenate([probes, ask_repeatedly(inputs, rest, self.repeats)], axis=1) if len(rest) else probes
        slots, counts = distinct_answers(answers)
        inputs.note("heads", slots.shape[1])
        if slots.shape[1] > MOST_HEADS:
            # Noise rather than heads: nothing to link.
            inputs.note("clone_of", "mean")
            train_clone(inputs, images, answers.mean(axis=0))
            return
        chosen, margins = self.linked(inputs, images, slots, counts)
        inputs.note("linked", float(((counts == slots.shape[1]) & (margins > _CLEAR)).mean()))
        self._clone_best(inputs, images, answers_of(slots, chosen))

    def linked(
        self, inputs: AttackInputs, images: np.ndarray, slots: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns which slot is whose, int64 [N, heads], and how clearly, float [N]."""
        from tinycerb.attacks.building_blocks.transfer import train_quietly

        chosen, margins = link(slots, counts, inputs.seed)
        halves = np.arange(len(images)) % 2
        for _ in range(self.student_rounds):
            said = np.empty_like(slots)
            by_head = answers_of(slots, chosen)
            for half in (0, 1):
                for head in range(slots.shape[1]):
                    student = train_quietly(inputs, images[halves != half], by_head[halves != half, head])
                    said[halves == half, head] = student(images[halves == half])
            chosen, margins, _ = relink(slots, counts, chosen, said)
        return chosen, margins

    def _clone_best(self, inputs: AttackInputs, images: np.ndarray, by_head: np.ndarray) -> None:
        from tinycerb.attacks.building_blocks.transfer import train_quietly

        held_out = max(1, round(_HELD_OUT * len(images)))
        candidates = {str(head): by_head[:, head] for head in range(by_head.shape[1])} | {"mean": by_head.mean(axis=1)}
        clones: list[tuple[float, str, Predict]] = []
        for name, answers in candidates.items():
            clone = train_quietly(inputs, images[held_out:], answers[held_out:])
            score = kappa(clone(images[:held_out]).argmax(axis=1), answers[:held_out].argmax(axis=1), inputs.classes)
            clones.append((score, name, clone))
        _, name, clone = max(clones, key=lambda each: each[0])
        inputs.note("clone_of", name)
        inputs.on_epoch(inputs.config.epochs, clone)


def _single_questions(inputs: AttackInputs, images: int, spent: int) -> np.ndarray:
    """Returns the images that are left to ask once each."""
    budget = inputs.config.budget or len(inputs.pool) + len(inputs.in_distribution)
    return choose_images(replace(inputs, config=replace(inputs.config, budget=max(images, budget - spent))))


def kappa(first: np.ndarray, second: np.ndarray, classes: int) -> float:
    """Returns Cohen's kappa of two lists of labels: agreement beyond what their frequencies give by chance."""
    chance = float((np.bincount(first, minlength=classes) * np.bincount(second, minlength=classes)).sum()) / (
        len(first) ** 2
    )
    return (float((first == second).mean()) - chance) / (1 - chance) if chance < 1 else 0.0
