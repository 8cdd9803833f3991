"""The page and the sentence about own-kind images."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from tests.reports.test_many_victims import clashes, drawn, texts_of
from tinycerb.reports.pages import doses
from tinycerb.reports.plain_words import plain_verdict
from tinycerb.reports.style import STYLE

CURVES = {"undefended": (39.7, 58.7, 74.6, 79.8, 83.2), "guard": (40.7, 56.6, 73.7, 78.7, 82.6)}
IMAGES = (10, 30, 100, 300, 1000)


def made(seeds: int = 1, left_out: str = "") -> Any:
    """Figures of a run with two curves, as far as the page reads them."""

    def victim(right: float, defense: str) -> Any:
        file = {"flash_bytes": 1, "flash_share_of_baseline": 1.0}
        return {"accuracy": {"accuracy_expected": right}, "defense": defense, "file": file, "channel_ratio": 0.0}

    curves = {
        name: [
            {"images": images, "clone_accuracy": right / 100, "clone_accuracies": [right / 100] * seeds, "cells": []}
            for images, right in zip(IMAGES, rights, strict=True)
        ]
        for name, rights in CURVES.items()
    }
    return {
        "class_names": list("abcdefghij"), "baseline": "undefended", "threats": {},
        "victims": {"undefended": victim(0.909, "none"), "other": victim(0.9, "none"), "guard": victim(0.899, "mine")},
        "doses": {"basis": "measured", "student": "lenet", "left_out": left_out, "victims": curves},
    }  # fmt: skip


def test_the_page_has_curves_the_victims_themselves_and_chance() -> None:
    (page,) = drawn(doses.draw, made())
    axes = page.axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for name, rights in CURVES.items():
        np.testing.assert_allclose(np.asarray(lines[f"clone of {name}"].get_xdata()), IMAGES)
        np.testing.assert_allclose(np.asarray(lines[f"clone of {name}"].get_ydata()), rights)
    assert [set(np.asarray(lines[f"{name} itself"].get_ydata()).tolist()) for name in CURVES] == [{90.9}, {89.9}]
    assert set(np.asarray(lines["random guess"].get_ydata()).tolist()) == {10.0}
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "30", "100", "300", "1,000"]
    words = [text for text, _ in texts_of(page)]
    assert "How many images of your own kind a thief needs" in words
    assert all(f"{right}%" in words for rights in CURVES.values() for right in rights)
    assert "no part of the verdict" in " ".join(words)
    assert clashes(page) == []


def test_the_page_says_what_was_left_out_and_over_how_many_attackers() -> None:
    (page,) = drawn(doses.draw, made(seeds=3, left_out="bench.doses: 3,000 left out, as there are 40 images"))
    words = " ".join(text.replace("\n", " ") for text, _ in texts_of(page))
    assert "bench.doses: 3,000 left out, as there are 40 images." in words
    assert "Each figure is the mean over 3 attackers" in words


def test_a_run_without_a_curve_has_no_page() -> None:
    metrics = made()
    del metrics["doses"]
    with mpl.rc_context(STYLE):
        assert doses.draw(metrics) == []
    assert len(plain_verdict(metrics, "guard")) == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("guard", "With 10 unlabelled images of your own kind a thief's copy of guard is right on 40.7%, with 1,000 on "
         "82.6% of the test images (undefended: 39.7%, 83.2%)."),
        ("undefended", "With 10 unlabelled images of your own kind a thief's copy of undefended is right on 39.7%, "
         "with 1,000 on 83.2% of the test images."),
    ],
)  # fmt: skip
def test_the_closing_says_it_in_one_sentence(name: str, sentence: str) -> None:
    assert ("open", sentence) in plain_verdict(made(), name)
    assert sentence not in [text for _, text in plain_verdict(made(), "other")]


def test_a_single_dose_is_said_as_one() -> None:
    metrics = made()
    for name, curve in metrics["doses"]["victims"].items():
        metrics["doses"]["victims"][name] = curve[:1]
    (text,) = [text for _, text in plain_verdict(metrics, "guard") if text.startswith("With")]
    assert text.endswith("a thief's copy of guard is right on 40.7% of the test images (undefended: 39.7%).")
