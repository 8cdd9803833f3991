"""Names that people bring along are text on every page, in every table and in the model card, whatever is in them."""

import io
import itertools
import json
import re
import time
import warnings
from typing import Any

import pytest
from pypdf import PdfReader
from rich.console import Console

from tests.reports.test_many_victims import LAYERS, clashes, drawn
from tinycerb.atomic import read_json
from tinycerb.reports.matrix.charts import draw_charts
from tinycerb.reports.matrix.tables import as_markdown, as_text
from tinycerb.reports.model_card import render_model_card
from tinycerb.reports.pages import ownership
from tinycerb.reports.pdf import PAGES, render_pdf
from tinycerb.reports.plain_text import clean, drawable, fitted, markdown, shortened, width_of

ODD = {
    "dollars": "$a_b$ $$ \\frac{1}{0} $",
    "right to left": "\u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627 \u202egnp.exe",
    "emoji": "\U0001f600\U0001f469\u200d\U0001f52c\u2764\ufe0f \u4e2d\u6587",
    "HTML": "<script>alert(1)</script> & <b>bold</b> &amp;",
    "Markdown": "# a | b `c` *d* _e_ ~~f~~ [g](http://h) ![i](j) **k** [l]: m",
    "rich": "[bold red]a[/] [/b] :smile: [link=http://x]y[/link]",
    "long": "an endless name " * 1250,
    "one long word": "W" * 20_000,
    "surrogates": "half \ud83d and \udcff of a pair",
    "control": "bell\x07 escape\x1b[31m red\x00 nul\x7f",
    "newlines": "one\ntwo\r\nthree\u2028four\tfive\x0b",
    "percent": "%s %(name)s {0} {name} {",
    "underscore": "_nolegend_",
    "empty": "",
    "spaces": "   ",
}
EACH = pytest.mark.parametrize("text", ODD.values(), ids=list(ODD))


@pytest.fixture(scope="module")
def metrics(smoke_run) -> Any:
    return read_json(smoke_run.metrics)


def brought(metrics: Any, first: int = 0) -> Any:
    """The metrics with odd texts wherever people's own words come in: classes, layers, files, machines, commands."""
    texts = itertools.cycle([*list(ODD.values())[first:], *list(ODD.values())[:first]])
    changed = json.loads(json.dumps(metrics))
    changed["class_names"] = [f"{next(texts)}{index}" for index in range(len(changed["class_names"]))]
    facts = changed["provenance"]
    for key in ("command", "dataset", "dataset_source", "processor", "system"):
        facts[key] = next(texts)
    text = next(texts)
    facts["packages"] = {**facts["packages"], text: text}
    facts["inputs"] = {"model": {"source": f"/home/{text}/{text}.h5", "sha256": "0" * 64}}
    changed["not_measured"] += [f"Attacks run: knockoff ({text})." for text in ODD.values()]
    for victim in changed["victims"].values():
        for row in victim["file"]["operators"]:
            row["operator"] = next(texts)
        for group in victim["training"]["channel_groups"]:
            group["producers"] = [next(texts) + name for name in group["producers"]]
        rows = [{**row, "layer": next(texts), "operator": next(texts)} for row in LAYERS]
        rows = [{**row, "signal_to_noise_db": 31.2, "added_noise_share": 0.004} for row in rows]
        victim["quantization"].update(layers=rows, worst_layer=rows[0]["layer"], accuracy_lost_points=3.5)
        if victim["calibration"]:
            victim["calibration"]["class_histogram"] = [next(texts)]
    return changed


_OURS = frozenset(("none", "mean", "channels", "unstructured", "aware", "post", "dense", "prune", "quantize"))


def everywhere(content, text: str, names: frozenset[str]):
    """A file that no run has written: names too, which a configuration restricts, have an odd text before them."""
    if isinstance(content, dict):
        return {text + key if key in names else key: everywhere(value, text, names) for key, value in content.items()}
    if isinstance(content, list):
        return [everywhere(item, text, names) for item in content]
    return text + content if isinstance(content, str) and content not in _OURS else content


@pytest.mark.parametrize("first", [0, 6, 12])
@pytest.mark.parametrize("draw", PAGES, ids=lambda draw: draw.__module__.rpartition(".")[2])
def test_every_page_kind_draws_them_and_nothing_leaves_a_page(metrics, draw, first: int) -> None:
    figures = drawn(draw, clean(brought(metrics, first), drawable))
    assert [problem for figure in figures for problem in clashes(figure)] == []


