"""Rows in words."""

from typing import NotRequired, TypedDict

HEADER = (
    "| suspect | accuracy | agrees, drawn | agrees, sure | p, population | p, secret | 1e-6 after | within 50 "
    "| verdict |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---|"
)
_MOST = 100


class RowFacts(TypedDict):
    """What a row's file holds."""

    accuracy: float
    agreement_drawn: float
    agreement_sure: float
    p_by_population: float
    p_by_secret: float | None
    questions_until_strict: float
    share_within_50: float
    verdict: str
    kept_accuracy: NotRequired[float]


def line(name: str, row: RowFacts) -> str:
    """A row of the page's table."""
    secret = row["p_by_secret"]
    until = row["questions_until_strict"]
    kept = f" ({row['kept_accuracy']:.0%} kept)" if "kept_accuracy" in row else ""
    cells = (
        name,
        f"{100 * row['accuracy']:.1f} %{kept}",
        f"{row['agreement_drawn']:.0%}",
        f"{row['agreement_sure']:.0%}",
        f"{row['p_by_population']:.0e}",
        "-" if secret is None else f"{secret:.4f}",
        "-" if until > _MOST else f"{until:.0f}",
        f"{row['share_within_50']:.0%}",
        row["verdict"],
    )
    return "| " + " | ".join(cells).replace("%", " %").replace("  %", " %") + " |"
