"""The guides' examples do what the guides say: every block is run, at a scale of seconds."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinycerb.config import load_config

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBERS = {
    "training.dense_epochs": 1,
    "training.pruning_epochs": 1,
    "training.recovery_epochs": 1,
    "training.quantization_epochs": 1,
    "out_of_distribution.images": 64,
    "bench.latency_rounds": 1,
    "attacks": '[{name="knockoff",query_pool="",students=["lenet"],epochs=2,budget=100}]',
}
ONE = '[{name="undefended",channel_ratio=0.5}]'
TWO = '[{name="undefended"},{name="cerberos",defense="cerberos",channel_ratio=0.5}]'


def blocks(guide: str) -> dict[str, list[tuple[str, str]]]:
    """Per section of a guide, its blocks in order: language and text."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for section in re.split(r"^## ", (ROOT / "docs" / guide).read_text(), flags=re.MULTILINE):
        sections[section.partition("\n")[0]] = [(match[1], match[2]) for match in BLOCK.finditer(section)]
    return sections


def write_listings(folder: Path) -> None:
    """Writes every file that the guides show."""
    for guide in ("bring-your-own-data.md", "bring-your-own-model.md"):
        for language, text in (block for section in blocks(guide).values() for block in section):
            if language in ("python", "toml"):
                name = text.partition("\n")[0].removeprefix("# ")
                (folder / name).write_text(text)


@pytest.fixture
def workshop(tmp_path) -> Path:
    """A directory with every file that the guides show, and a `tinycerb` that does everything at a small scale."""
    write_listings(tmp_path)
    return tmp_path


