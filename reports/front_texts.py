"""Texts of the first page, which stand on pages of their own where victims are many."""

import textwrap

from tinycerb.reports.facts import percent
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.plain_text import shortened
from tinycerb.reports.style import BAD, GOOD, OPEN

# Characters of a line of provenance, and of its label.
_LINE, _LABEL = 120, 11
STATUS_COLOURS = {"good": GOOD, "bad": BAD, "open": OPEN}
VERDICT_NOTE = "Worst case over the attacks of this report, one seed each; see the last page for what was not measured."


def title_of(metrics: Metrics) -> tuple[str, str]:
    """Returns the report's title and the line below it."""
    return "Model-stealing report", f"TinyCerb run “{metrics['name']}”, int8 artefacts"


def validity_lines(metrics: Metrics) -> list[str]:
    """Returns three short lines per attack."""
    lines = []
    for name, judged in metrics["threats"].items():
        for attack in judged["attacks"]:
            word = "valid" if attack["valid"] else "not valid"
            lines += [
                f"{name} {attack['attack']}: {word}",
                f"   clone of {metrics['baseline']} {percent(attack['baseline_clone_accuracy'])},",
                f"   bar {percent(judged['bar'])} ({metrics['validity']:.2f} x its accuracy)",
            ]
    return lines


def provenance_lines(metrics: Metrics) -> list[str]:
    """Returns where the figures come from, in lines of a fixed width."""
    facts = metrics["provenance"]
    packages = ", ".join(f"{name} {found}" for name, found in facts["packages"].items())
    images = facts["dataset_images"]
    return [
        *_wrapped("Command", facts["command"], 2),
        f"Created    {facts['created_utc']} UTC, TinyCerb {facts['tinycerb']}, seed {facts['seed']}, "
        f"configuration {facts['config_sha256_prefix']}",
        *_wrapped(
            "Machine", f"{facts['system']}, {facts['processor']}, {facts['cores']} cores, Python {facts['python']}", 1
        ),
        *_wrapped("Packages", packages, 3),
        *_wrapped(
            "Data",
            f"{images['train']:,} train, {images['validation']:,} validation{_split(facts)}, {images['test']:,} test "
            f"of {facts['dataset']} ({facts['dataset_source']})",
            2,
        ),
        f"           SHA-256 {facts['dataset_sha256']}",
        *_network(facts.get("inputs", {}).get("model", {})),
        *(f"Model      {name}: SHA-256 {victim['file']['sha256']}" for name, victim in metrics["victims"].items()),
    ]


def _split(facts: dict) -> str:
    """How validation images were chosen; figures of before do not say."""
    words = {"random": " (drawn one by one)", "grouped": " (whole groups)"}
    return words.get(facts.get("dataset_split", ""), "")


def _network(model: dict) -> list[str]:
    """The network that the user has brought along, if any."""
    if not model.get("source"):
        return []
    return [f"Network    {shortened(model['source'].rsplit('/', 1)[-1], 34)}, SHA-256 {model['sha256']}"]


def _wrapped(label: str, text: str, most: int) -> list[str]:
    """At most so many lines; what is left out in the middle is marked as such."""
    width = _LINE - _LABEL
    text = shortened(text, most * width - (most - 1) * _LABEL)
    lines = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    # Long words may have cost a line more.
    while len(lines) > most:
        text = shortened(text, len(text) - width // 2)
        lines = textwrap.wrap(text, width, break_on_hyphens=False)
    return [f"{label if index == 0 else '':<{_LABEL}}{line}" for index, line in enumerate(lines)]
