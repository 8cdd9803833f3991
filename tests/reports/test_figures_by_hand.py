"""Tables and words, compared with figures that were worked out by hand from made-up cells."""

import pytest

from tests.matrix.test_judging import judge, row
from tinycerb.cli.table import results_table, rows
from tinycerb.reports.front_texts import validity_lines
from tinycerb.reports.matrix.tables import as_markdown


def test_the_tables_of_a_matrix(matrix) -> None:
    """Student's t over two seeds: the mean, 12.706 halves of the spread either way, cut at 0 and 100 %."""
    lines = as_markdown(matrix).splitlines()
    assert lines[4:8] == [
        "| victim | response | heads | accuracy | loss, points | worst head | flips | flash, bytes | arena, bytes "
        "| instructions | cycles, estimate (band) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| undefended | none | 1 | 90.0% [88.0, 92.0] | - | 90.0% | 0.0% | 40,000 | - | - | - |",
        "| cerberos | none | 3 | 88.0% [86.0, 90.0] | +2.0 [-1.0, +5.0] | 87.0% | 3.1% | 40,000 | - | 1,234,567 "
        "| 2.00 M (1.60 - 2.40) |",
    ]
    at = lines.index("## T1: the attacker has images of another kind")
    assert lines[at + 2 : at + 6] == [
        "| victim | stolen, worst case | points to baseline | broken by | agreement | KL | L1 | area |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| undefended | 82.0% [56.6, 100.0] | - | knockoff, lenet | 50.0% | - | 0.40 | - |",
        "| cerberos | 55.0% [0.0, 100.0] | -27.0 [-65.1, +11.1] | knockoff, lenet, mean head | 50.0% | - | 0.40 | - |",
    ]
    at = lines.index("## T1: best clone by attack (* not valid)")
    assert lines[at + 2 : at + 6] == [
        "| victim | knockoff | weak * |",
        "| --- | ---: | ---: |",
        "| undefended | 82.0% | 30.0% |",
        "| cerberos | 55.0% | 44.0% |",
    ]
    at = lines.index("## reference rows")
    assert lines[at + 4 : at + 6] == [
        "| mean head | - | 60.0% | - | exact \\| mean |",
        "| random guess | 10.0% | 10.0% | 10.0% | one of 10 |",
    ]
    assert [line for line in lines if line.startswith("- ")] == [
        "- 6 of 8 cells; victim seeds 1, 2; attacker seeds 1001.",
        "- 95 % intervals of stolen accuracy: t over 2 victim seeds.",
        "- T1, knockoff: valid (clone of undefended 82.0%, bar 72.0%).",
        "- T1, weak: not valid (clone of undefended 30.0%, bar 72.0%).",
        "- Left out: weak, budget 9: too many",
        "- Failed: one cell died",
        "- Worst case is the best of these attacks; others may do better. Host latency ranks nothing here.",
    ]


def test_a_matrix_that_proves_nothing_says_so(matrix) -> None:
    matrix["threats"] = {"T1": judge([row("undefended", 0.71), row("cerberos", 0.3)])}
    matrix["victims"]["cerberos"]["device"] = None
    text = as_markdown(matrix)
    assert "| cerberos | 30.0% [29.1, 30.9] | inconclusive | knockoff, lenet |" in text
    assert "- T1, knockoff: not valid (clone of undefended 71.0%, bar 72.0%)." in text
    assert "- T1 is inconclusive: no valid attack, so no protection is claimed." in text
    assert "- Instructions were not measured; `tinycerb bench cost RUN` measures them." in text
    matrix["threats"] = {"T1": judge([row("cerberos", 0.3)])}
    text = as_markdown(matrix)
    assert "| undefended | no cells | no cells |" in text
    assert "- T1, knockoff: not valid (no clone of the baseline, bar 72.0%)." in text


def test_a_victim_that_is_not_measured_has_no_figures(matrix) -> None:
    matrix["victims"]["cerberos"]["accuracy"] = None
    assert f"| cerberos | none |{' not measured |' * 9}" in as_markdown(matrix)


