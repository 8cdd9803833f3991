"""A verification in words: on a screen, and as a page."""

import io
import textwrap

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from tinycerb.reports.metrics import VerificationFacts
from tinycerb.reports.plain_text import clean, drawable
from tinycerb.reports.style import STYLE, add_footer, blank_axes, new_page, write_paragraphs
from tinycerb.reports.table import draw_table

_WIDTH, _LABEL = 80, 13
_CHARACTERS = 112


_SAYS = {
    "clone": "this is a clone of the model",
    "no proof": "nothing shows that this is a clone of the model",
    "inconclusive": "nothing can be said",
}
_LIMITS = (
    "No proof is no proof of the contrary. A clone that was made from images of the task alone carries no mark, and "
    "whoever refuses, or answers at random, what looks foreign hides one and loses nothing.",
    "Agreement is symmetric: that the suspect is the copy and not the original is shown by the older commitment that "
    "names the model, and by a key whose teacher explains the answers.",
)


def verdict_line(facts: VerificationFacts) -> str:
    """Returns the verdict in words."""
    p = facts["p"]
    least = facts["secret"]["least_p"] if facts["secret"] else None
    if p is None:
        return _SAYS[facts["verdict"]]
    bound = ", the least that so many teachers can show" if least is not None and p == least else ""
    return f"{_SAYS[facts['verdict']]}: p = {p:.2g}{bound}"


def sections(facts: VerificationFacts) -> list[tuple[str, str]]:
    """Returns what is told, each under a word."""
    secret = facts["secret"]
    looks = f", times {facts['looks']} looks" if facts["looks"] > 1 else ""
    if secret is None:
        by_secret = "not looked at: no teacher of this key is known"
    else:
        by_secret = (
            f"p = {facts['p_by_secret']:.2g}{looks}: your teacher gives {secret['explained_share']:.0%} of the "
            f"answers, those of {secret['teachers']:,} other keys {secret['others_explained_share']:.0%}"
        )
    told = [
        ("verdict", verdict_line(facts)),
        ("because", facts["reason"]),
        ("suspect", facts["suspect"] + (" (the model itself: the same weights)" if facts["is_copy"] else "")),
        ("model", f"{facts['model']}, tensors {facts['model_tensors_sha256'][:16]}..."),
        ("owner key", _owner(facts["owner_key_sha256"])),
        ("agreement", _agreement(facts)),
        ("by secret", by_secret),
        ("population", f"p = {facts['p_by_population']:.2g}, {facts['population_by']}; {facts['null']}"),
    ]
    if facts["commitment"]:
        told.append(("commitment", f"names this key and this model: {facts['commitment']}"))
    return told


def _owner(digest: str) -> str:
    if digest == "public":
        return (
            "public: anybody can draw these questions and teachers, so that this shows how it works, and nothing else"
        )
    return digest


def _agreement(facts: VerificationFacts) -> str:
    refused = f", {facts['refused']} refused" if facts["refused"] else ""
    strict = facts["strict_after"]
    passed = f"; 1/E was below 1e-6 after {strict}" if strict else ""
    return f"{facts['agreed']} of {facts['asked']} questions of batch {facts['batch']}{refused}{passed}"


def plain_verification(facts: VerificationFacts) -> str:
    """Returns the text for a terminal, 80 columns."""
    lines = []
    for label, text in sections(facts):
        wrapped = textwrap.wrap(text, _WIDTH - _LABEL, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{label if index == 0 else '':{_LABEL}}{line}" for index, line in enumerate(wrapped)]
    if facts["verdict"] != "clone":
        lines += textwrap.wrap(_LIMITS[0], _WIDTH)
    return "\n".join(lines)


def verification_page(facts: VerificationFacts) -> Figure:
    """Returns a page on a verification, for texts that can be drawn."""
    figure = new_page("Ownership", f"{facts['suspect']}: {verdict_line(facts)}")
    told = [f"{label}: {text}" for label, text in sections(facts)[1:]]
    top = write_paragraphs(figure, 0.07, 0.895, told, _CHARACTERS) - 0.02
    rows = [(name, str(of["asked"]), str(of["agreed"]), f"{of['p0']:.2f}") for name, of in facts["families"].items()]
    height = 0.018 * (len(rows) + 1)
    axes = blank_axes(figure, (0.07, top - height, 0.86, height))
    header = ("family of questions", "asked", "agreed", "null p0")
    draw_table(axes, header, rows, (0.0, 0.6, 0.8, 1.0), 1 / (len(rows) + 1))
    write_paragraphs(figure, 0.07, top - height - 0.03, list(_LIMITS), _CHARACTERS)
    return figure


def render_verification(facts: VerificationFacts) -> bytes:
    """Returns a page as a PDF, the same bytes for the same facts."""
    shown = clean(facts, drawable)
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure = verification_page(shown)
        add_footer(figure, f"TinyCerb ownership verification · level {shown['level']:g}", 1, 1)
        with PdfPages(buffer, metadata={"Title": "TinyCerb: ownership", "CreationDate": None}) as pdf:
            pdf.savefig(figure)
    return buffer.getvalue()
