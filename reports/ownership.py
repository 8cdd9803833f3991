"""What a report says of the owner key: its hash, or that there is none. The key itself is in no file of a run."""

from tinycerb.reports.metrics import Metrics


def owner_paragraphs(metrics: Metrics) -> list[str]:
    """Returns where random teachers come from, in at most one paragraph; none where no victim has any."""
    owned = {name: key for name, victim in metrics["victims"].items() if (key := victim.get("owner_key"))}
    if not owned:
        return []
    names, owner = ", ".join(owned), next(iter(owned.values()))
    if owner == "public":
        return [
            f"{names}: random teachers come from the seed alone (owner: public), so that others can repeat this run. "
            "Whoever knows recipe and seed knows which answers are lies: train with a key of your own what you deploy."
        ]
    return [
        f"{names}: random teachers come from a secret owner key, SHA-256 {owner}. Whoever has the key knows which "
        "answers are lies."
    ]
