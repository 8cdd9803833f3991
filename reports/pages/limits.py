"""The last page: what the figures do not say."""

from matplotlib.figure import Figure

from tinycerb.reports.metrics import Metrics
from tinycerb.reports.ownership import owner_paragraphs
from tinycerb.reports.style import new_page, paragraph_height, write_paragraphs

# Where the footer is, in shares of the page's height, and what a line of a paragraph holds.
_LOWEST, _CHARACTERS = 0.05, 118

THREAT_MODEL = [
    "The attacker sends images to the device and sees its answers, as often as they like; every image is counted.",
    "They know the task and its classes, and may train any network they like; they have no weights, no gradients, "
    "no training data and no true labels.",
    "T1: their images are of another kind than the victim's, or made by a program. T2: they also have some unlabelled "
    "images of the victim's own kind. No change of the answers can hide what honest answers on such images teach.",
    "Whoever can read the flash has the model. Read-out protection of the microcontroller is assumed.",
    "Attacks that look at time, power or radiation of the device are outside of this report.",
]

RULES = [
    "Answers come from the int8 file that is flashed, by TFLite's reference kernels, from a sealed process that "
    "counts the questions.",
    "An attack supports a claim only if, with the same settings, its clone of the undefended int8 victim is good "
    "enough (the validity bar on page 1). A defence's figure is the maximum over all attacks and students.",
    "A clone's last epoch counts: it is never chosen by test labels.",
    "The pruned network with one head and no defence stands beside the defended one: what pruning alone does must not "
    "be credited to the defence.",
    "The attackers' images and the defender's out-of-distribution images are disjoint, checked by content.",
]


def draw(metrics: Metrics) -> list[Figure]:
    """Draws what was not measured, the threat model and the rules of the evaluation."""
    subtitle = "What was not measured, against whom this holds, and by which rules"
    figures, top = [new_page("Limits", subtitle)], 0.895
    for title, paragraphs in (
        ("What was not measured", [*metrics["not_measured"], *_kernel_notes(metrics)]),
        ("Owner key", owner_paragraphs(metrics)),
        ("Threat model", THREAT_MODEL),
        ("Rules", RULES),
    ):
        if not paragraphs:
            continue
        figures[-1].text(0.07, top, title, weight="bold", size=10.5)
        top -= 0.015
        for paragraph in paragraphs:
            if top - paragraph_height(paragraph, _CHARACTERS) < _LOWEST:
                figures.append(new_page("Limits, continued", subtitle))
                top = 0.895
            top = write_paragraphs(figures[-1], 0.07, top, [paragraph], _CHARACTERS)
        top -= 0.025
    return figures


def _kernel_notes(metrics: Metrics) -> list[str]:
    notes = []
    for name, victim in metrics["victims"].items():
        kernels, memory = victim["optimised_kernels"], victim["memory"]
        note = (
            f"{name}: tflite-runtime's optimised kernels differ from the reference in "
            f"{100 * kernels['differing_byte_share']:.2f} % of output bytes, "
            f"by up to {kernels['largest_difference_lsb']} step(s)"
        )
        if memory:
            note += f"; TFLite Micro in {memory['differing_bytes']} of {memory['compared_bytes']:,} bytes"
        notes.append(note + ".")
    return notes