def test_a_report_takes_seconds_and_no_warning(metrics) -> None:
    """Letters that no font has would be warnings, and warnings are errors here."""
    changed = brought(metrics)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = render_pdf(changed)
    # Everybody else on this machine is counted out.
    assert time.process_time() - started < 20
    pages = PdfReader(io.BytesIO(content)).pages
    assert len(pages) >= len(PAGES)
    # A dollar is a dollar.
    assert sum(page.extract_text().count("$a_b$") for page in pages) >= 5


@EACH
def test_a_model_card_shows_it_as_it_is(metrics, text: str) -> None:
    for changed in (brought(metrics), everywhere(metrics, text, frozenset(metrics["victims"]))):
        card = render_model_card(changed)
        # It can be written, and it is no larger than its reader can bear.
        assert len(card.encode()) < 100_000
        for mark in ("<script", "<b>", "\x1b", "\x00", "\u202e", "\n# a |"):
            assert mark not in card, mark
        assert not re.search(r"(?<!\\)\]\(", card)


@pytest.mark.parametrize("kind", ["dollars", "one long word"])
def test_a_report_is_made_of_any_file_of_metrics(metrics, kind: str) -> None:
    content = render_pdf(everywhere(metrics, ODD[kind], frozenset(metrics["victims"])))
    # Nobody was suspected in this run: it has no page on that.
    assert len(PdfReader(io.BytesIO(content)).pages) >= len([page for page in PAGES if page is not ownership.draw])


@EACH
def test_a_matrix_is_shown_with_it(matrix, text: str) -> None:
    for victim in matrix["victims"].values():
        victim["response"] = text
    matrix["failures"], matrix["reference_rows"][0]["what"] = [text], text
    matrix["skipped"][0]["reason"] = text
    matrix["threats"]["T1"]["meaning"] = text
    written = as_markdown(matrix)
    assert len(written.encode()) < 100_000
    assert "<script" not in written
    rows = [line for line in written.splitlines() if line.startswith(("| undefended", "| cerberos"))]
    assert len(rows) == 6
    console = Console(file=io.StringIO(), width=200)
    for part in as_text(matrix):
        console.print(part)


def test_charts_of_a_matrix_are_drawn_with_odd_names(matrix) -> None:
    for kind in ("dollars", "emoji"):
        files = draw_charts(everywhere(matrix, ODD[kind], frozenset(matrix["victims"])))
        assert {name.rpartition(".")[2] for name in files} == {"pdf", "png"}


def test_the_axis_of_questions_is_in_numbers(matrix) -> None:
    """Labels of logarithmic axes are formulas where nobody says otherwise."""
    for case in matrix["threats"]["T1"]["victims"].values():
        curve = [{"queries_charged": asked, "clone_accuracy": 0.5} for asked in (200, 30_000)]
        case["by_attack"]["knockoff"]["budget_curve"] = curve
    (page,) = PdfReader(io.BytesIO(draw_charts(matrix)["budget-curves-T1.pdf"])).pages
    words = page.extract_text()
    assert "1,000" in words
    assert "10,000" in words
    assert "mathdefault" not in words
    assert "$" not in words


@EACH
def test_markdown_shows_what_is_there(text: str) -> None:
    shown = markdown(clean(text))
    assert "\n" not in shown
    assert len(shown) < 10_000
    assert "<" not in shown
    assert not re.search(r"(?<!\\)\][(:\[]", shown)
    # What is escaped is all that is added.
    bare = shown.replace("\\", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert bare == clean(text).replace("\\", "")


def test_ordinary_text_is_left_alone() -> None:
    for text in ("Ankle boot", "own_kind-500, 2.0 [1.5, 2.5] (+1.0 *) 3 > 2 µs", "Größe • Ελλάδα ■", "Кошка", "\u05d0"):
        assert clean(text, drawable) == text
    assert markdown("knock_off [1, 2] weak * 5.0%, (a) - b: c") == "knock_off [1, 2] weak * 5.0%, (a) - b: c"


def test_what_is_left_out_is_marked() -> None:
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghijk", 10) == "abcdef…ijk"
    assert (len(clean("x" * 20_000)), len(clean("x " * 10_000))) == (200, 2000)
    assert clean("a" + "x" * 20_000 + "z")[::199] == "az"
    assert fitted("abcdefghijk", 1000, 8) == "abcdefghijk"
    cut = fitted("Wide Wide Wide", 30, 8)
    assert 0 < width_of(cut, 8) <= 30
    assert "…" in cut
    assert fitted("W", 1, 8) == ""


def test_texts_that_are_alike_stay_alike() -> None:
    long = "x" * 3000
    assert clean({long: 1, "a": [long, 2.5, None, True]}) == {clean(long): 1, "a": [clean(long), 2.5, None, True]}
