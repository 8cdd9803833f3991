"""Which key a run is started with, where it lies, and how it is found again."""

import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tinycerb.atomic import write_json
from tinycerb.config import Config, VictimConfig, load_config
from tinycerb.config.user_sources import Sources
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.matrix.seeds import seed_runs
from tinycerb.ownership.owner_key import OwnerKey, new_owner_key, read_owner_key, write_owner_key
from tinycerb.ownership.run_key import (
    RESPONSE,
    TEACHERS,
    create_run,
    key_file,
    key_words,
    resume_with,
    victim_words,
)
from tinycerb.presets import preset_names
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import resolve_victim

SECRET = load_config("custom", [], Sources(data="mine.npz"))
OPEN = load_config("demo")


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, OwnerKey]:
    file, key = tmp_path / "owner.key", new_owner_key()
    write_owner_key(file, key)
    return file, key


def started(config: Config, path: Path, owner: str = "") -> RunDirectory:
    return create_run(config, path, False, None, owner)[0]


@pytest.mark.parametrize("preset", preset_names())
def test_published_experiments_are_public_and_what_users_bring_is_not(preset: str, tmp_path: Path) -> None:
    secret = preset == "ownership" or load_config(preset).data.name == "user"
    public = "" if secret else "public"
    assert load_config(preset).owner == public
    for sources in (Sources(data="mine.npz"), Sources(model="mine:build")):
        assert load_config(preset, [], sources).owner == ""
        assert load_config(preset, ["owner=public"], sources).owner == "public"
    assert load_config(preset, [], Sources(query_pool="foreign.npz")).owner == public
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "{preset}"\nname = "mine"\n[data]\nname = "user"\nsource = "mine.npz"\n')
    assert load_config(str(file)).owner == ""
    file.write_text(f'owner = "public"\n{file.read_text()}')
    assert load_config(str(file)).owner == "public"


def test_no_other_word_for_an_owner() -> None:
    with pytest.raises(UsageError, match=r"owner is 'me'; allowed: public, the hash of an owner key \(64 hexa"):
        load_config("demo", ["owner=me"])


@pytest.mark.parametrize(
    ("victim", "wanted"),
    [
        (VictimConfig("v", "misdirection"), True),
        (VictimConfig("v", "misdirection", options={"teacher_weight": 0.0}), False),
        (VictimConfig("v", "misdirection", response="grad_head"), True),
        (VictimConfig("v", "cerberos"), False),
        (VictimConfig("v", "cerberos", options={"losses": "cosine_lse+random_teacher:.3"}), True),
        (VictimConfig("v", "cerberos", options={"losses": "independent_teacher"}), True),
        (VictimConfig("v", "edm"), True),
        (VictimConfig("v", "edm", options={"hash": "keyed"}), False),
        (VictimConfig("v", "am"), False),
        (VictimConfig("v", "ini"), False),
        (VictimConfig("v", "divqat"), False),
        (VictimConfig("v", "outlier_exposure"), False),
        (VictimConfig("v"), False),
        (VictimConfig("v", response="grad2,target=watermark"), True),
        (VictimConfig("v", response="grad2,target=random"), True),
        (VictimConfig("v", response="grad2"), False),
        (VictimConfig("v", response="top1"), False),
    ],
)
def test_who_has_something_to_hide(victim: VictimConfig, wanted: bool) -> None:
    assert resolve_victim(victim).uses_owner_key == wanted


