"""Worst cases, validity and what may be said, on made-up cells."""

from typing import Any

import pytest

from tinycerb.atomic import read_json
from tinycerb.matrix.results import judge_threat
from tinycerb.reports.matrix.charts import draw_charts
from tinycerb.reports.matrix.tables import as_markdown

VICTIMS: Any = {
    name: {"seeds": [1, 2], "accuracy_per_seed": [0.9, 0.9]} for name in ("undefended", "cerberos")
}  # accuracy of the baseline 90 %: the bar is 72 %


def row(victim: str, accuracy: float, attack: str = "knockoff", seed: int = 1, attacker: int = 1001, **more) -> Any:
    return {
        "victim": victim, "attack": attack, "threat": "T1", "budget": 0, "student": "lenet", "learning_rate": 2e-3,
        "selection": "random", "mean_head": False, "victim_seed": seed, "attacker_seed": attacker,
        # The best epoch, which nobody may choose by, is the better the worse the last one is.
        "clone_accuracy": accuracy, "clone_accuracy_oracle_best": 1 - accuracy / 10, "queries_charged": 100,
        "agreement_with_victim": 0.5, "kl_to_victim": None, "l1_to_victim": 0.4, "untrained_accuracy": 0.1, **more,
    }  # fmt: skip


def judge(rows: list[Any], threat: str = "T1") -> Any:
    return judge_threat(rows, VICTIMS, "undefended", 0.8, threat, 10_000)


def test_attacker_seeds_are_averaged_before_the_worst_case_is_taken() -> None:
    rows = [row("undefended", 0.8), row("cerberos", 0.7), row("cerberos", 0.5, attacker=1002)]
    case = judge(rows)["victims"]["cerberos"]
    assert case["stolen_accuracy"]["mean"] == pytest.approx(0.6)
    assert case["difference_to_baseline"]["mean"] == pytest.approx(-0.2)


def test_the_worst_case_is_taken_on_every_victim_seed() -> None:
    rows = [row("undefended", 0.8, seed=seed) for seed in (1, 2)]
    rows += [row("cerberos", 0.6), row("cerberos", 0.3, seed=2), row("cerberos", 0.5, seed=2, selection="mean")]
    case = judge(rows)["victims"]["cerberos"]
    assert case["stolen_accuracy"]["mean"] == pytest.approx(0.55)
    assert case["stolen_accuracy"]["basis"] == "t over 2 victim seeds"
    assert (case["kl_to_victim"], case["l1_to_victim"]) == (None, pytest.approx(0.4))


def test_an_invalid_attack_raises_the_figure_and_supports_no_claim() -> None:
    rows = [row("undefended", 0.5, "weak"), row("cerberos", 0.7, "weak"), row("undefended", 0.71), row("cerberos", 0.4)]
    verdict = judge(rows)
    assert not verdict["conclusive"]
    assert verdict["victims"]["cerberos"]["stolen_accuracy"]["mean"] == 0.7
    assert verdict["victims"]["cerberos"]["broken_by"]["attack"] == "weak"
    rows[2] = row("undefended", 0.73)
    verdict = judge(rows)
    assert verdict["conclusive"]
    assert [attack["valid"] for attack in verdict["attacks"]] == [False, True]


def test_validity_is_the_mean_over_victim_seeds_not_the_best_of_them() -> None:
    """80 % and 60 %: the bar of 72 % is reached on one seed and not on the average."""
    verdict = judge([row("undefended", 0.8), row("undefended", 0.6, seed=2), row("cerberos", 0.3)])
    assert verdict["bar"] == pytest.approx(0.72)
    assert verdict["attacks"] == [{"attack": "knockoff", "baseline_clone_accuracy": pytest.approx(0.7), "valid": False}]
    assert not verdict["conclusive"]


def test_the_bar_is_that_of_the_seeds_that_were_attacked() -> None:
    victims: Any = {name: {"seeds": [1, 2], "accuracy_per_seed": [0.9, 0.5]} for name in ("undefended", "cerberos")}
    for rows, bar in (([row("undefended", 0.8)], 0.72), ([row("undefended", 0.8, seed=2)], 0.4), ([], 0.56)):
        assert judge_threat(rows, victims, "undefended", 0.8, "T1", 100)["bar"] == pytest.approx(bar)


