"""Fixes the strength of a response once, on validation images, at a stated loss of accuracy; before any attack."""

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from tinycerb.answers.responses import (
    RESPONSES,
    check_heads,
    combiner_of,
    parse_response,
    respond,
    response_text,
)
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError, suggest
from tinycerb.options import options_of
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact

_STEPS = 40


@dataclass(frozen=True)
class Tried:
    """One strength.

    Attributes:
        response: as text.
        strength: of its option.
        accuracy: expected over heads, on validation images.
        points_lost: against the same network without a response.
        l1_mean: distance of the answers to those without it.
    """

    response: str
    strength: float
    accuracy: float
    points_lost: float
    l1_mean: float


def tune_response(run: RunDirectory, victim: str, text: str, points: float) -> tuple[Tried, list[Tried]]:
    """Finds the strongest setting that loses at most `points` of accuracy.

    Args:
        run: the victim is converted.
        victim: its name.
        text: a response; its other options stay as they are.
        points: percentage points of expected accuracy that may be lost.

    Returns:
        The choice, and everything tried, from weak to strong.

    Raises:
        UsageError: the response has no strength, or the loss is out of range.
    """
    response: Any = parse_response(text)
    if not response.strength:
        known = [name for name in RESPONSES if RESPONSES[name].strength]
        near = suggest(response.name, known)
        raise UsageError(f"response {response.name!r} has no strength to tune{near}; allowed: {', '.join(known)}")
    if not 0 <= points <= 100:
        raise UsageError(f"--loss is {points}; allowed: 0 to 100 points")
    if victim not in [each.name for each in run.config.victims]:
        known = ", ".join(each.name for each in run.config.victims)
        raise UsageError(f"the run has no victim {victim!r}; its victims: {known}")
    artifact = open_artifact(run.model(victim))
    validation = load_dataset(run.config.data).validation
    logits = open_fastest(artifact).all_heads(artifact.quantize(validation.images))
    combines = combiner_of(response) is not None
    if combines:
        check_heads(response, artifact.heads, artifact.card.combined_by or "")
    # What is lost is counted from the first head alone, or from what the file's own combining has left.
    every = artifact.posteriors(logits)
    codes = every[:, :1] if combines else Answers(artifact).posteriors(logits)
    plain = _accuracy(codes, validation.labels)
    name = response.strength
    limits = options_of(type(response))[name].limits
    low, high = cast(float, limits.low), cast(float, limits.high)
    tried = []
    # All of them: accuracy need not fall evenly with strength.
    for strength in np.linspace(low, high, _STEPS + 1):
        candidate: Any = replace(response, **{name: round(float(strength), 4)})
        if combines:
            answers = candidate.combine(logits, every)[:, np.newaxis]
        else:
            answers = np.stack([respond(candidate, codes[:, head]) for head in range(codes.shape[1])], axis=1)
        accuracy = _accuracy(answers, validation.labels)
        distance = float(np.abs(answers.astype(int) - codes).sum(axis=2).mean() / 256)
        text_of = response_text(candidate)
        tried.append(Tried(text_of, round(float(strength), 4), accuracy, 100 * (plain - accuracy), distance))
    fitting = [each for each in tried if each.points_lost <= points]
    # With strength 0 nothing is changed, hence nothing lost.
    return max(fitting, key=lambda each: each.strength), tried


def _accuracy(codes: np.ndarray, labels: np.ndarray) -> float:
    """Expected over heads: what a user of random heads gets."""
    return float((codes.argmax(axis=2) == labels[:, np.newaxis]).mean())
