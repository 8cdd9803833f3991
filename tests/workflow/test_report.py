"""A run's report tells what suspects of its models were found to be."""

import io
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.verification.small_owner import FAMILIES, MINE
from tinycerb import file_names
from tinycerb.ownership.owner import open_owner
from tinycerb.reports.metrics import VerificationFacts
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.report import keep_verification, verifications, write_report


def facts(suspect: str, verdict: str) -> VerificationFacts:
    return {
        "schema_version": 1, "verdict": verdict, "reason": "it was asked", "suspect": suspect, "is_copy": False,
        "model": "model.tflite", "model_tensors_sha256": "a" * 64, "owner_key_sha256": MINE.hash, "commitment": "",
        "batch": 1, "level": 1e-3, "p": 1e-4, "p_by_secret": 1e-4, "p_by_population": 1e-9,
        "population_by": "exact binomial", "looks": 1, "asked": 40, "agreed": 30, "refused": 0, "strict_after": 22,
        "null": "p0 = 0.2", "null_measured": False,
        "secret": {"teachers": 9999, "explained_share": 0.5, "others_explained_share": 0.1, "least_p": 1e-4},
        "families": {name: {"asked": 10, "agreed": 7, "p0": 0.2} for name in FAMILIES},
    }  # fmt: skip


@pytest.fixture
def run(smoke_run, tmp_path: Path) -> RunDirectory:
    for name in (file_names.CONFIG, file_names.METRICS):
        shutil.copy(smoke_run.path / name, tmp_path / name)
    return RunDirectory.open(tmp_path)


def pages(run: RunDirectory) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(write_report(run).read_bytes())).pages]


def test_a_report_has_a_page_for_every_suspect_the_latest_first(run: RunDirectory) -> None:
    before = pages(run)
    assert not any("family of questions" in page for page in before)
    for number in range(7):
        keep_verification(run, facts(f"suspect-{number}.tflite", "clone" if number else "no proof"))
    assert [found["suspect"] for found in verifications(run)] == [f"suspect-{number}.tflite" for number in range(7)]
    found = [page for page in pages(run) if "family of questions" in page]
    assert len(found) == len(pages(run)) - len(before) == 5
    assert ["suspect-6.tflite" in page for page in found] == [True, False, False, False, False]
    assert all("this is a clone of the model: p = 0.0001" in page for page in found)
    # The last page is still the one that says what the others do not.
    assert pages(run)[-1].splitlines()[0] == before[-1].splitlines()[0]


def test_no_key_is_in_what_is_noted(run: RunDirectory) -> None:
    keep_verification(run, facts("theirs.tflite", "clone"))
    (noted,) = (run.path / file_names.VERIFICATIONS).glob("*.json")
    text = noted.read_text() + "".join(pages(run))
    assert MINE.hash[:16] in text
    assert MINE.content.hex() not in text
    assert open_owner("public").key.content.hex() not in text