def test_a_tables_figures_by_hand() -> None:
    """Two victim seeds, two attacks, two budgets, two attacker seeds."""
    rows = [
        row("undefended", 0.80, budget=100),
        row("undefended", 0.70, budget=400, attacker=1001, queries_charged=400),
        row("undefended", 0.90, budget=400, attacker=1002, queries_charged=400),
        row("undefended", 0.84, seed=2, budget=400, queries_charged=400),
        row("undefended", 0.60, "jitter"),
        row("cerberos", 0.50, budget=100, agreement_with_victim=0.1, l1_to_victim=1.0),
        row("cerberos", 0.40, budget=400, queries_charged=400, agreement_with_victim=0.2, kl_to_victim=3.0),
        row("cerberos", 0.60, seed=2, budget=400, queries_charged=400, agreement_with_victim=0.7, kl_to_victim=1.0),
        row("cerberos", 0.44, "jitter", selection="mean"),
    ]
    verdict = judge(rows)
    # Undefended: .80 on seed 1 whichever budget, .84 on seed 2.
    assert [(each["attack"], each["valid"]) for each in verdict["attacks"]] == [("knockoff", True), ("jitter", False)]
    assert verdict["attacks"][0]["baseline_clone_accuracy"] == pytest.approx(0.82)
    case = verdict["victims"]["cerberos"]
    # .50 on seed 1 (the smaller budget), .60 on seed 2.
    assert case["stolen_accuracy"]["mean"] == pytest.approx(0.55)
    assert case["difference_to_baseline"]["mean"] == pytest.approx((0.50 - 0.80 + 0.60 - 0.84) / 2)
    # Student's t with one degree of freedom: 12.706 times half of the spread of -0.30 and -0.24.
    assert case["difference_to_baseline"]["high"] == pytest.approx(-0.27 + 12.7062 * 0.03, abs=1e-5)
    assert case["broken_by"] == {
        "attack": "knockoff", "budget": 400, "student": "lenet", "learning_rate": 2e-3, "selection": "random",
    }  # fmt: skip
    assert case["broken_by_per_seed"] == {"1": "knockoff", "2": "knockoff"}
    assert case["agreement_with_victim"] == pytest.approx((0.1 + 0.7) / 2)
    assert (case["kl_to_victim"], case["l1_to_victim"]) == (pytest.approx(1.0), pytest.approx(0.7))
    assert case["conclusive"]
    assert verdict["victims"]["undefended"]["difference_to_baseline"] is None
    assert case["by_attack"]["jitter"]["stolen_accuracy"]["mean"] == 0.44
    assert (case["by_attack"]["knockoff"]["valid"], case["by_attack"]["jitter"]["valid"]) == (True, False)
    curve = case["by_attack"]["knockoff"]["budget_curve"]
    assert [(point["budget"], point["queries_charged"]) for point in curve] == [(100, 100), (400, 400)]
    assert [point["clone_accuracy"] for point in curve] == [pytest.approx(0.5), pytest.approx((0.4 + 0.6) / 2)]
    # Flat at 50 %.
    assert case["by_attack"]["knockoff"]["area_over_log_calls"] == pytest.approx(0.5)


def test_without_the_baseline_nothing_is_claimed() -> None:
    verdict = judge([row("cerberos", 0.2)])
    assert not verdict["conclusive"]
    assert verdict["victims"]["undefended"] is None
    assert verdict["victims"]["cerberos"]["difference_to_baseline"] is None


def test_threat_classes_are_never_mixed() -> None:
    rows = [row("undefended", 0.8), row("cerberos", 0.4), row("cerberos", 0.85, "own", threat="T2")]
    assert judge(rows)["victims"]["cerberos"]["stolen_accuracy"]["mean"] == 0.4
    assert judge(rows, "T2")["victims"]["cerberos"]["stolen_accuracy"]["mean"] == 0.85


def test_reference_rows_are_all_there(undisturbed) -> None:
    rows = {each["row"]: each for each in read_json(undisturbed.path / "results.json")["reference_rows"]}
    assert len(rows) == 9
    assert rows["random guess"]["stolen"] == {"T1": 0.1, "T2": 0.1}
    assert 0 < rows["no question asked"]["stolen"]["T1"] < 0.35
    assert rows["rounding"]["what"].startswith("missing: add a victim")
    assert rows["mean head"]["stolen"].keys() == {"T1", "T2"}


def test_clones_are_compared_with_the_victims_answers(undisturbed) -> None:
    for cell in read_json(undisturbed.path / "results.json")["cells"]:
        assert 0 < cell["l1_to_victim"] < 2
        assert cell["kl_to_victim"] > 0


def test_tables_and_charts_come_from_results_alone(undisturbed) -> None:
    results: Any = read_json(undisturbed.path / "results.json")
    assert as_markdown(results) == (undisturbed.path / "results.md").read_text()
    drawn = draw_charts(results)
    assert set(drawn) == {path.name for path in (undisturbed.path / "plots").iterdir()}
    assert {"heat-map-T1.png", "pareto-T2.pdf", "budget-curves-T1.png"} <= set(drawn)
    for name, content in drawn.items():
        assert content == (undisturbed.path / "plots" / name).read_bytes(), name
