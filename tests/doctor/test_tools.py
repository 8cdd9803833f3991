"""What firmware is made and tried with: each tool is tried, and what is missing is named with its command."""

from pathlib import Path

import pytest

from tinycerb.doctor import tools
from tinycerb.doctor.finding import OK, WARN, Finding


@pytest.mark.parametrize("check", tools.TOOL_CHECKS, ids=lambda check: check.__name__)
def test_this_machine_has_every_tool(check) -> None:
    found = check()
    assert (found.status, found.remedy) == (OK, ""), found


def without_tools(monkeypatch, tmp_path: Path, *scripts: tuple[str, str]) -> None:
    """A PATH with nothing but these scripts."""
    for name, text in scripts:
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("check", "told", "packages"),
    [
        (tools.check_cross_compiler, "arm-none-eabi-gcc is not installed", "gcc-arm-none-eabi libnewlib-arm-none-eabi"),
        (tools.check_host_compiler, "gcc is not installed", "gcc libc6-dev"),
        (tools.check_emulator, "qemu-system-arm is not installed", "qemu-system-arm"),
    ],
)
def test_a_missing_tool_is_a_warning_with_its_packages(monkeypatch, tmp_path, check, told: str, packages: str) -> None:
    without_tools(monkeypatch, tmp_path, ("apt-get", ""))
    found = check()
    assert (found.status, found.detail.startswith(told)) == (WARN, True), found
    assert found.remedy.removeprefix("sudo ") == f"apt-get install -y {packages}"


def test_a_compiler_that_cannot_link_is_found_out(monkeypatch, tmp_path) -> None:
    """Debian's cross compiler comes without its C library."""
    without_tools(monkeypatch, tmp_path, ("arm-none-eabi-gcc", "echo 'ld: cannot find -lc_nano' >&2; exit 1"))
    found = tools.check_cross_compiler()
    assert (found.status, found.detail) == (WARN, "ld: cannot find -lc_nano")
    assert "libnewlib-arm-none-eabi" in found.remedy


def test_an_emulator_without_a_machine_is_found_out(monkeypatch, tmp_path) -> None:
    without_tools(monkeypatch, tmp_path, ("qemu-system-arm", "printf 'microbit  BBC\\nmps2-an385  M3\\n'"))
    found = tools.check_emulator()
    assert found.status == WARN
    assert "lacks the machines mps2-an386, mps2-an500" in found.detail


def test_missing_packages_are_warnings_with_their_pins(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(tools, "version", lambda package: "not installed")
    assert tools.check_unicorn().remedy.endswith(" -m pip install unicorn==2.1.4")
    without_tools(monkeypatch, tmp_path)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    found = tools.check_pyocd()
    assert isinstance(found, Finding)
    assert (found.status, found.remedy.endswith(" -m pip install pyocd==0.46.0")) == (WARN, True)
