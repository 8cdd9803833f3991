"""The report: reproducible, from `metrics.json` alone, and saying what was measured."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from pypdf import PdfReader

from tinycerb.atomic import read_json
from tinycerb.reports.facts import percent, verdict_sentences
from tinycerb.reports.model_card import render_model_card
from tinycerb.reports.pdf import render_pdf


@pytest.fixture(scope="module")
def metrics(smoke_run) -> Any:
    return read_json(smoke_run.metrics)


@pytest.fixture(scope="module")
def pages(smoke_run) -> list[str]:
    return [page.extract_text() for page in PdfReader(smoke_run.report).pages]


def test_same_metrics_same_bytes(metrics, smoke_run) -> None:
    assert render_pdf(metrics) == smoke_run.report.read_bytes()


def test_first_page_has_the_figures(metrics, pages) -> None:
    for victim in metrics["victims"].values():
        assert percent(victim["accuracy"]["accuracy_expected"]) in pages[0]
        assert f"{victim['file']['flash_bytes']:,}" in pages[0]
        assert victim["file"]["sha256"] in pages[0]
    assert "Verdict" in pages[0]
    assert "tflite-runtime 2.14.0" in pages[0]


def test_a_weak_attack_reads_inconclusive(pages) -> None:
    """The smoke run's attacker is far too weak to support a claim."""
    assert "inconclusive" in pages[0]


def test_every_cell_layer_and_limit_is_there(metrics, pages) -> None:
    text = "\n".join(pages)
    for victim in metrics["victims"].values():
        assert all(percent(cell["clone_accuracy"]) in text for cell in victim["cells"])
        assert all(row["operator"] in text for row in victim["file"]["operators"])
    assert "What was not measured" in text
    assert "Ankle boot" in text


def with_control(metrics: Any, undefended: float, control: float, cerberos: float) -> Any:
    """The smoke run's metrics as if its attack were valid and a pruned control stood beside it."""
    changed = json.loads(json.dumps(metrics))
    verdict = changed["threats"]["T1"]
    verdict["conclusive"] = True
    changed["victims"]["pruned"] = {**changed["victims"]["undefended"], "channel_ratio": 0.5}
    for name, accuracy in (("undefended", undefended), ("pruned", control), ("cerberos", cerberos)):
        case = {**verdict["victims"]["cerberos"], "clone_accuracy": accuracy, "selection": "mean"}
        verdict["victims"][name] = {**case, "points_below_baseline": 100 * (undefended - accuracy)}
    return changed


@pytest.mark.parametrize(
    ("undefended", "control", "cerberos", "status", "words"),
    [
        (0.75, 0.77, 0.60, "good", "15.0 points below that of undefended (75.0%) and 17.0 below that of pruned"),
        (0.75, 0.58, 0.60, "bad", "15.0 points below that of undefended (75.0%) and 2.0 above that of pruned"),
        (0.75, 0.77, 0.77, "bad", "2.0 points above that of undefended"),
        (0.75, 0.77, 0.74, "open", "1.0 points below that of undefended"),
    ],
)
def test_only_a_clear_lead_over_baseline_and_control_is_good(
    metrics, undefended: float, control: float, cerberos: float, status: str, words: str
) -> None:
    sentences = verdict_sentences(with_control(metrics, undefended, control, cerberos))
    (claim,) = [(found, text) for found, text in sentences if text.startswith("T1")]
    assert claim[0] == status
    assert words in claim[1]
    assert "(mean of all heads)" in claim[1]


def test_a_run_without_attacks_says_so(metrics) -> None:
    changed: Any = {**json.loads(json.dumps(metrics)), "threats": {}}
    for victim in changed["victims"].values():
        victim["cells"] = []
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(changed))).pages)
    assert "Stealing was not measured" in text


def test_many_victims_and_cells_still_render(metrics) -> None:
    changed = json.loads(json.dumps(metrics))
    for index in range(4):
        name = f"extra-{index}"
        changed["victims"][name] = changed["victims"]["cerberos"]
        changed["threats"]["T1"]["victims"][name] = changed["threats"]["T1"]["victims"]["cerberos"]
    assert len(PdfReader(io.BytesIO(render_pdf(changed))).pages) > 6


def test_report_needs_no_tensorflow(smoke_run) -> None:
    code = """
import json, pathlib, sys
import tinycerb.reports.pdf
tinycerb.reports.pdf.render_pdf(json.loads(pathlib.Path(sys.argv[1]).read_text()))
print('tensorflow' in sys.modules)
"""
    finished = subprocess.run(
        [sys.executable, "-c", code, smoke_run.metrics], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "False"


def test_model_card(metrics) -> None:
    card = render_model_card(metrics)
    assert metrics["victims"]["cerberos"]["file"]["sha256"] in card
    assert "### cerberos" in card
    assert "| `image` | int8 |" in card
    assert "Threat model" in card
