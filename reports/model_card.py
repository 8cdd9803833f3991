"""The model card: the report's core as Markdown, to lie beside the files."""

from typing import cast

from tinycerb.reports.facts import percent, verdict_sentences
from tinycerb.reports.io_card import FileFacts, markdown_io_card
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.ownership import owner_paragraphs
from tinycerb.reports.pages.limits import THREAT_MODEL
from tinycerb.reports.plain_text import clean, markdown


def render_model_card(metrics: Metrics) -> str:
    """Returns the card as Markdown."""
    metrics = clean(metrics, markdown)
    lines = [f"# TinyCerb models of run {metrics['name']}", "", "## Verdict", ""]
    lines += [f"- {sentence}" for _, sentence in verdict_sentences(metrics)]
    lines += [
        "",
        "## Files",
        "",
        "| victim | heads | accuracy, expected | bytes | SHA-256 |",
        "|---|---|---|---|---|",
    ]
    for name, victim in metrics["victims"].items():
        file, accuracy = victim["file"], percent(victim["accuracy"]["accuracy_expected"])
        lines.append(f"| {name} | {victim['heads']} | {accuracy} | {file['flash_bytes']:,} | `{file['sha256']}` |")
    lines += [line for paragraph in owner_paragraphs(metrics) for line in ("", paragraph)]
    lines += [
        "",
        "## Inputs and outputs",
    ]
    for name, victim in metrics["victims"].items():
        facts = cast(FileFacts, {**victim["file"], "heads": len(victim["file"]["alphas"])})
        lines += ["", f"### {name}", "", *markdown_io_card(facts)]
    lines += [
        "",
        "`image` is the picture in 0..1 by its scale and zero point; `head` is 0 to heads - 1, drawn by the device.",
    ]
    lines += ["The logits of head h are `(int8 - zero_point) * scale / alpha_h`:", ""]
    lines += [f"- {name}: alpha = {victim['file']['alphas']}" for name, victim in metrics["victims"].items()]
    lines += ["", "## Threat model", "", *(f"- {line}" for line in THREAT_MODEL)]
    lines += ["", "## Not measured", "", *(f"- {line}" for line in metrics["not_measured"]), ""]
    return "\n".join(lines)
