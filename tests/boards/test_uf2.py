"""UF2: the file's format, the drive, and a Raspberry Pi Pico that runs what `tinycerb flash` copied to it."""

import json
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boards.conftest import Terminal
from tests.conftest import Cli
from tinycerb.boards import uf2_drive
from tinycerb.boards.board import load_board
from tinycerb.boards.elf import Segment, load_segments
from tinycerb.boards.uf2 import to_uf2
from tinycerb.boards.uf2_drive import INFO
from tinycerb.errors import HardwareError

PICO = ("--board", "raspberry-pi-pico")


def test_a_file_holds_every_byte_at_its_address_in_whole_pages() -> None:
    segments = [Segment(0x10000000, bytes(range(256)) * 2), Segment(0x10000310, b"secret")]
    content = to_uf2(segments, 0xE48BFF56)
    blocks = [content[at : at + 512] for at in range(0, len(content), 512)]
    headers = [struct.unpack("<8I", block[:32]) for block in blocks]
    assert [header[3] for header in headers] == [0x10000000, 0x10000100, 0x10000300]
    assert {header[:3] + header[4:5] + header[6:] for header in headers} == {
        (0x0A324655, 0x9E5D5157, 0x2000, 256, 3, 0xE48BFF56)
    }
    assert [header[5] for header in headers] == [0, 1, 2]
    assert blocks[2][32:288] == bytes(16) + b"secret" + bytes(234)
    assert all(block[288:] == bytes(220) + struct.pack("<I", 0x0AB16F30) for block in blocks)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    path = tmp_path / "drive"
    path.mkdir()
    (path / INFO).write_text("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n")
    return path


@pytest.fixture
def pico(drive: Path, board_process, rp2040_emulator: list[str]) -> Callable[[], dict]:
    """A Pico that waits for its file and then runs it; the call ends it and returns what it says about itself."""
    image = drive / "tinycerb.uf2"
    end = board_process(lambda: _is_whole(image), [*rp2040_emulator, str(image)])
    return lambda: json.loads(end())


def _is_whole(image: Path) -> bool:
    content = image.read_bytes() if image.exists() else b""
    return len(content) > 512 and len(content) == 512 * struct.unpack_from("<I", content, 24)[0]


def test_a_pico_boots_the_copied_file_and_answers_as_expected(
    flash: Cli, drive: Path, terminal: Terminal, pico: Callable[[], dict]
) -> None:
    """Self-test of every head, answers of the drawn heads: nothing differs, or the command would not end with 0."""
    done = flash(*PICO, "--drive", drive, "--port", terminal.name, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["golden_vectors"], facts["golden_vectors_wrong"], facts["heads"]) == (2, 0, 3)
    assert facts["inference_ticks"] > 10_000
    assert facts["draw_ticks"] < 100_000
    assert sum(layer["ticks"] for layer in facts["layers"]) + facts["rest_ticks"] == facts["inference_ticks"]
    told = pico()
    assert told["hertz"] == 125_000_000
    assert told["baud"] == pytest.approx(load_board("raspberry-pi-pico").baud, rel=0.005)
    # Both pins belong to the UART.
    assert told["functions"] == [2, 2]


def test_the_secret_is_in_the_copied_file_and_not_in_the_kept_image(flash: Cli, drive: Path, tmp_path: Path) -> None:
    key, secret = tmp_path / "device.key", bytes(range(60, 76))
    key.write_text(secret.hex())
    done = flash(*PICO, "--drive", drive, "--port", "/dev/no-such-port", "--key", key)
    assert (done.returncode, "cannot open the serial port" in done.stderr) == (4, True), done.stderr
    assert secret in (drive / "tinycerb.uf2").read_bytes()
    assert secret.hex() not in done.stdout + done.stderr


