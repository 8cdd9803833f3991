"""A run's owner key: settled when the run starts, found again by whoever works on it, never inside the run itself."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tinycerb.atomic import describe_os_error, make_directory
from tinycerb.config import Config
from tinycerb.config.user_sources import PUBLIC
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.file_names import CANDIDATES, OWNER
from tinycerb.ownership.owner_key import OwnerKey, new_owner_key, read_owner_key, write_owner_key
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import victims_of
from tinycerb.seal.files import read_json, write_json, write_text

# Beside runs: the keys that were made for them.
FOLDER = "owner-keys"
# What words of a key are for.
TEACHERS, RESPONSE = "teachers", "response"
_SHOWN = 16


def create_run(
    config: Config, out: Path | None, force: bool, inputs: Mapping[str, object] | None, owner: str
) -> tuple[RunDirectory, Path | None]:
    """Makes a run directory whose owner is settled.

    Args:
        config: what the run does.
        out: where; None for `RunDirectory.default_path`.
        force: whether an older run there may be deleted.
        inputs: what the user has brought along; see `RunDirectory.create`.
        owner: a key's file, `public`, or empty for what the configuration says. Where that is nothing, a key is made
            beside the run if a victim wants one; one that was made for an earlier run of that name is taken again.

    Returns:
        The run, and the file of a key that nobody has named.

    Raises:
        UsageError: something is there already, or the configuration was made with another key.
        EnvironmentProblem: the key cannot be read, or something cannot be written.
    """

    def create(config: Config) -> RunDirectory:
        return RunDirectory.create(config, out or RunDirectory.default_path(config), force, inputs)

    stated = config.owner not in ("", PUBLIC)
    if stated and owner in ("", PUBLIC):
        raise UsageError(f"the configuration was made with the owner key {short(config.owner)}; give it: --owner FILE")
    if PUBLIC in (owner, owner or config.owner):
        return create(replace(config, owner=PUBLIC)), None
    if owner:
        key = read_owner_key(Path(owner).expanduser())
        if stated and key.hash != config.owner:
            raise UsageError(f"--owner {owner} has the hash {short(key.hash)}, the configuration {short(config.owner)}")
        run = create(replace(config, owner=key.hash))
        record_key(run, Path(owner))
        return run, None
    if not any(victim.uses_owner_key for victim in victims_of(config).values()):
        return create(config), None
    if out is None:
        key = new_owner_key()
        out = RunDirectory.default_path(replace(config, owner=key.hash))
        file = _beside(out)
        _keep(key, file)
    else:
        RunDirectory.make_room(out, force)
        file = _beside(out)
        if not file.exists():
            _keep(new_owner_key(), file)
        key = read_owner_key(file)
    run = create(replace(config, owner=key.hash))
    # Counted from the run: both may be moved together.
    write_json(run.path / OWNER, _record(key.hash, os.path.relpath(file, run.path.absolute())))
    return run, Path(os.path.relpath(file))


def resume_with(run: RunDirectory, owner: str) -> None:
    """Takes a run up again: `owner` says where its key is now, or is empty for where it was.

    Raises:
        UsageError: the run was started otherwise.
        EnvironmentProblem: the run still needs its key, and it is not there.
    """
    has_key = run.config.owner not in ("", PUBLIC)
    if owner and (owner != PUBLIC) != has_key:
        started = f"with the owner key {short(run.config.owner)}" if has_key else "without an owner key"
        raise UsageError(f"--owner {owner}: {run.path} was started {started}")
    if owner and has_key:
        record_key(run, Path(owner))
    elif any(not victim.files.training.exists() for victim in run.victims.values() if victim.uses_owner_key):
        key_words(run, TEACHERS)


def record_key(run: RunDirectory, file: Path) -> None:
    """Notes where a run's key is; errors as `open_key`."""
    found = open_key(file.expanduser(), run.config.owner, f"name the one that {run.path} was started with")
    write_json(run.path / OWNER, _record(found.hash, str(file.expanduser().absolute())))


def key_file(run: RunDirectory) -> Path | None:
    """Returns where a run's key is said to be, in the run or in the one that it is a part of; None if nowhere."""
    folders = [run.path]
    while folders[-1].parent.name in ("seeds", CANDIDATES):
        folders.append(folders[-1].parent.parent)
    for folder in folders:
        if (folder / OWNER).exists():
            return Path(os.path.normpath(folder.absolute() / read_json(folder / OWNER)["key_file"]))
    return None


def key_words(run: RunDirectory, purpose: str) -> tuple[int, ...]:
    """Returns what generators of secrets are seeded with beside the run's seed; nothing for a public owner.

    Args:
        run: the run.
        purpose: see `OwnerKey.words`.

    Raises:
        EnvironmentProblem: the run's key is not where it was, or another one is there.
    """
    # Empty: no victim of the run wanted a key when it started, or there were no keys yet.
    if run.config.owner in ("", PUBLIC):
        return ()
    return open_key(key_file(run), run.config.owner, remedy(run)).words(purpose)


def victim_words(run: RunDirectory, victim: str, purpose: str) -> tuple[int, ...]:
    """As `key_words`, for what is made for one victim: nothing is read where nothing is used."""
    return key_words(run, purpose) if run.victims[victim].uses_owner_key else ()


def open_key(file: Path | None, wanted: str, what_to_do: str) -> OwnerKey:
    """Reads the key that has a hash.

    Args:
        file: where it is said to be, None if nothing is said.
        wanted: its hash.
        what_to_do: ends the message of an error.

    Raises:
        EnvironmentProblem: there is none, others can read it, or it is another one.
    """
    if file is None:
        raise EnvironmentProblem(f"nothing says where the owner key {short(wanted)} is; {what_to_do}")
    try:
        key = read_owner_key(file)
    except TinyCerbError as error:
        raise EnvironmentProblem(f"the owner key {short(wanted)} is needed: {error}; {what_to_do}") from error
    if key.hash != wanted:
        raise EnvironmentProblem(f"{file} is the owner key {short(key.hash)}, not {short(wanted)}; {what_to_do}")
    return key


def remedy(run: RunDirectory) -> str:
    """What to do about a key that is not where it was."""
    return f"say where it is: tinycerb run --resume {run.path} --owner FILE"


def short(digest: str) -> str:
    """The beginning of a hash, for people."""
    return f"{digest[:_SHOWN]}..."


def _record(digest: str, file: str) -> dict[str, object]:
    return {"schema_version": 1, "owner_key_sha256": digest, "key_file": file}


def _beside(run: Path) -> Path:
    return run.absolute().parent / FOLDER / f"{run.absolute().name}.key"


def _keep(key: OwnerKey, file: Path) -> None:
    """Writes a key into a folder that is its owner's alone and that git never tracks."""
    make_directory(file.parent)
    try:
        file.parent.chmod(0o700)
    except OSError as error:
        raise describe_os_error(file.parent, error) from error
    write_text(file.parent / ".gitignore", "*\n")
    write_owner_key(file, key)
