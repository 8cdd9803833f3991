"""An estimate as JSON: each number with the ends of its band, its basis, and where it comes from."""

from collections.abc import Sequence
from typing import TypedDict

from tinycerb.boards.cycle_model.estimate import CycleEstimate
from tinycerb.boards.cycle_model.span import Span
from tinycerb.boards.cycle_model.work import multiply_accumulates
from tinycerb.converters.c_model.layer import Layer


class CycleFacts(TypedDict):
    """Estimated cycles of a part, between the ends of its band; the rest is None where it multiplies nothing."""

    cycles: int
    cycles_low: int
    cycles_high: int
    cycles_per_multiply_accumulate: float | None
    simd_peak_share: float | None


class EstimateFacts(TypedDict):
    """Estimated cycles of a question."""

    basis: str
    source: str
    calibration: str
    inference: CycleFacts
    answer: CycleFacts
    layers: list[CycleFacts]
    rest: CycleFacts


class NoEstimate(TypedDict):
    """Why there is none."""

    basis: str
    reason: str


def estimate_facts(estimate: CycleEstimate, layers: Sequence[Layer]) -> EstimateFacts:
    """Returns an estimate as JSON."""
    work = [multiply_accumulates(layer) for layer in layers]
    each = zip(estimate.layers, work, strict=True)
    return {
        "basis": "estimated",
        "source": estimate.source,
        "calibration": estimate.calibration.told,
        "inference": cycle_facts(estimate.inference, sum(work), estimate.peak),
        "answer": cycle_facts(estimate.answer),
        "layers": [cycle_facts(span, count, estimate.peak) for span, count in each],
        "rest": cycle_facts(estimate.rest),
    }


def no_estimate(reason: str) -> NoEstimate:
    """Returns why there is none as JSON."""
    return {"basis": "not estimated", "reason": reason}


def cycle_facts(span: Span, work: int = 0, peak: float = 0) -> CycleFacts:
    """Returns cycles of `work` multiply-accumulates on a core that does `peak` of them per cycle at best."""
    return {
        "cycles": round(span.typical),
        "cycles_low": round(span.low),
        "cycles_high": round(span.high),
        "cycles_per_multiply_accumulate": span.typical / work if work else None,
        "simd_peak_share": work / span.typical / peak if work and peak else None,
    }
