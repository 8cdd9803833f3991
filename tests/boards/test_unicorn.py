"""`tinycerb flash` on a machine that has only what pip installs."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Cli
from tinycerb.boards.unicorn_machine import Machine
from tinycerb.errors import HardwareError, UsageError


def test_a_prebuilt_image_is_flashed_without_compiler_and_qemu(flash: Cli, tmp_path: Path) -> None:
    built = flash("--board", "unicorn-m4", "--dry-run")
    assert built.returncode == 0, built.stderr
    assert "tinycerb.boards.unicorn_machine" in built.stdout
    image = Path(built.args[-1]) / "firmware.elf"
    assert f" {image} cortex-m4 " in built.stdout
    bare = {**os.environ, "PATH": str(tmp_path)}
    done = flash("--board", "unicorn-m4", "--image", image, "--json", env=bare)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["golden_vectors"], facts["golden_vectors_wrong"], facts["heads"]) == (2, 0, 3)
    layers = sum(layer["instructions"] for layer in facts["layers"])
    assert layers + facts["rest_instructions"] == facts["inference_instructions"]
    assert 0 < facts["rest_instructions"] < 200
    missing = flash("--board", "unicorn-m4", env=bare)
    assert (missing.returncode, "gcc-arm-none-eabi libnewlib-arm-none-eabi" in missing.stderr) == (3, True)
    other = flash("--board", "unicorn-m4", "--image", image, "--selection", "fixed")
    assert (other.returncode, "draws heads keyed, not fixed" in other.stderr) == (4, True), other.stderr
    (tmp_path / "text.elf").write_text("no image")
    wrong = flash("--board", "unicorn-m4", "--image", tmp_path / "text.elf")
    assert (wrong.returncode, "cannot read the image" in wrong.stderr) == (2, True), wrong.stderr


@pytest.mark.parametrize("core", ["m0", "m33"])
def test_other_cores_are_flashed(flash: Cli, core: str) -> None:
    done = flash("--board", f"unicorn-{core}")
    assert done.returncode == 0, done.stderr
    assert "golden       2 of 2 vectors right, every head" in done.stdout
    assert "instructions executed" in done.stdout


def test_a_crash_an_endless_image_and_an_unknown_core_are_told(flash: Cli, tmp_path: Path) -> None:
    built = flash("--board", "unicorn-m3", "--dry-run")
    image = Path(built.args[-1]) / "firmware.elf"
    with pytest.raises(HardwareError, match=r"crashed at 0x[0-9a-f]+ in Unicorn"):
        # There is no serial line to write to.
        Machine(image, "cortex-m3").run(10)
    machine = Machine(image, "cortex-m3")
    machine.attach(0x40004000, lambda offset: 0, lambda offset, value: None)
    with pytest.raises(HardwareError, match="did not end within 1 seconds in Unicorn"):
        machine.run(1)
    with pytest.raises(UsageError, match="Unicorn has no cortex-m55; it has cortex-m0"):
        Machine(image, "cortex-m55")


def test_without_unicorn_the_command_that_installs_it_is_told(flash: Cli, tmp_path: Path) -> None:
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text("import sys\nsys.modules['unicorn'] = None\n")
    done = flash("--board", "unicorn-m4", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, "-m pip install unicorn==2.1.4" in done.stderr) == (3, True), done.stderr
