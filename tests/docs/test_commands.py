"""Every command in README and docs: run on a smoke run and small data, or in the table of those that are not."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.core
from typer.testing import CliRunner

from tests.docs.test_guides import NUMBERS, write_listings
from tinycerb.cli import app
from tinycerb.config import load_config
from tinycerb.config.user_sources import Sources
from tinycerb.defenses.choice import with_defense
from tinycerb.errors import UsageError
from tinycerb.jobs.check_names import check_names
from tinycerb.workflow.new_run import with_budget

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Their blocks build on one another: test_guides.py, test_integrations.py and test_extending.py run them.
GUIDES = ("bring-your-own-data.md", "bring-your-own-model.md", "integrations.md", "extending.md")
PROGRAMS = ("tinycerb", "make", "python", "pip", "dask")

# Of the page about training.
TASKS = ("image-classification", "image-classification-short", "traffic-signs")

# What is done instead of running a command as it stands.
DRY = "run with --dry-run, which does everything but the long or the hardware part"
PLAN = "make's own plan: its targets and their prerequisites exist"
SMALL = "run with one epoch per stage and 64 drawn images: it trains for minutes"
PARSED = "it trains or attacks for minutes: its options are parsed and its configuration is resolved"
PORT = "a board at a serial port has to answer: its options are parsed"
FORM = "a form with words to fill in: its options are parsed"
INSTALLS = "it installs packages or starts a cluster: not run"
SUITE = "these are tests themselves, download, or need a package that the tests do not install: the module exists"

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("CONTRIBUTING.md", "make check"): PLAN,
    ("CONTRIBUTING.md", "make demo"): PLAN,
    ("CONTRIBUTING.md", "make test"): PLAN,
    ("README.md", "make demo"): PLAN,
    ("README.md", "make install"): PLAN,
    ("README.md", "make test"): PLAN,
    ("adaptive_attacks.md", "make bench-art RUN=runs/... VICTIM=undefended"): PLAN,
    ("attacks.md", "make bench-gradients RUN=runs/... VICTIM=undefended"): PLAN,
    ("attacks.md", "tinycerb run docs/experiments/pretrained-students.toml --out RUN"): PARSED,
    ("bring-your-own-data.md", "tinycerb run --data DATA [--query-pool POOL] [--model MODEL]"): FORM,
    ("bring-your-own-model.md", "tinycerb run --model MODEL --data DATA [--query-pool POOL]"): FORM,
    ("compression.md", "make compression"): PLAN,
    ("compression.md", "tinycerb train demo --flash 24KB --ram 16KB"): PARSED,
    ("conversion.md", "python -m pytest tests/converters/test_overhead.py"): SUITE,
    ("defenses.md", "tinycerb train demo --defense misdirection+top1"): PARSED,
    ("defenses.md", "tinycerb train demo --defense cerberos,heads=3,losses=cosine_lse+mean_head:0.3"): PARSED,
    ("defenses.md", "tinycerb run demo --defense ini+dcp,tau=.7"): PARSED,
    ("defenses.md", "tinycerb run demo --defense edm,heads=3"): PARSED,
    ("defenses.md", "tinycerb run demo --defense am,tau=.9"): PARSED,
    ("defenses.md", "tinycerb run demo --defense none+grad_head,epsilon=.5"): PARSED,
    (
        "defenses.md",
        "tinycerb run docs/experiments/defense-cost.toml --out RUN && tinycerb bench cost RUN --markdown",
    ): PARSED,
    ("defenses.md", "tinycerb run --data my_data.npz --owner ~/owner.key"): PARSED,
    ("firmware.md", "python -m tests.fuzz.fuzz_lowering --first 0 --count 3174 --folder build/fuzz"): SUITE,
    ("firmware.md", "python -m tests.fuzz.fuzz_lowering --first 300000 --count 6964 --folder build/fuzz"): SUITE,
    ("firmware.md", "tinycerb bench model.tflite --board own.toml --port /dev/ttyACM0"): PORT,
    ("firmware.md", "tinycerb flash model.tflite --board own.toml --port /dev/ttyACM0 --key ~/device.key"): DRY,
    ("experiments/README.md", "tinycerb run docs/experiments/misdirection-pruning.toml --out RUN"): PARSED,
    (
        "experiments/README.md",
        "python -m tinycerb.datasets.fetch cifar10 && python -m tinycerb.datasets.fetch tiny_imagenet",
    ): SUITE,
    ("experiments/README.md", "tinycerb run docs/experiments/misdirection-photographs.toml --out RUN"): PARSED,
    ("experiments/README.md", "tinycerb bench separation RUN --pool tiny_imagenet_attacker"): FORM,
    (
        "experiments/README.md",
        "tinycerb run docs/experiments/misdirection-photographs.toml --set training.reference_epochs=3 --set "
        """'out_of_distribution.sources=["tiny_imagenet_defender","pictures.npz"]' --set """
        "'out_of_distribution.shares=[0.35,0.25]' --out RUN",
    ): FORM,
    ("evaluation.md", "tinycerb run demo"): PARSED,
    ("evaluation.md", "tinycerb run demo --set 'bench.doses=[50, 500]'"): PARSED,
    ("experiments/README.md", "tinycerb run docs/experiments/misdirection-seeds.toml --set seed=2 --out RUN"): PARSED,
    ("experiments/README.md", "tinycerb run docs/experiments/misdirection-weights.toml --out RUN"): PARSED,
    **{
        (
            "experiments/fortress.md",
            f"tinycerb run docs/experiments/fortress-{step}.toml --out RUN && tinycerb bench leak RUN{more}",
        ): PARSED
        for step, more in (("search", ""), ("long", ""), ("wide", ""), ("fourth", " --images 8000"))
    },
    ("fortress.md", "tinycerb bench matrix fortress --out RUN"): DRY,
    (
        "fortress.md",
        "tinycerb train fortress --model my_model:build --data my_data.npz --owner ~/owner.key --out RUN",
    ): SMALL,
    ("matrix.md", "tinycerb bench matrix ci"): DRY,
    ("matrix.md", "tinycerb train default --out RUN"): PARSED,
    ("matrix.md", "tinycerb bench matrix --resume RUN"): DRY,
    ("matrix.md", "pip install 'tinycerb[cluster]'"): INSTALLS,
    ("matrix.md", "dask scheduler --port 8786"): INSTALLS,
    ("matrix.md", "dask worker tcp://HOST:8786 --nthreads 1"): INSTALLS,
    ("matrix.md", "tinycerb bench matrix default --scheduler tcp://HOST:8786"): DRY,
    ("mutation.md", "make mutation MODULE=tinycerb/bench/verdict.py"): PLAN,
    ("mutation.md", "make mutation MODULE=firmware_stub/application"): PLAN,
    (
        "ownership.md",
        "tinycerb train fortress --data my_data.npz --owner ~/owner.key --out RUN && tinycerb convert RUN",
    ): PARSED,
    ("ownership.md", "tinycerb ownership commit ~/owner.key RUN/victims/fortress"): FORM,
    ("ownership.md", "tinycerb ownership calibrate RUN --owner ~/owner.key --model RUN/victims/fortress"): FORM,
    (
        "ownership.md",
        "tinycerb verify suspect.tflite --owner ~/owner.key --model RUN/victims/fortress --report page.pdf",
    ): FORM,
    ("ownership.md", "tinycerb flash RUN/victims/fortress --board qemu-m4 --serve"): PORT,
    (
        "ownership.md",
        "tinycerb verify --port /dev/pts/0 --owner ~/owner.key --model RUN/victims/fortress --stop-early",
    ): PORT,
    (
        "ownership.md",
        "tinycerb verify tests/assets/fortress.tflite --owner public --model tests/assets/fortress.tflite "
        "--preset fortress",
    ): PARSED,
    (
        "ownership.md",
        "tinycerb verify tests/assets/one_head_control.tflite --owner public --model tests/assets/fortress.tflite "
        "--preset fortress",
    ): PARSED,
    ("firmware.md", "tinycerb flash MODEL --board qemu-m4 --serve"): PORT,
    ("ownership.md", 'make bench-ownership ARGS="--committed --networks 12 --keys 200 --out FOLDER"'): PLAN,
    (
        "ownership.md",
        'make bench-ownership ARGS="--committed --networks 12 --keys 200 --out FOLDER '
        '--figure docs/ownership-calibration.png"',
    ): PLAN,
    (
        "ownership.md",
        """make bench-ownership ARGS="--committed --networks 12 --out FOLDER --only 'T1 clone, label-only' wrk alone """
        '--removal wrk,own=500 wrk,labels=clone"',
    ): PLAN,
    ("ownership.md", 'make bench-ownership ARGS="--committed --networks 12 --out FOLDER --only cerberos"'): PLAN,
    ("ownership.md", "make bench-own-kind-mark"): PLAN,
    ("ownership.md", 'make bench-own-kind-mark ARGS="--components 64 --share 0.1 --images 16000"'): PLAN,
    ("ownership.md", 'make bench-own-kind-mark ARGS="--mark overlay --share 0.1 --images 16000"'): PLAN,
    ("ownership.md", 'make bench-ownership ARGS="--preset short.toml --seeds 2 --networks 12 --out FOLDER"'): PLAN,
    ("ownership.md", 'make bench-ownership ARGS="--out FOLDER"'): PLAN,
    ("results.md", "tinycerb bench matrix default --out RUN"): DRY,
    ("results.md", "tinycerb bench cost RUN && tinycerb bench matrix --resume RUN --markdown"): DRY,
    **{("training.md", f"tinycerb run {name}"): PARSED for name in TASKS},
    ("training.md", "tinycerb run docs/experiments/training-pieces.toml --out RUN"): PARSED,
    ("training.md", "tinycerb run docs/experiments/training-pieces-cifar10.toml --out RUN"): PARSED,
    ("training.md", "make bench-training"): PLAN,
    ("evaluation.md", "tinycerb bench separation RUN --pool photographs.npz --pool tiny_imagenet_attacker"): FORM,
    ("evaluation.md", "tinycerb run docs/experiments/separation.toml --out fashion"): PARSED,
    (
        "evaluation.md",
        'make bench-separation ARGS="--keep --plot separation.png cifar10=cifar fashion_mnist=fashion"',
    ): PLAN,
}


