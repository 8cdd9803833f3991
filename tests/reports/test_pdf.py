"""The report: reproducible, from `metrics.json` alone, and saying what was measured."""

import io
import json
import subprocess
import sys

import pytest
from pypdf import PdfReader

from reports.facts import percent, verdict_sentences
from reports.model_card import render_model_card
from reports.pdf import render_pdf
from tinycerb.atomic import read_json


@pytest.fixture(scope="module")
def metrics(smoke_run) -> dict:
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


def test_a_valid_attack_gives_a_claim_in_points(metrics) -> None:
    changed = json.loads(json.dumps(metrics))
    verdict = changed["threats"]["T1"]
    verdict["conclusive"] = True
    verdict["victims"]["undefended"]["clone_accuracy"] = 0.75
    verdict["victims"]["cerberos"] |= {"clone_accuracy": 0.6, "points_below_baseline": 15.0, "selection": "mean"}
    sentences = {text: status for status, text in verdict_sentences(changed)}
    (claim,) = [text for text in sentences if "T1" in text]
    assert sentences[claim] == "good"
    assert "60.0% (mean of all heads), 15.0 points below that of undefended (75.0%)" in claim
    verdict["victims"]["cerberos"]["points_below_baseline"] = -2.0
    assert ("bad", claim.replace("15.0 points below", "2.0 points above")) in verdict_sentences(changed)


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
import reports.pdf
reports.pdf.render_pdf(json.loads(pathlib.Path(sys.argv[1]).read_text()))
print('tensorflow' in sys.modules)
"""
    finished = subprocess.run(
        [sys.executable, "-c", code, smoke_run.metrics], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "False"


def test_model_card(metrics) -> None:
    card = render_model_card(metrics)
    assert metrics["victims"]["cerberos"]["file"]["sha256"] in card
    assert "| cerberos | `image` | int8 |" in card
    assert "Threat model" in card
