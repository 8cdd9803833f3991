"""Instruction counts of the kernels: beside CMSIS-NN on the same data, and against the committed baseline."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.kernels import BASELINE, BOARDS, CONVOLUTION, DENSE, DEPTHWISE, SHAPES, Row, measure

# (board, kind, kernel, at least so many channels): at most so many times CMSIS-NN 4.0.0's instructions.
BARS = {
    ("qemu-m4", CONVOLUTION, 3, 16): 0.85,
    ("qemu-m4", CONVOLUTION, 1, 1): 1.0,
    ("qemu-m4", DEPTHWISE, 3, 1): 1.0,
    ("qemu-m4", DENSE, 1, 1): 1.0,
    ("qemu-m55", CONVOLUTION, 3, 32): 0.35,
    ("qemu-m55", CONVOLUTION, 3, 1): 1.0,
    ("qemu-m55", CONVOLUTION, 1, 1): 1.0,
    ("qemu-m55", DEPTHWISE, 3, 1): 1.0,
    ("qemu-m55", DENSE, 1, 1): 1.0,
}
# Instructions per multiply-accumulate of CMSIS-NN's main branch, as measured once; its sources are in no package.
UPSTREAM = {
    "qemu-m4": (2.33, 4.83, 1.93, 1.76, 3.97, 9.12, 2.08),
    "qemu-m55": (0.388, 1.36, 0.253, 0.206, 1.07, 3.47, 0.527),
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list[Row]:
    folder: Path = tmp_path_factory.mktemp("kernels")
    return [
        measure(board, shape, folder / f"{board}-{number}")
        for board in ("qemu-m4", "qemu-m55")
        for number, shape in enumerate(SHAPES)
    ]


def test_both_libraries_say_the_same(rows: list[Row]) -> None:
    assert [row for row in rows if row.differing] == []


def test_kernels_are_below_cmsis_nn(rows: list[Row]) -> None:
    checked = 0
    for row in rows:
        shape = row.shape
        for (board, kind, kernel, channels), bar in BARS.items():
            if (row.board, shape.kind, shape.kernel) == (board, kind, kernel) and shape.channels >= channels:
                assert row.own <= bar * row.cmsis_nn, (row, bar)
                checked += 1
    assert checked >= len(rows)


def test_kernels_are_below_upstream(rows: list[Row]) -> None:
    for row in rows:
        bar = UPSTREAM[row.board][SHAPES.index(row.shape)]
        assert row.own / row.shape.multiply_accumulates <= bar, row


def test_counts_are_the_committed_ones(rows: list[Row]) -> None:
    """Another compiler may give others: `make bench-kernels ARGS=--write` renews the baseline."""
    baseline = json.loads(BASELINE.read_text())
    assert set(baseline) == set(BOARDS)
    for row in rows:
        assert row.own == pytest.approx(baseline[row.board][row.shape.name], rel=0.01)