@pytest.fixture
def metrics() -> dict:
    """A run's figures, as far as the terminal shows them: the clone of `cerberos` lies 20 points below."""

    def cell(accuracy: float, mean_head: bool = False, attack: str = "knockoff") -> dict:
        return {"attack": attack, "reference_row": mean_head, "clone_accuracy": accuracy}

    def victim(heads: int, accuracy: float, share: float, cells: list[dict]) -> dict:
        times = {"latency_us_min": 11.4, "latency_us_p50": 12.6, "latency_us_p90": 20.0}
        return {
            "heads": heads, "response": "none", "training": {"channel_groups": []}, "memory": None,
            "accuracy": {"accuracy_expected": accuracy, "accuracy_worst_head": accuracy - 0.02, "flip_rate": 0.043},
            "file": {"flash_bytes": round(50_000 * share), "flash_share_of_baseline": share},
            "latency": {"optimised": times}, "cells": cells,
        }  # fmt: skip

    def case(accuracy: float) -> dict:
        return {"clone_accuracy": accuracy, "points_below_baseline": 100 * (0.8 - accuracy)}

    return {
        "name": "made-up", "baseline": "undefended", "validity": 0.8,
        "victims": {
            "undefended": victim(1, 0.9, 1.0, [cell(0.8)]),
            "cerberos": victim(3, 0.88, 0.5, [cell(0.5), cell(0.4), cell(0.6, mean_head=True), cell(0.7, attack="x")]),
        },
        "threats": {
            "T1": {
                "conclusive": True, "bar": 0.72, "victims": {"undefended": case(0.8), "cerberos": case(0.6)},
                "attacks": [
                    {"attack": "knockoff", "baseline_clone_accuracy": 0.8, "valid": True},
                    {"attack": "weak", "baseline_clone_accuracy": 0.5, "valid": False},
                ],
            }
        },
    }  # fmt: skip


def test_the_table_on_the_terminal(metrics) -> None:
    assert dict(rows(metrics)) == {
        "heads / channels removed": ["1 / 0%", "3 / 0%"],
        "accuracy, expected": ["90.0%", "88.0%"],
        "accuracy, worst head": ["88.0%", "86.0%"],
        "flip rate, asked twice": ["4.3%", "4.3%"],
        "file, bytes": ["50,000", "25,000"],
        "  of undefended": ["100%", "50%"],
        "arena, bytes": ["not measured", "not measured"],
        "host µs, median": ["13", "13"],
        "stolen T1, as deployed": ["80.0%", "50.0%"],
        "stolen T1, mean head": ["-", "60.0%"],
        "stolen T1, worst case": ["80.0%", "60.0%"],
        "  to undefended, points": ["-", "-20.0"],
    }
    metrics["threats"]["T1"]["conclusive"] = False
    metrics["threats"]["T1"]["victims"]["cerberos"] = {"clone_accuracy": 0.83, "points_below_baseline": -3.0}
    assert rows(metrics)[-2:] == [("stolen T1, worst case", ["80.0%", "83.0%"]), ("  T1 is inconclusive", ["?", "?"])]
    metrics["threats"]["T1"]["conclusive"] = True
    assert rows(metrics)[-1] == ("  to undefended, points", ["-", "+3.0"])


def test_an_attack_that_misses_the_bar_is_called_not_valid(metrics) -> None:
    (table,) = results_table(metrics, 80).renderables
    assert str(table.caption).splitlines() == [  # type: ignore[union-attr]
        "T1, knockoff: valid attack (clone of undefended 80.0%, bar 72.0%)",
        "T1, weak: not valid attack (clone of undefended 50.0%, bar 72.0%)",
    ]
    assert validity_lines(metrics) == [
        "T1 knockoff: valid",
        "   clone of undefended 80.0%,",
        "   bar 72.0% (0.80 x its accuracy)",
        "T1 weak: not valid",
        "   clone of undefended 50.0%,",
        "   bar 72.0% (0.80 x its accuracy)",
    ]
