"""A run from start to report with a key that was made for it: the hash stands everywhere, the key nowhere."""

from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.conftest import run_cli
from tinycerb.atomic import read_json
from tinycerb.bench.cell import cell_specs
from tinycerb.bench.stealing import run_cell
from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import read_model_file
from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import ignore
from tinycerb.ownership.owner_key import OwnerKey, read_owner_key
from tinycerb.run.directory import RunDirectory

TINY = {
    "owner": '""',
    "data.train_images": 192,
    "data.validation_images": 64,
    "data.test_images": 64,
    "model.width": 0.25,
    "out_of_distribution.images": 64,
    "training.batch_size": 32,
    "bench.latency_rounds": 1,
    "victims": '[{name="undefended",defense="misdirection",channel_ratio=0.5}]',
    "attacks": '[{name="shadow-knows-key",attack="shadow",query_pool="animal_mnist",students=["lenet"],budget=60,'
    "epochs=1,options={knows_key=true,drawn=100,epochs=1}}]",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[RunDirectory, OwnerKey, str]:
    """The run, its key, and what was printed."""
    path = tmp_path_factory.mktemp("owned") / "run"
    settings = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    done = run_cli("run", "smoke", "--out", path, *settings, cwd=path.parent)
    assert done.returncode == 0, done.stderr
    return RunDirectory.open(path), read_owner_key(path.parent / "owner-keys" / "run.key"), done.stdout + done.stderr


def test_the_key_is_named_once_when_it_is_made(finished) -> None:
    _, key, printed = finished
    assert f"owner key: owner-keys/run.key (keep it; hash {key.hash[:16]}...)\n" in printed
    assert printed.count("owner key: ") == 1


def test_no_file_and_no_screen_holds_the_key(finished) -> None:
    run, key, printed = finished
    derived = [b"".join(word.to_bytes(4, "little") for word in key.words(use)) for use in ("teachers", "response")]
    secrets = [key.content, key.content[::-1], *derived]
    secrets += [secret.hex().encode() for secret in secrets]
    secrets += [str(word).encode() for use in ("teachers", "response") for word in key.words(use) if word > 10**8]
    files = [path for path in run.path.rglob("*") if path.is_file()]
    assert {"config.toml", "model.h5", "model.tflite", "report.pdf", "owner.json"} <= {path.name for path in files}
    assert any(path.parent.name == "log" for path in files)
    texts = {path: path.read_bytes() for path in files} | {Path("printed"): printed.encode()}
    texts[Path("report")] = report_of(run).encode()
    for path, content in texts.items():
        assert not [secret for secret in secrets if secret in content], path
    assert len(texts) > 30


def report_of(run: RunDirectory) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(run.report).pages)


def test_the_hash_stands_in_card_metrics_and_report(finished) -> None:
    run, key, _ = finished
    metrics = read_json(run.metrics)
    model = run.model("undefended")
    assert run.config.owner == key.hash
    assert (read_metadata(read_model_file(model)) or {})["owner_key"] == key.hash
    assert read_json(run.victim("undefended") / "model.json")["owner_key"] == key.hash
    assert metrics["victims"]["undefended"]["owner_key"] == metrics["provenance"]["owner_key_sha256"] == key.hash
    assert f"random teachers come from a secret owner key, SHA-256 {key.hash}" in " ".join(report_of(run).split())
    assert key.hash in (run.path / "model_card.md").read_text()
    assert f"owner_key: {key.hash}" in run_cli("summary", model).stdout


def test_a_public_owner_is_called_public(smoke_run) -> None:
    """And a victim that hides nothing has none."""
    from tinycerb.reports.ownership import owner_paragraphs

    metrics: Any = read_json(smoke_run.metrics)
    assert metrics["provenance"]["owner_key_sha256"] is None
    assert {victim["owner_key"] for victim in metrics["victims"].values()} == {None}
    assert owner_paragraphs(metrics) == []
    metrics["victims"]["cerberos"]["owner_key"] = "public"
    (paragraph,) = owner_paragraphs(metrics)
    assert paragraph.startswith("cerberos: random teachers come from the seed alone (owner: public)")
    # Figures from before there were keys.
    for victim in metrics["victims"].values():
        victim.pop("owner_key")
    assert owner_paragraphs(metrics) == []


def test_the_cell_that_knew_the_key_says_so_and_is_not_computed_without_it(finished) -> None:
    run, key, _ = finished
    dataset = load_dataset(run.config.data)
    (spec,) = cell_specs(run, dataset, "undefended", "shadow-knows-key", "fixed")
    assert spec.owner == key.hash
    cell = run.cell(spec.digest())
    notes = read_json(cell)["result"]["notes"]
    assert notes["worst_case"] == "knows the recipe and the owner key"
    assert 0 < notes["explained"] < 1
    file = run.path.parent / "owner-keys" / "run.key"
    moved, aside = file.rename(file.with_name("moved.key")), cell.rename(cell.with_suffix(".aside"))
    try:
        with pytest.raises(EnvironmentProblem, match=rf"{key.hash[:16]}.*{file}.*--resume {run.path} --owner FILE"):
            run_cell(run, dataset, spec, ignore)
    finally:
        moved.rename(file)
        aside.rename(cell)