def test_dry_run_writes_the_file_and_names_the_drive(flash: Cli) -> None:
    done = flash(*PICO, "--dry-run")
    assert done.returncode == 0, done.stderr
    found = re.search(r"would run +cp (\S+\.uf2) '<drive of RPI-RP2>/tinycerb.uf2'", done.stdout)
    assert found is not None, done.stdout
    image = Path(found[1])
    assert image.read_bytes() == to_uf2(load_segments(image.with_suffix(".elf")), 0xE48BFF56)
    assert "of 2,097,152 bytes" in done.stdout


def test_boot2_has_the_checksum_that_the_boot_rom_wants(flash: Cli) -> None:
    """CRC-32/MPEG-2, bit by bit; edit boot2_rp2040.S and this test names the new value."""
    done = flash(*PICO, "--dry-run")
    image = Path(re.findall(r"(\S+)\.uf2", done.stdout)[0] + ".elf")
    boot2 = load_segments(image)[0].content[:256]
    crc = 0xFFFFFFFF
    for byte in boot2[:252]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    assert int.from_bytes(boot2[252:], "little") == crc, hex(crc)


def test_the_drive_is_found_among_what_is_mounted(drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, plain = tmp_path / "other", tmp_path / "plain"
    for path in (other, plain):
        path.mkdir()
    (other / INFO).write_text("Board-ID: SAMD21\n")
    mounted = [plain, other, drive]
    monkeypatch.setattr(uf2_drive, "mounted_drives", lambda: mounted)
    assert uf2_drive.find_drive("RPI-RP2") == drive
    mounted.remove(drive)
    with pytest.raises(
        HardwareError, match=r"no drive of a board RPI-RP2 is mounted \(\S+other is SAMD21\); hold the boot"
    ):
        uf2_drive.find_drive("RPI-RP2")
    mounted += [drive, drive]
    monkeypatch.setattr(uf2_drive, "read_board_id", lambda path: "RPI-RP2")
    with pytest.raises(HardwareError, match="3 boards RPI-RP2 are there; name one: --drive"):
        uf2_drive.find_drive("RPI-RP2")


def test_a_drive_that_is_gone_with_its_last_block_has_taken_the_image(tmp_path: Path) -> None:
    """The board has restarted; whether it runs the image, the serial line will say. A drive that stays is at fault."""
    image, gone = bytes(512), tmp_path / "gone"
    uf2_drive.write_to_drive(image, gone, 10)
    assert not gone.exists()
    staying = tmp_path / "staying"
    staying.mkdir()
    (staying / uf2_drive.IMAGE).symlink_to(tmp_path / "no" / "such" / "folder")
    with pytest.raises(HardwareError, match="cannot write to the drive"):
        uf2_drive.write_to_drive(image, staying, 10)


def test_what_goes_wrong_with_a_drive_is_told(flash: Cli, drive: Path, tmp_path: Path) -> None:
    def told(*more: object) -> str:
        done = flash(*PICO, "--port", "/dev/null", *more)
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        return done.stderr

    assert "no drive of a board RPI-RP2 is mounted" in told()
    assert "there is no drive at /no/such/drive" in told("--drive", "/no/such/drive")
    assert "is no UF2 board's (it has no INFO_UF2.TXT); expected RPI-RP2" in told("--drive", tmp_path)
    image = drive / "tinycerb.uf2"
    image.symlink_to("/dev/full")
    assert re.search(r"is full: the image has [\d,]+ bytes", told("--drive", drive))
    image.unlink()
    image.mkdir()
    assert "cannot write to the drive" in told("--drive", drive)
    image.rmdir()
    os.mkfifo(image)
    assert "did not take the image within 1 seconds" in told("--drive", drive, "--time-limit", "1")
    (drive / INFO).write_text("Board-ID: SAMD21G18A-Feather-v0\n")
    assert "is that of a board SAMD21G18A-Feather-v0; expected RPI-RP2" in told("--drive", drive)
    missing = flash(*PICO, "--drive", drive)
    assert (missing.returncode, "give the serial port" in missing.stderr) == (2, True)
