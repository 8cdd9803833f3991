"""Damaged files on their way to a board: a sentence and exit 2."""

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.firmware.networks import demo_net
from tests.firmware.test_validation import changed
from tests.fuzz.fields import LENGTH
from tinycerb.boards.board import load_board
from tinycerb.boards.firmware import prebuilt_firmware
from tinycerb.boards.lowered import lowered
from tinycerb.converters.metadata import METADATA_NAME
from tinycerb.converters.model_file import ModelFile, parse_model
from tinycerb.errors import UsageError

SOUND = demo_net(3, defaults=True)


def test_flash_says_what_is_wrong_with_a_damaged_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "damaged.tflite"
    path.write_bytes(changed(SOUND, "Operator.2", (0, 3), 0, LENGTH))
    finished = cli("flash", path, "--board", "qemu-m4", "--dry-run")
    assert finished.returncode == 2
    assert "this model cannot become firmware: layer 3" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("answers", [True, False])
def test_damage_is_a_usage_error_with_and_without_a_response(answers: bool) -> None:
    file = parse_model(changed(SOUND, "Quantization.2", (0, 0, 0), 0.0))
    with pytest.raises(
        UsageError, match=r"cannot become firmware: layer 0 \(CONV_2D.*tensor 0 \('image'\) has the scale 0"
    ):
        lowered(file, answers=answers)


def _with_metadata(raw: bytes) -> ModelFile:
    file = parse_model(SOUND)
    file.metadata[METADATA_NAME] = raw
    return file


@pytest.mark.parametrize("raw", [b"[1]", b'{"heads": 3}', b"\xff", b'{"heads": 3, "classes": 10, "alphas": [1, 0, 1]}'])
def test_metadata_that_are_none_are_a_usage_error(raw: bytes) -> None:
    for answers in (True, False):
        with pytest.raises(UsageError, match="this model cannot become firmware"):
            lowered(_with_metadata(raw), answers=answers)


def test_an_image_made_elsewhere_is_checked_as_well(tmp_path: Path) -> None:
    file = parse_model(changed(SOUND, "Operator.2", (0, 3), 0, LENGTH))
    with pytest.raises(UsageError, match="layer 3"):
        prebuilt_firmware(file, load_board("qemu-m4"), tmp_path / "none.elf", "fixed")