def shell(workshop: Path, script: str, victims: str) -> subprocess.CompletedProcess[str]:
    settings = " ".join(f"--set '{key}={value}'" for key, value in (NUMBERS | {"victims": victims}).items())
    functions = (
        f'python() {{ "{sys.executable}" "$@"; }}\n'
        f'tinycerb() {{ [ "$1" = prune ] && set -- "$@" || set -- "$@" {settings}; python -m tinycerb "$@"; }}\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["bash", "-e", "-u", "-c", functions + script]
    return subprocess.run(command, cwd=workshop, env=environment, capture_output=True, text=True, check=False)


def run_section(workshop: Path, guide: str, section: str, victims: str) -> subprocess.CompletedProcess[str]:
    scripts = [text for language, text in blocks(guide)[section] if language == "sh"]
    assert len(scripts) == 1
    finished = shell(workshop, scripts[0], victims)
    assert finished.returncode == 0, finished.stderr
    return finished


def test_the_guides_hold_nothing_that_is_not_run() -> None:
    sections = {guide: blocks(guide) for guide in ("bring-your-own-data.md", "bring-your-own-model.md")}
    with_commands = {name for guide in sections.values() for name, found in guide.items() if found}
    assert with_commands == {
        "A .npz file",
        "A function",
        "A folder of images",
        "Pictures off the task",
        "The attacker's images",
        "In a configuration",
        "A saved model",
        "The preflight",
    }
    languages = {language for guide in sections.values() for found in guide.values() for language, _ in found}
    assert languages == {"python", "sh", "toml", "console"}


def test_a_npz_file_goes_all_the_way_to_a_report_that_claims_nothing(workshop: Path) -> None:
    finished = run_section(workshop, "bring-your-own-data.md", "A .npz file", ONE)
    run = workshop / "runs" / "shapes"
    assert (run / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "no query pool: stealing will not be measured" in finished.stderr
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["threats"] == {}
    assert any("nothing is known of how hard these models are to steal" in note for note in metrics["not_measured"])
    assert "nothing is known of how hard" in (run / "model_card.md").read_text()
    assert metrics["class_names"] == ["upright", "lying", "square"]
    environment = json.loads((run / "env.json").read_text())
    assert environment["inputs"]["data"]["sha256"] == metrics["provenance"]["dataset_sha256"]

    # Resumed from elsewhere it finds the same file; another file in its place is refused.
    elsewhere = workshop / "elsewhere"
    elsewhere.mkdir()
    resumed = shell(elsewhere, f"python -m tinycerb run --resume '{run}' --quiet", ONE)
    assert resumed.returncode == 0, resumed.stderr
    shell(
        workshop,
        "python -c 'import make_shapes, numpy as n; i, l = make_shapes.draw(n.random.default_rng(1), 600); "
        'n.savez("shapes.npz", images=i, labels=l)\'',
        ONE,
    )
    refused = shell(elsewhere, f"python -m tinycerb run --resume '{run}'", ONE)
    assert refused.returncode == 3
    assert "not those that the run was started with" in refused.stderr


def test_a_pool_is_attacked_with(workshop: Path) -> None:
    run_section(workshop, "bring-your-own-data.md", "The attacker's images", ONE)
    metrics = json.loads((workshop / "runs" / "attacked" / "metrics.json").read_text())
    (cell,) = metrics["victims"]["undefended"]["cells"]
    assert cell["queries_charged"] == 100
    assert metrics["provenance"]["query_pools"] == {"knockoff": "foreign.npz, all distinct images"}


def test_a_function_gives_the_same_data_as_the_file(workshop: Path) -> None:
    run_section(workshop, "bring-your-own-data.md", "A function", ONE)
    run = workshop / "runs" / "function"
    assert (run / "victims" / "undefended" / "training.json").exists()
    assert 'source = "my_data:load"' in (run / "config.toml").read_text()


def test_a_folder_of_images_is_trained_on(workshop: Path) -> None:
    run_section(workshop, "bring-your-own-data.md", "A folder of images", ONE)
    run = workshop / "runs" / "folder"
    assert (run / "victims" / "undefended" / "training.json").exists()
    assert f'source = "{workshop}/shapes"' in (run / "config.toml").read_text()


def test_the_configuration_is_read_with_its_own_paths(workshop: Path) -> None:
    finished = run_section(workshop, "bring-your-own-data.md", "In a configuration", ONE)
    assert "cerberos: demo_net" in finished.stdout


def test_pictures_off_the_task_are_named_and_shared_out(tmp_path: Path) -> None:
    ((language, listing),) = blocks("bring-your-own-data.md")["Pictures off the task"]
    (tmp_path / "pictures.toml").write_text(listing)
    wanted = load_config(str(tmp_path / "pictures.toml")).out_of_distribution
    # Files are looked for beside the configuration, pools by their name.
    places = (str(tmp_path / "pictures"), str(tmp_path / "scenes.npz"), "tiny_imagenet_defender")
    assert tuple(source.rstrip("/") for source in wanted.sources) == places
    assert (language, wanted.shares) == ("toml", (0.2, 0.2, 0.1))


def test_own_model_own_data_and_own_pool_go_all_the_way(workshop: Path) -> None:
    scripts = "python make_shapes.py\npython make_foreign.py\n"
    assert shell(workshop, scripts, TWO).returncode == 0
    run_section(workshop, "bring-your-own-model.md", "A function", TWO)
    run = workshop / "runs" / "mine"
    metrics = json.loads((run / "metrics.json").read_text())
    assert (run / "report.pdf").read_bytes().startswith(b"%PDF")
    cells = {(cell["victim"], cell["selection"]) for victim in metrics["victims"].values() for cell in victim["cells"]}
    assert cells == {("undefended", "fixed"), ("cerberos", "random"), ("cerberos", "mean")}
    assert list(metrics["threats"]) == ["T1"]
    assert metrics["victims"]["cerberos"]["heads"] == 3
    kept = metrics["victims"]["cerberos"]["training"]["channel_groups"]
    assert [(group["channels"], group["kept"]) for group in kept] == [(16, 8)]
    inputs = metrics["provenance"]["inputs"]
    assert inputs["model"]["source"] == "my_model:build"
    assert list(inputs["query_pools"]) == [str(workshop / "foreign.npz")]


def test_a_saved_model_keeps_its_weights_and_is_trained_on(workshop: Path) -> None:
    assert shell(workshop, "python make_shapes.py", ONE).returncode == 0
    run_section(workshop, "bring-your-own-model.md", "A saved model", ONE)
    training = json.loads((workshop / "runs" / "saved" / "victims" / "undefended" / "training.json").read_text())
    assert training["channel_groups"][0]["kept"] == 8


def test_the_preflight_says_what_the_guide_shows(workshop: Path) -> None:
    assert shell(workshop, "python make_shapes.py", ONE).returncode == 0
    ((_, text),) = [block for block in blocks("bring-your-own-model.md")["The preflight"] if block[0] == "console"]
    command, _, shown = text.partition("\n")
    finished = shell(workshop, command.removeprefix("$ "), ONE)
    assert finished.returncode == 2
    assert " ".join(shown.split()) in " ".join(finished.stderr.split())
    assert not (workshop / "runs").exists()
