"""Committed cycles: whole networks by the manuals' tables, inner loops of M55 by LLVM's model. All are estimates."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import cycles, inner_loops
from tinycerb.boards.cycle_model.calibrated import CALIBRATED, CORTEX_M4_RESULTS
from tinycerb.boards.cycle_model.cores import TIMINGS

PEAK = 8  # Products per cycle of a Cortex-M55 at best: 16 lanes in two beats.


@pytest.mark.parametrize(("network", "board"), [("demo_net", "qemu-m4"), ("demo_net", "qemu-m3")])
def test_networks_cost_the_committed_cycles(tmp_path: Path, network: str, board: str) -> None:
    """Another compiler may give others: `make bench-cycles ARGS=--write` renews the baseline."""
    instructions, estimate, work = cycles.counted(network, board, tmp_path)
    baseline = json.loads(cycles.BASELINE.read_text())[network][board]
    assert cycles.as_json(instructions, estimate) == pytest.approx(baseline, rel=0.01)
    assert baseline["cycles_low"] < baseline["cycles"] < baseline["cycles_high"]
    # No instruction takes less than a cycle, and no core does more than its instructions can.
    assert baseline["cycles_low"] > instructions
    assert estimate.low > work / (TIMINGS[board.replace("qemu", "cortex")].peak or 1)


def test_the_baseline_covers_every_network() -> None:
    baseline = json.loads(cycles.BASELINE.read_text())
    assert list(baseline) == list(cycles.NETWORKS)
    for boards in baseline.values():
        assert {"qemu-m3", "qemu-m4"} <= set(boards) <= set(cycles.BOARDS)


def test_the_page_shows_what_is_committed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "firmware.md").read_text()
    for network, boards in json.loads(cycles.BASELINE.read_text()).items():
        for board, costs in boards.items():
            assert f"\n{cycles.line(network, board, costs)} " in page
    loops = {
        name: inner_loops.LoopCost(**costs) for name, costs in json.loads(inner_loops.BASELINE.read_text()).items()
    }
    assert inner_loops.table(loops) in page
    factor = CALIBRATED["cortex-m4"].factor.typical
    assert f"| the factor, {factor:.2f}, is off by |" in page
    for result in CORTEX_M4_RESULTS:
        error = "used" if result.used else f"{round(100 * (factor / result.ratio - 1)) or 0} %"
        published = round(result.milliseconds * 120_000)
        row = f"| {result.network} | {published:,} | {result.priced_cycles:,} | {result.ratio:.2f} | {error} |"
        assert row in page


def test_inner_loops_of_m55_cost_the_committed_cycles(tmp_path: Path) -> None:
    found = inner_loops.inner_loops(tmp_path)
    assert {name: vars(cost) for name, cost in found.items()} == json.loads(inner_loops.BASELINE.read_text())
    for cost in found.values():
        assert cost.cycles >= cost.multiply_accumulates / PEAK


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner_loops, "LLVM", "no-such-version")
    with pytest.raises(SystemExit, match="llvm-mca-no-such-version is not installed; install it with: sudo apt-get"):
        inner_loops.llvm_tool("llvm-mca")
