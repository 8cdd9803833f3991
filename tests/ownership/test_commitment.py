"""A commitment names one key and one model, whatever the model's file says of itself."""

from pathlib import Path

import pytest

from tests.conftest import Cli
from tinycerb.converters.metadata import embed_metadata, read_metadata
from tinycerb.converters.model_file import parse_model, read_model_file
from tinycerb.errors import UsageError
from tinycerb.ownership.commitment import MARK, check_commitment, commitment, tensors_digest
from tinycerb.ownership.owner_key import OwnerKey, new_owner_key, write_owner_key

ASSETS = Path(__file__).parents[1] / "assets"
FORTRESS, CONTROL = ASSETS / "fortress.tflite", ASSETS / "one_head_control.tflite"
OWNER = OwnerKey(bytes(range(32))).hash

LINE = f"{MARK}f7261c29251b251ccf5d6716d13e695bd335af240b9181874ba74be7a17861ac"


def test_the_line_is_fixed() -> None:
    """What a notary has dated must be found again by every later version."""
    assert commitment(OWNER, read_model_file(FORTRESS)) == LINE


def test_another_key_or_another_weight_is_another_line() -> None:
    file = read_model_file(FORTRESS)
    content = bytearray(file.content)
    weights = max(file.tensors, key=lambda tensor: tensor.constant_bytes)
    # Some byte inside of the largest constant.
    start = next(at for at in range(len(content)) if tensors_digest(flipped(content, at)) != tensors_digest(file))
    assert weights.constant_bytes > 1000
    lines = {
        commitment(OWNER, file),
        commitment(new_owner_key().hash, file),
        commitment(OWNER, read_model_file(CONTROL)),
        commitment(OWNER, flipped(content, start)),
    }
    assert len(lines) == 4


def flipped(content: bytearray, at: int):
    changed = bytearray(content)
    # The middle of the file is weights.
    changed[len(changed) // 2 + at] ^= 1
    return parse_model(bytes(changed))


def test_what_a_file_says_of_itself_changes_nothing() -> None:
    """A thief who writes a card of his own into a copied file has not made another model."""
    file = read_model_file(FORTRESS)
    card = read_metadata(file) or {}
    copied = parse_model(embed_metadata(file.content, {**card, "victim": "mine", "owner_key": "0" * 64}))
    assert copied.content != file.content
    assert commitment(OWNER, copied) == commitment(OWNER, file)


def test_what_is_no_commitment_of_this_model_is_refused(tmp_path: Path) -> None:
    file = read_model_file(FORTRESS)
    line = tmp_path / "line.txt"
    line.write_text(f"{commitment(OWNER, file)}\n")
    assert check_commitment(str(line), OWNER, file) == check_commitment(LINE, OWNER, file) == LINE
    for other in (commitment(new_owner_key().hash, file), commitment(OWNER, read_model_file(CONTROL))):
        with pytest.raises(UsageError, match=rf"names another key or another model; .* {LINE[32:48]}"):
            check_commitment(other, OWNER, file)
    # An empty one, which was dated before there was a model.
    for text in ("", MARK, f"{MARK}{'A' * 64}"):
        line.write_text(text)
        with pytest.raises(UsageError, match=r"holds no commitment .* tinycerb ownership commit KEY MODEL"):
            check_commitment(str(line), OWNER, file)
    with pytest.raises(UsageError, match=r"cannot read the commitment .*nowhere"):
        check_commitment(str(tmp_path / "nowhere"), OWNER, file)


def test_the_command_prints_the_line_and_not_the_key(cli: Cli, tmp_path: Path) -> None:
    key = OwnerKey(bytes(range(32)))
    write_owner_key(tmp_path / "owner.key", key)
    done = cli("ownership", "commit", tmp_path / "owner.key", FORTRESS)
    assert (done.returncode, done.stdout) == (0, f"{LINE}\n")
    assert key.content.hex() not in done.stderr
