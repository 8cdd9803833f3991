"""Advice that can be followed: it depends on how TinyCerb came here."""

import importlib.metadata
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tinycerb.advice import install
from tinycerb.doctor.checks import run_check
from tinycerb.errors import EnvironmentProblem

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wheel(monkeypatch, tmp_path: Path) -> None:
    """As where TinyCerb was installed from a wheel: no checkout around, what it needs stands in its metadata."""
    extras = ['unicorn==2.1.4; extra == "emulate"', 'tflite-micro==0.1; extra == "tflm"']
    monkeypatch.setattr(install, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["numpy<2,>=1.26", *extras])


@pytest.fixture
def half_made(monkeypatch, tmp_path: Path) -> Path:
    """As in a checkout whose `make install` was stopped."""
    for name in ("Makefile", "pyproject.toml", "requirements/runtime.lock", "requirements/data.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.setattr(install, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    return tmp_path


def test_in_a_wheel_the_running_python_gets_the_pins_of_the_metadata(wheel, monkeypatch) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    assert install.install_command("unicorn") == f"{sys.executable} -m pip install unicorn==2.1.4"
    assert install.install_command("tflite-micro") == (
        f"{sys.executable} -m pip install tflite-micro==0.1 'numpy<2,>=1.26'"
    )
    assert install.install_command("animal-mnist").endswith(" -m pip install --no-deps animal-mnist==0.4")
    assert install.distribution_of("elftools") is None
    assert "requirements/" not in install.install_command("tensorflow")


def test_python_is_called_by_its_name_where_that_is_the_same_one(monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert install.install_command("unicorn") == "python -m pip install unicorn==2.1.4"


def test_an_environment_without_pip_is_served_by_uv(monkeypatch) -> None:
    monkeypatch.setattr(install.PathFinder, "find_spec", lambda name: None)
    monkeypatch.setattr(install.shutil, "which", lambda name: "/usr/bin/uv")
    assert install.install_command("unicorn") == f"uv pip install --python {sys.executable} unicorn==2.1.4"


def test_to_look_for_pip_leaves_distutils_to_those_who_have_loaded_it(monkeypatch) -> None:
    loaded = ModuleType("distutils")
    monkeypatch.setitem(sys.modules, "distutils", loaded)
    install.reinstall_command("animal-mnist")
    assert sys.modules["distutils"] is loaded


def test_a_checkout_that_is_half_made_is_made(half_made: Path, monkeypatch) -> None:
    assert install.install_command("tensorflow") == f"make -C {half_made} install"
    assert install.install_command("animal-mnist") == f"make -C {half_made} install"
    monkeypatch.chdir(half_made)
    assert install.install_command("tflite-micro") == "make install"
    # What make does not install.
    assert install.install_command("unicorn").endswith(" -m pip install unicorn==2.1.4")
    (half_made / ".venv").mkdir()
    (half_made / ".venv" / ".runtime-installed").touch()
    assert install.install_command("tensorflow").endswith(
        " -m pip install tensorflow==2.21.0 tf-keras==2.21.0 tensorflow-model-optimization==0.8.1 'numpy>=1.26,<2'"
    )


def test_packages_of_the_system_are_told_as_whoever_asks_can_install_them(monkeypatch) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda name: "/usr/bin/apt-get")
    for user, command in ((0, "apt-get install -y gcc"), (1000, "sudo apt-get install -y gcc")):
        monkeypatch.setattr(install.os, "geteuid", lambda user=user: user)
        assert install.system_command("gcc") == command
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    assert install.system_command("gcc", "cmake") == "your system's package manager; Debian calls it gcc cmake"


def test_what_is_missing_is_named_before_any_work() -> None:
    install.require_training("training")
    with pytest.raises(EnvironmentProblem, match=r"flight needs wings, not installed; install with: .* wings$"):
        install.require_modules(("sys", "wings"), "flight")


def test_a_check_that_lacks_a_package_is_a_finding_with_its_command() -> None:
    def _optics() -> None:
        raise ModuleNotFoundError("No module named 'PIL'", name="PIL.Image")

    found = run_check(_optics)  # type: ignore[arg-type]
    assert (found.name, found.status) == ("optics", "FAIL")
    assert found.remedy.endswith(" -m pip install pillow==13.0.0")