def blocks(page: Path) -> list[list[str]]:
    """The command blocks of a page, fenced or indented, line by line without comments."""
    found: list[list[str]] = [[]]
    fence = ""
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            fence = "" if fence else line.removeprefix("```") or "text"
        is_code = fence == "sh" if fence else line.startswith("    ")
        text = re.split(r"\s+# ", line.strip())[0]
        if is_code and text.partition(" ")[0] in PROGRAMS:
            found[-1].append(" ".join(text.split()))
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def name_of(page: Path) -> str:
    """As the table of exceptions has it."""
    return f"experiments/{page.name}" if page.parent.name == "experiments" else page.name


BLOCKS = [
    (name_of(page), block)
    for page in PAGES
    for block in blocks(page)
    if page.name not in GUIDES or any((page.name, line) in EXCEPTIONS for line in block)
]


@pytest.fixture(scope="module")
def workshop(smoke_run, tmp_path_factory) -> Path:
    """A directory in which everything that the pages name is there."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(smoke_run.path, folder / "RUN")
    victim = folder / "RUN" / "victims" / "cerberos"
    for name in ("model.tflite", "FILE.tflite", "MODEL", "runs/.../victims/cerberos/model.tflite"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(victim / "model.tflite", folder / name)
    shutil.copy(victim / "model.h5", folder / "model.h5")
    shutil.copy(ROOT / "tinycerb/boards/nucleo-f412zg.toml", folder / "own.toml")
    (folder / "tests").symlink_to(ROOT / "tests")
    write_listings(folder)
    subprocess.run([sys.executable, "make_shapes.py"], cwd=folder, check=True)
    (folder / "shapes.npz").rename(folder / "my_data.npz")
    return folder


def shell(workshop: Path, script: str) -> None:
    functions = f'python() {{ "{sys.executable}" "$@"; }}\ntinycerb() {{ python -m tinycerb "$@"; }}\nBOARD=qemu-m4\n'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(workshop), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = ["bash", "-e", "-u", "-c", functions + script]
    done = subprocess.run(command, cwd=workshop, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr


def parse(words: list[str]) -> tuple[str, dict[str, Any]]:
    """Takes a command line apart as the program does, and runs nothing.

    Returns:
        What is wrong with it, "" for nothing, and its options.
    """
    found: dict[str, Any] = {}

    def note(_: typer.core.TyperCommand, context: Any) -> None:
        found.update(context.params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.core.TyperCommand, "invoke", note)
        result = CliRunner().invoke(app, words)
    return ("" if result.exit_code == 0 else result.output), found


def resolve(line: str) -> None:
    """Parses every command of a line; where it names a preset, it must be there, with all that is set."""
    for part in line.split(" && "):
        # Brackets around options say that they may be left out; those in values are lists.
        words = shlex.split(re.sub(r"\[(-[^\]]*)\]", r"\1", part))
        assert words[0] == "tinycerb"
        wrong, params = parse(words[1:])
        assert not wrong
        if params.get("preset"):
            # Of commands that take data; others call something else a model.
            brought = ("model", "data", "query_pool") if "data" in params else ()
            sources = Sources(*(params.get(key) or "" for key in brought))
            config = load_config(params["preset"], params.get("overrides") or [], sources)
            if params.get("defense"):
                config = with_defense(config, params["defense"])
            if params.get("flash") or params.get("ram"):
                config = with_budget(config, params["flash"], params["ram"])
            check_names(config)


def run_instead(workshop: Path, line: str, reason: str) -> None:
    if reason == DRY:
        shell(workshop, f"{line} --dry-run")
    elif reason == PLAN:
        words = ["make", "-n", *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif reason == SMALL:
        small = {key: value for key, value in NUMBERS.items() if key != "attacks"}
        line = line.replace("--out RUN", "--out SMALL")
        shell(workshop, line + "".join(f" --set '{key}={value}'" for key, value in small.items()))
    elif reason in (PARSED, PORT, FORM):
        resolve(line)
    elif reason == SUITE:
        module = line.split()[3 if "pytest" in line else 2]
        assert (ROOT / (module if module.endswith(".py") else f"{module.replace('.', '/')}.py")).is_file()
    else:
        assert reason == INSTALLS
        assert line.split()[0] in ("pip", "dask")


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{page}: {block[0][:50]}" for page, block in BLOCKS])
def test_a_block_does_what_the_page_says(workshop: Path, page: str, block: list[str]) -> None:
    for name in ("DIR", "OTHER", "NEW", "SMALL"):
        shutil.rmtree(workshop / name, ignore_errors=True)
    for name in ("owner.key", "device.key"):
        (workshop / name).unlink(missing_ok=True)
    for line in block:
        reason = EXCEPTIONS.get((page, line))
        if reason is None:
            shell(workshop, line.replace("BOARD", "qemu-m4"))
        else:
            run_instead(workshop, line, reason)


def test_the_table_of_exceptions_fits_the_pages() -> None:
    lines = {(name_of(page), line) for page in PAGES for block in blocks(page) for line in block}
    assert set(EXCEPTIONS) <= lines
    assert set(EXCEPTIONS.values()) == {DRY, PLAN, SMALL, PARSED, PORT, FORM, INSTALLS, SUITE}
    # Nothing that could be run with --dry-run is only parsed.
    for (page, line), reason in EXCEPTIONS.items():
        assert reason != PARSED or not re.search(r"tinycerb (flash|bench matrix)\b", line), (page, line)
    as_they_stand = lines - set(EXCEPTIONS)
    assert len([line for page, line in as_they_stand if page not in GUIDES]) >= 20


def test_listings_are_configurations(tmp_path) -> None:
    """Those that extend nothing are attacks to add."""
    listing = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = [(page, text) for page in PAGES if page.name not in GUIDES for text in listing.findall(page.read_text())]
    assert found
    for page, text in found:
        whole = text.startswith("extends")
        (tmp_path / "listing.toml").write_text(text if whole else f'extends = "demo"\n{text}')
        config = load_config(str(tmp_path / "listing.toml"))
        check_names(config)
        assert whole or len(config.attacks) == text.count("[[attacks]]") > 0, page


INLINE = sorted(
    {(page.name, command) for page in PAGES for command in re.findall(r"`(tinycerb [^`\n]*)`", page.read_text())}
)


def test_a_command_in_a_sentence_has_options_that_exist() -> None:
    assert len(INLINE) > 40
    for page, command in INLINE:
        words = shlex.split(command.replace("[", "").replace("]", "").replace("...", ""))[1:]
        wrong, _ = parse(words)
        # A sentence may leave out what a command needs.
        assert "No such" not in wrong, f"{page}: {command}: {wrong}"
        assert "Invalid value" not in wrong, f"{page}: {command}: {wrong}"


def test_a_wrong_command_is_seen() -> None:
    assert "No such option" in parse(["run", "demo", "--defence", "am"])[0]
    assert "No such command" in parse(["steal"])[0]
    for line in ("tinycerb run dmeo", "tinycerb run demo --set training.epochs=1", "tinycerb run demo --defense amm"):
        with pytest.raises(UsageError):
            resolve(line)
