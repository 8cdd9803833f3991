"""Whom misdirection can reach, in sentences, as the report, a run's end and `bench separation` say it."""

from collections.abc import Sequence
from pathlib import Path

from tinycerb.reports.metrics import PoolSeparation

# Statuses of `tinycerb.reports.front_texts`, the worst first.
_STATUSES = {"will not": "bad", "may": "open", "will": "good"}


def separation_sentences(pools: Sequence[PoolSeparation]) -> list[tuple[str, str]]:
    """Returns whether thieves with such images are misdirected: a status and a sentence per verdict, the worst first.

    Args:
        pools: their images, and how well the undefended network tells them from its task.
    """
    return [
        (status, _told_apart(verdict, alike))
        for verdict, status in _STATUSES.items()
        if (alike := [pool for pool in pools if pool["verdict"] == verdict])
    ]


def _told_apart(verdict: str, pools: Sequence[PoolSeparation]) -> str:
    scores = [max(pool["auroc_confidence"], pool["auroc_features"]) for pool in pools]
    names = " or ".join(Path(pool["pool"]).name for pool in pools)
    area = f"{min(scores):.2f}" + (f" to {max(scores):.2f}" if len(scores) > 1 else "")
    return (
        f"Thieves with images like {names} {verdict} be misdirected: the undefended network tells them from its task "
        f"by an AUROC of {area}."
    )
