"""The verdict in words: what was stolen of whom, whether that is protection, and when nothing can be said."""

from typing import Any

import pytest

from tinycerb.reports.facts import _cost_sentence, verdict_sentences
from tinycerb.reports.plain_words import nearest_attack, plain_verdict


def made(undefended: float, control: float, defended: float, conclusive: bool = True, accuracy: float = 0.88) -> Any:
    """A run's figures as far as the verdict reads them; clones of three victims."""
    clones = {"undefended": undefended, "pruned": control, "guard": defended}

    def victim(name: str, right: float) -> Any:
        return {
            "defense": "cerberos" if name == "guard" else "none", "response": "none",
            "channel_ratio": 0.0 if name == "undefended" else 0.5, "accuracy": {"accuracy_expected": right},
            "file": {"flash_bytes": 11_216, "flash_share_of_baseline": 0.5},
        }  # fmt: skip

    cases = {
        name: {"clone_accuracy": clone, "selection": "mean", "points_below_baseline": 100 * (undefended - clone)}
        for name, clone in clones.items()
    }
    attacks = [
        {"attack": "weak", "baseline_clone_accuracy": 0.3, "valid": False},
        {"attack": "knockoff", "baseline_clone_accuracy": undefended, "valid": conclusive},
    ]
    verdict = {"meaning": "the attacker has X", "conclusive": conclusive, "bar": 0.72, "attacks": attacks}
    return {
        "baseline": "undefended", "gates_missed": [], "threats": {"T1": {**verdict, "victims": cases}},
        "victims": {"undefended": victim("undefended", 0.9), "pruned": victim("pruned", 0.84),
                    "guard": victim("guard", accuracy)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("clones", "status", "words"),
    [
        ((0.79, 0.80, 0.55), "good", "guard protects. Its best copy is right on 55.0% of the test images, "
         "of undefended on 79.0% and of pruned on 80.0%."),
        ((0.79, 0.80, 0.77), "open", "guard may protect; less than 4 points can be chance."),
        ((0.79, 0.60, 0.70), "bad", "guard protects no better than pruned, which has no defence."),
        ((0.79, 0.80, 0.80), "bad", "guard does not protect."),
        ((0.79, 0.80, 0.90), "bad", "guard is EASIER to steal than undefended."),
    ],
)  # fmt: skip
def test_a_verdict_is_one_word_and_the_figures_behind_it(clones: tuple, status: str, words: str) -> None:
    (stealing, cost) = plain_verdict(made(*clones), "guard")
    assert stealing[0] == status
    assert stealing[1].startswith("T1, the attacker has X: ")
    assert words in stealing[1]
    assert cost == (
        "open",
        "guard itself is right on 88.0% of the test images, 2.0 points less than undefended; its file has 11,216 bytes "
        "(50.0% of undefended's).",
    )


def test_where_nothing_can_be_said_the_needed_figure_is() -> None:
    status, text = plain_verdict(made(0.458, 0.535, 0.44, conclusive=False), "guard")[0]
    assert status == "open"
    assert "inconclusive" in text
    assert "right on 45.8% of the test images, 72.0% are needed" in text
    assert "wrong way" not in text
    assert nearest_attack(made(0.458, 0.5, 0.4)["threats"]["T1"]) == "knockoff"


def test_an_inconclusive_run_whose_defence_hurts_says_so() -> None:
    """The terminal and the page: a copy of the defended model that is twenty points better is no neutral figure."""
    metrics: Any = made(0.458, 0.535, 0.658, conclusive=False)
    assert "points the wrong way: the best copy of guard is right on 65.8%" in plain_verdict(metrics, "guard")[0][1]
    (page,) = [text for _, text in verdict_sentences(metrics) if text.startswith("T1")]
    assert "points the wrong way: the best clone of guard reaches 65.8%, that of undefended 45.8%" in page


def test_without_attacks_and_without_a_defence() -> None:
    metrics: Any = {**made(0.79, 0.8, 0.55), "threats": {}}
    (nothing, _) = plain_verdict(metrics, "guard")
    assert nothing == (
        "open",
        "Stealing was not measured, as the attacker had no images: nothing is known of protection.",
    )
    assert plain_verdict(metrics, "pruned")[0] == ("open", "pruned has no defence.")
    assert "undefended's" in plain_verdict(metrics, "undefended")[1][1]
    assert "less than" not in plain_verdict(metrics, "undefended")[1][1]


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        (0.87, "3.0 points of accuracy lost against undefended (3.0 points of accuracy gained against pruned)"),
        (0.80, "10.0 points of accuracy lost against undefended (4.0 points of accuracy lost against pruned)"),
        (0.92, "2.0 points of accuracy gained against undefended (8.0 points of accuracy gained against pruned)"),
    ],
)
def test_a_cost_says_lost_or_gained_and_never_both(accuracy: float, words: str) -> None:
    assert words in _cost_sentence(made(0.79, 0.8, 0.55, accuracy=accuracy), "guard")[1]