def test_a_key_is_made_beside_the_run_for_its_owner_alone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    run, made = create_run(SECRET, tmp_path / "runs" / "mine", False, None, "")
    file = tmp_path / "runs" / "owner-keys" / "mine.key"
    assert made is not None
    assert made.resolve() == file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert read_owner_key(file).hash == run.config.owner == RunDirectory.open(run.path).config.owner
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    tracked = subprocess.run(["git", "ls-files"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "runs/mine/config.toml" in tracked
    assert "owner-keys" not in tracked
    # Both may be moved together.
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    moved = RunDirectory.open(tmp_path / "elsewhere" / "mine")
    assert key_words(moved, TEACHERS) == read_owner_key(tmp_path / "elsewhere/owner-keys/mine.key").words(TEACHERS)


def test_a_run_without_a_path_is_called_by_its_configuration_key_and_all(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    run, made = create_run(SECRET, None, False, None, "")
    assert run.path.name.endswith(f"-custom-{run.config.digest()}")
    assert made == Path("runs/owner-keys") / f"{run.path.name}.key"


def test_no_key_is_made_where_nothing_is_hidden(tmp_path: Path) -> None:
    plain = replace(SECRET, victims=SECRET.victims[:3])
    for config, owner in ((plain, ""), (OPEN, ""), (SECRET, "public")):
        run, made = create_run(config, tmp_path / f"run{config.name}{owner}", False, None, owner)
        assert made is None
        assert key_words(run, TEACHERS) == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runcustom", "runcustompublic", "rundemo"]


def test_a_run_that_takes_the_place_of_another_takes_its_key(tmp_path: Path) -> None:
    """A key that a device was made with is never overwritten."""
    first, file = create_run(SECRET, tmp_path / "run", False, None, "")
    with pytest.raises(UsageError, match="exists already"):
        create_run(SECRET, tmp_path / "run", False, None, "")
    second, again = create_run(SECRET, tmp_path / "run", True, None, "")
    assert (second.config.owner, again) == (first.config.owner, file)


def test_a_given_key_is_used_and_left_where_it_is(tmp_path: Path, key) -> None:
    file, owner = key
    run, made = create_run(OPEN, tmp_path / "run", False, None, str(file))
    assert made is None
    assert run.config.owner == owner.hash
    assert key_file(run) == file
    assert key_words(run, TEACHERS) == owner.words(TEACHERS) != owner.words(RESPONSE)
    assert victim_words(run, "misdirection", TEACHERS) == owner.words(TEACHERS)
    # Who hides nothing needs no key.
    file.unlink()
    assert victim_words(run, "cerberos", TEACHERS) == ()


def test_a_missing_or_another_key_is_named_with_what_to_do(tmp_path: Path, key) -> None:
    file, owner = key
    run = started(OPEN, tmp_path / "run", str(file))
    moved = file.rename(tmp_path / "moved.key")
    said = rf"owner key {owner.hash[:16]}\.\.\. is needed: cannot read the owner key {file}: No such file.*--owner FILE"
    with pytest.raises(EnvironmentProblem, match=said):
        key_words(run, TEACHERS)
    with pytest.raises(EnvironmentProblem, match=said):
        resume_with(run, "")
    write_owner_key(file, new_owner_key())
    with pytest.raises(
        EnvironmentProblem, match=rf"{file} is the owner key .*, not {owner.hash[:16]}.*--resume {run.path}"
    ):
        key_words(run, TEACHERS)
    with pytest.raises(
        EnvironmentProblem, match=f"not {owner.hash[:16]}.*name the one that {run.path} was started with"
    ):
        resume_with(run, str(file))
    resume_with(run, str(moved))
    assert key_words(RunDirectory.open(run.path), TEACHERS) == owner.words(TEACHERS)
    (run.path / "owner.json").unlink()
    with pytest.raises(EnvironmentProblem, match=f"nothing says where the owner key {owner.hash[:16]}"):
        key_words(run, TEACHERS)


def test_a_trained_run_is_taken_up_without_its_key(tmp_path: Path, key) -> None:
    file, _ = key
    run = started(OPEN, tmp_path / "run", str(file))
    file.unlink()
    write_json(run.victim("misdirection") / "training.json", {})
    resume_with(run, "")


def test_a_run_is_taken_up_as_it_was_started(tmp_path: Path, key) -> None:
    file, owner = key
    for path, config in ((tmp_path / "open", OPEN), (tmp_path / "plain", replace(SECRET, victims=SECRET.victims[:3]))):
        run = started(config, path)
        with pytest.raises(UsageError, match=f"{path} was started without an owner key"):
            resume_with(run, str(file))
        resume_with(run, "public")
    run = started(SECRET, tmp_path / "secret", str(file))
    with pytest.raises(UsageError, match=f"--owner public: .* was started with the owner key {owner.hash[:16]}"):
        resume_with(run, "public")


def test_a_configuration_with_a_hash_wants_that_key(tmp_path: Path, key) -> None:
    """The resolved configuration of a run, started anew."""
    file, owner = key
    config = replace(OPEN, owner=owner.hash)
    for given in ("", "public"):
        with pytest.raises(UsageError, match=f"made with the owner key {owner.hash[:16]}.*; give it: --owner FILE"):
            create_run(config, tmp_path / "run", False, None, given)
    other = tmp_path / "other.key"
    write_owner_key(other, new_owner_key())
    with pytest.raises(UsageError, match=f"other.key has the hash .*, the configuration {owner.hash[:16]}"):
        create_run(config, tmp_path / "run", False, None, str(other))
    assert not (tmp_path / "run").exists()
    assert started(config, tmp_path / "run", str(file)).config.owner == owner.hash


def test_all_seeds_of_a_matrix_have_one_key(tmp_path: Path, key) -> None:
    file, owner = key
    config = replace(OPEN, bench=replace(OPEN.bench, victim_seeds=(1, 2)))
    runs = seed_runs(started(config, tmp_path / "run", str(file)))
    assert [key_words(run, TEACHERS) for run in runs] == [owner.words(TEACHERS)] * 2
    resume_with(runs[0], str(file.rename(tmp_path / "moved.key")))
    assert [key_words(run, TEACHERS) for run in runs] == [owner.words(TEACHERS)] * 2
