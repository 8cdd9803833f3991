"""A matrix of made-up figures."""

import pytest

from tests.matrix.test_judging import judge, row

FIGURE = {"basis": "t over 2 victim seeds"}


def estimate(mean: float, low: float, high: float) -> dict:
    return {"mean": mean, "low": low, "high": high, **FIGURE}


@pytest.fixture
def matrix() -> dict:
    """Two victims and two attacks; the bar is 72 %."""
    cells = [
        row("undefended", 0.80),
        row("undefended", 0.84, seed=2),
        row("undefended", 0.30, "weak"),
        row("cerberos", 0.50),
        row("cerberos", 0.60, seed=2, selection="mean"),
        row("cerberos", 0.44, "weak"),
    ]
    victim = {
        "response": "none", "heads": 1, "accuracy": estimate(0.9, 0.88, 0.92), "utility_loss": None,
        "accuracy_worst_head": 0.9, "flip_rate": 0.0, "flash_bytes": 40_000, "arena_bytes": None, "device": None,
    }  # fmt: skip
    cerberos = {
        **victim, "heads": 3, "accuracy": estimate(0.88, 0.86, 0.9), "utility_loss": estimate(0.02, -0.01, 0.05),
        "accuracy_worst_head": 0.87, "flip_rate": 0.031, "device": {
            "instructions_per_inference": 1_234_567.0,
            "estimated_cycles": {
                "basis": "estimated", "cycles": 2_000_000, "cycles_low": 1_600_000, "cycles_high": 2_400_000,
            },
        },
    }  # fmt: skip
    return {
        "name": "made-up", "baseline": "undefended", "victims": {"undefended": victim, "cerberos": cerberos},
        "threats": {"T1": judge(cells)}, "cells_done": 6, "cells_in_all": 8, "victim_seeds": [1, 2],
        "attacker_seeds": [1001], "skipped": [{"attack": "weak", "budget": 9, "reason": "too many"}],
        "failures": ["one cell died"], "reference_rows": [
            {"row": "mean head", "what": "exact | mean", "accuracy": None, "stolen": {"T1": 0.6}},
            {"row": "random guess", "what": "one of 10", "accuracy": 0.1, "stolen": {"T1": 0.1, "T2": 0.1}},
        ],
    }  # fmt: skip
