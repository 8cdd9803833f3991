"""`tinycerb keygen`, and where a secret must not turn up."""

import stat
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests.conftest import Cli


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_told_to_nobody(cli: Cli, tmp_path: Path) -> None:
    key = tmp_path / "device.key"
    done = cli("keygen", key)
    assert (done.returncode, done.stdout) == (0, f"{key}\n"), done.stderr
    first = key.read_text().strip()
    assert len(bytes.fromhex(first)) == 16
    assert mode(key) == 0o600
    again = cli("keygen", key)
    assert (again.returncode, "replace it with --force" in again.stderr) == (2, True)
    assert key.read_text().strip() == first
    forced = cli("keygen", key, "--force")
    assert (forced.returncode, mode(key)) == (0, 0o600)
    second = key.read_text().strip()
    assert second != first
    for secret in (first, second):
        assert secret not in done.stdout + done.stderr + again.stderr + forced.stdout + forced.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["device.key"]


def test_git_never_gets_to_see_it(cli: Cli, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("*.key\n")
    (tmp_path / "deep").mkdir()
    assert cli("keygen", tmp_path / "deep" / "device.key").returncode == 0
    done = cli("keygen", tmp_path / "deep" / "device.txt", "--force")
    assert (done.returncode, "one `git add` would publish the secret" in done.stderr) == (2, True), done.stderr
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["device.key"]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [("no/such/folder", 2, "make it first: mkdir -p"), ("", 2, "is there")],
)
def test_places_where_it_cannot_go(cli: Cli, tmp_path: Path, name: str, code: int, message: str) -> None:
    done = cli("keygen", tmp_path / name, "--force")
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_the_secret_is_in_no_log_kept_image_or_argument_list(flash: Cli, cli: Cli, tmp_path: Path) -> None:
    """While the flasher runs, every process' arguments and environment are written down."""
    key, seen = tmp_path / "device.key", tmp_path / "seen"
    assert cli("keygen", key).returncode == 0
    key.chmod(0o644)
    script = tmp_path / "flasher.sh"
    script.write_text(
        f'cat /proc/[0-9]*/cmdline /proc/self/environ /proc/$PPID/environ > "{seen}"; cp "$1" "{tmp_path}/got.elf"'
    )
    board = tmp_path / "own.toml"
    text = (resources.files("tinycerb.boards") / "qemu-m4.toml").read_text().partition("[qemu]")[0]
    text = text.replace('flasher = "qemu"', 'flasher = "command"')
    board.write_text(f'{text}\n[command]\nrun = "sh {script} {{elf}}"\n')
    done = flash("--board", board, "--port", "/dev/no-such-port", "--key", key)
    assert (done.returncode, "cannot open the serial port" in done.stderr) == (4, True), done.stderr
    assert f"others can read the key {key}; mend it with: chmod 600" in done.stderr
    digits = key.read_text().strip()
    secret = bytes.fromhex(digits)
    assert secret in (tmp_path / "got.elf").read_bytes()
    assert b"flasher.sh" in seen.read_bytes()
    kept = [path for path in Path(done.args[-1]).rglob("*") if path.is_file()]
    assert len(kept) > 3
    for content in (
        seen.read_bytes(),
        done.stdout.encode(),
        done.stderr.encode(),
        *(path.read_bytes() for path in kept),
    ):
        assert secret not in content
        assert digits.encode() not in content


def test_a_key_file_with_something_else_is_refused_without_telling_what(flash: Cli, tmp_path: Path) -> None:
    key = tmp_path / "device.key"
    key.write_text("hunter2")
    done = flash("--key", key)
    assert (done.returncode, "is not hexadecimal; make one with: tinycerb keygen FILE" in done.stderr) == (2, True)
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
