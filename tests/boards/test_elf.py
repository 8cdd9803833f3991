"""What an image holds: sizes as the compiler's own tool tells them, and the place of the secret."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import Cli
from tinycerb.boards.board import load_board
from tinycerb.boards.elf import load_segments, memory_use, with_section
from tinycerb.errors import UsageError


def test_sizes_and_the_secrets_place(flash: Cli, tmp_path: Path) -> None:
    built = flash("--board", "qemu-m4", "--dry-run")
    assert built.returncode == 0, built.stderr
    elf = Path(built.args[-1]) / "firmware.elf"
    printed = subprocess.run(["arm-none-eabi-size", elf], capture_output=True, text=True, check=True).stdout
    text, data, variables = map(int, printed.splitlines()[1].split()[:3])
    flash_bytes, ram_bytes = memory_use(elf)
    # Sections begin at multiples of 8 and 16 bytes.
    assert abs(flash_bytes - (text + data)) < 16
    assert abs(ram_bytes - (data + variables - load_board("qemu-m4").stack_bytes)) < 16

    secret = bytes(range(200, 216))
    changed = tmp_path / "changed.elf"
    changed.write_bytes(with_section(elf, ".secret", secret))
    before, after = (b"".join(part.content for part in load_segments(path)) for path in (elf, changed))
    assert len(after) == len(before)
    place = after.index(secret)
    assert after.replace(secret, bytes(16), 1) == before
    assert before[place : place + 16] == bytes(16)
    with pytest.raises(UsageError, match=r"has 16 bytes of section \.secret; expected 15"):
        with_section(elf, ".secret", secret[:15])
    with pytest.raises(UsageError, match=r"has no bytes of section \.hidden; expected 16: build it with TinyCerb"):
        with_section(elf, ".hidden", secret)
