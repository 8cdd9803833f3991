"""Notes beside a key: no batch is used twice, nobody else's notes are taken, the key's file is never written."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.ownership.ledger import Null, UsedBatch, note_null, notes_file, read_notes, take_batch, used_batch
from tinycerb.ownership.owner import Owner, open_owner
from tinycerb.ownership.owner_key import new_owner_key, write_owner_key


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    write_owner_key(tmp_path / "owner.key", new_owner_key())
    return open_owner(str(tmp_path / "owner.key"))


def test_every_batch_is_taken_once_whoever_asks(owner: Owner) -> None:
    assert owner.file is not None
    before = owner.file.read_bytes(), owner.file.stat().st_mtime_ns
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: take_batch(owner, 50, "m", "verify"), range(12)))
    assert sorted(numbers) == list(range(1, 13))
    assert used_batch(owner, 7) == UsedBatch(7, 50, "m", "verify")
    assert (owner.file.read_bytes(), owner.file.stat().st_mtime_ns) == before
    assert owner.key.content.hex() not in notes_file(owner.file).read_text()
    with pytest.raises(UsageError, match="batch 13 was never drawn with this owner key; noted beside it: 1, 2, 3"):
        used_batch(owner, 13)


def test_a_null_stands_beside_the_batches(owner: Owner) -> None:
    take_batch(owner, 5, "m", "calibrate")
    null = Null({"strokes": 0.2, "shades": 0.31}, 12, 400)
    note_null(owner, "m", null)
    notes = read_notes(owner)
    assert notes.nulls == {"m": null}
    assert len(notes.batches) == 1


def test_notes_of_another_key_or_damaged_ones_are_not_believed(owner: Owner, tmp_path: Path) -> None:
    take_batch(owner, 5, "m", "verify")
    write_owner_key(tmp_path / "other.key", new_owner_key())
    other = open_owner(str(tmp_path / "other.key"))
    assert other.file is not None
    assert owner.file is not None
    notes_file(owner.file).rename(notes_file(other.file))
    with pytest.raises(EnvironmentProblem, match=r"other.key.notes.json is of another owner key or version"):
        take_batch(other, 5, "m", "verify")
    notes_file(other.file).write_text('{"owner_key_sha256": 3}')
    with pytest.raises(EnvironmentProblem, match=r"other.key.notes.json: owner_key_sha256 is 3; expected a text"):
        read_notes(other)


def test_the_public_has_neither_key_nor_notes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    public = open_owner("public")
    assert (public.digest, public.teacher_words) == ("public", ())
    assert take_batch(public, 5, "m", "verify") == take_batch(public, 5, "m", "verify") == 0
    with pytest.raises(UsageError, match="owner is 'public': there is no key beside which a null is noted"):
        note_null(public, "m", Null({}, 1, 1))
    assert list(tmp_path.iterdir()) == []
