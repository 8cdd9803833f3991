"""A run directory: the configuration, every artefact and every figure of one run."""

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from tinycerb import __version__
from tinycerb import file_names as names
from tinycerb.atomic import describe_os_error, make_directory, pack_json
from tinycerb.config import Config, parse_config
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.plugins import Plugin, loaded_plugins, plugin_name, require_plugins
from tinycerb.run.victim import RunVictim, victims_of
from tinycerb.run.victim_files import VictimFiles
from tinycerb.runtimes.model_json import read_model_json
from tinycerb.seal.files import Damaged, manifest_in, read_bytes, read_json, read_text, write_into
from tinycerb.seal.manifest import NAME as MANIFEST
from tinycerb.seal.manifest import Manifest
from tinycerb.seal.versions import package_versions, processor, versions_of

# What a run has before its configuration, which makes it one.
_BEGINNINGS = (names.ENVIRONMENT, MANIFEST, names.PLUGINS, ".lock")
# Of a plugin's SHA-256, in the name of the folder that keeps it.
_DIGITS = 12
# What is computed and rendered from the rest.
_FOLLOWING = (names.METRICS, names.REPORT, names.MODEL_CARD, names.RESULTS, names.RESULTS_PAGE)


class RunDirectory:
    """Paths inside a run, and its configuration."""

    def __init__(self, path: Path, config: Config) -> None:
        """Wraps a directory that exists; use `create` or `open`."""
        self.path = path
        self.config = config

    @classmethod
    def create(
        cls, config: Config, path: Path, force: bool, inputs: Mapping[str, object] | None = None
    ) -> "RunDirectory":
        """Makes a new run directory with its resolved configuration.

        Args:
            config: what the run does.
            path: where.
            force: whether an older run at that path may be deleted.
            inputs: what the user has brought along and its digests, for `env.json`.

        Raises:
            UsageError: something is there already.
            EnvironmentProblem: it cannot be written.
        """
        cls.make_room(path, force)
        make_directory(path)
        with locked(path):
            manifest = Manifest.create(path.absolute())
            plugins = plugins_of(config)
            environment = {**_environment(config), "inputs": dict(inputs or {})}
            environment["plugins"] = {plugin.name: plugin.sha256 for plugin in plugins}
            write_into(manifest, path / names.ENVIRONMENT, pack_json(environment))
            for plugin in plugins:
                for name, content in plugin.files.items():
                    write_into(manifest, plugin_folder(path, plugin) / name, content)
            write_into(manifest, path / names.CONFIG, config.to_toml().encode())
        return cls(path, config)

    @staticmethod
    def default_path(config: Config) -> Path:
        """Returns `runs/<utc>-<name>-<hash8>`, below the current directory."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return Path("runs") / f"{stamp}-{config.name}-{config.digest()}"

    @classmethod
    def make_room(cls, path: Path, force: bool) -> None:
        """Deletes an older run where that is wanted.

        Raises:
            UsageError: something is there that may not be deleted.
            EnvironmentProblem: it cannot be deleted.
        """
        try:
            occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
            if occupied and ((force and (path / names.CONFIG).is_file()) or _is_half_made(path)):
                # Under the lock: nobody deletes a run that another process is working on.
                with locked(path):
                    shutil.rmtree(path)
                occupied = False
        except OSError as error:
            raise describe_os_error(path, error) from error
        if occupied:
            remedy = "go on with it by --resume, start anew with --force, or choose another --out"
            if not (path / names.CONFIG).is_file():
                remedy = "it is no run of TinyCerb's, so --force will not delete it; choose another --out"
            raise UsageError(f"{path} exists already; {remedy}")

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Opens an existing run.

        Raises:
            UsageError: there is no run at that path, or its configuration makes no sense.
            NotLoaded: it names plugins that are not loaded.
            EnvironmentProblem: its configuration is not the one that it was made with, or its manifest is lost.
        """
        try:
            text = read_text(path / names.CONFIG)
        except Damaged:
            raise
        except EnvironmentProblem as error:
            found = sorted(str(entry.parent) for entry in Path("runs").glob(f"*/{names.CONFIG}"))
            hint = f"; runs here: {', '.join(found[-3:])}" if found else "; start one with: tinycerb run demo"
            raise UsageError(f"{path} is no run directory (no readable config.toml){hint}") from error
        run = cls(path, parse_config(text, str(path / names.CONFIG)))
        require_plugins(run.config.plugins, f"the run {path}", path)
        if (
            not run.has_seal
            and (path / names.ENVIRONMENT).is_file()
            and "manifest" in read_json(path / names.ENVIRONMENT)
        ):
            raise EnvironmentProblem(
                f"{path} has lost its {MANIFEST}, or its first line: bring it back, or take the run as it lies there: "
                f"tinycerb check {path} --seal"
            )
        return run

    @property
    def has_seal(self) -> bool:
        """Whether it has a manifest that its artefacts are compared with; those of older versions have none."""
        return manifest_in(self.path) is not None

    def versions(self) -> list[dict[str, str]]:
        """Returns the sets of versions that have made what is there, the one of the start first.

        Figures and pages, which follow from the rest, are not looked at.

        Raises:
            EnvironmentProblem: `env.json` is damaged.
        """
        environment = self.path / names.ENVIRONMENT
        found = [versions_of(read_json(environment))] if environment.is_file() else []
        manifest = manifest_in(self.path)
        if manifest is not None:
            manifest.refresh()
            made = [entry for name, entry in manifest.entries.items() if entry.sha256 and name not in _FOLLOWING]
            keys = dict.fromkeys(entry.made_by for entry in made)
            found += [manifest.versions[key] for key in keys if key in manifest.versions]
        return [each for index, each in enumerate(found) if each not in found[:index]]

    def adopted_files(self) -> list[str]:
        """Returns the artefacts that were taken into the manifest afterwards, instead of when they were made."""
        manifest = manifest_in(self.path)
        if manifest is None:
            return []
        manifest.refresh()
        return [entry.file for entry in manifest.entries.values() if entry.adopted and entry.sha256]

    def victim(self, name: str) -> Path:
        """Returns a victim's folder."""
        return self.path / "victims" / name

    @cached_property
    def victims(self) -> Mapping[str, RunVictim]:
        """All victims by name, with what their names stand for and where their files lie.

        Raises:
            UsageError: an unknown name, a value out of range, or parts that do not fit each other.
        """
        found = victims_of(self.config)
        return {name: RunVictim(**vars(victim), files=VictimFiles(self.victim(name))) for name, victim in found.items()}

    def fitted_victim(self, name: str) -> RunVictim:
        """Returns a victim with the channel ratio that its budget in bytes has come to, if it has one.

        Raises:
            EnvironmentProblem: the search for it is not done, or its file is damaged.
        """
        victim = self.victims[name]
        if not victim.config.has_budget:
            return victim
        ratio = read_json(victim.files.budget)["channel_ratio"]
        return replace(victim, config=replace(victim.config, channel_ratio=ratio))

    def dense(self, name: str) -> Path:
        """Returns the folder of the dense training that the victim `name`, and others like it, go on from."""
        return self.path / "dense" / name

    @property
    def teacher(self) -> Path:
        """Returns the folder of the network that victims learn from, in runs that have one."""
        return self.path / "teacher"

    def model(self, name: str) -> Path:
        """Returns a victim's converted file."""
        return self.victim(name) / names.MODEL

    def model_sha256(self, name: str) -> str:
        """Returns the SHA-256 of a victim's converted file, as it lies there now.

        Raises:
            EnvironmentProblem: the file is missing, or is not the one that `model.json` describes.
        """
        found = hashlib.sha256(read_bytes(self.model(name))).hexdigest()
        described = self.victim(name) / names.MODEL_JSON
        if found != read_model_json(described).sha256:
            raise EnvironmentProblem(
                f"{self.model(name)} is damaged or was exchanged: it is not the file that model.json describes; "
                f"make it again: rm {described}; tinycerb convert {self.path}"
            )
        return found

    def cell(self, digest: str) -> Path:
        """Returns a bench cell's file."""
        return self.path / "cells" / f"{digest}.json"

    def log(self, task: str) -> Path:
        """Returns a task's log file."""
        return self.path / "log" / f"{task.replace('/', '-')}.txt"

    @property
    def metrics(self) -> Path:
        """All figures of the run."""
        return self.path / names.METRICS

    @property
    def latency(self) -> Path:
        """Latency of all victims, measured together."""
        return self.path / names.LATENCY

    @property
    def costs(self) -> Path:
        """What `tinycerb bench cost` has measured."""
        return self.path / names.COSTS

    @property
    def report(self) -> Path:
        """The PDF."""
        return self.path / names.REPORT

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from working on this run at the same time.

        Raises:
            EnvironmentProblem: one does, or the directory cannot be written.
        """
        with locked(self.path):
            yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from working on the run at `path`; errors as `RunDirectory.locked`."""
    try:
        lock = (path / ".lock").open("w")
    except OSError as error:
        problem = describe_os_error(path / ".lock", error)
        raise EnvironmentProblem(f"{problem}, or make it possible to write there and use --resume {path}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnvironmentProblem(
                f"another tinycerb is working on {path}; wait for it to end, then use --resume"
            ) from error
        yield


def plugins_of(config: Config) -> list[Plugin]:
    """Returns the plugins that a configuration names, of those that are loaded."""
    wanted = {plugin_name(each) for each in config.plugins}
    return [plugin for plugin in loaded_plugins() if plugin.name in wanted]


def plugin_folder(run: Path, plugin: Plugin) -> Path:
    """Returns where a run keeps the files of a plugin."""
    return run / names.PLUGINS / plugin.sha256[:_DIGITS]


def _is_half_made(path: Path) -> bool:
    """Whether a process was killed while it made a run there, before the configuration."""
    found = [entry.name for entry in path.iterdir()] if path.is_dir() else []
    parts = [
        name
        for name in found
        if name.endswith(".part") and name.startswith((f".{names.ENVIRONMENT}.", f".{MANIFEST}.", f".{names.CONFIG}."))
    ]
    if not found or set(found) - {*_BEGINNINGS, *parts}:
        return False
    try:
        # Somebody else's env.json is somebody else's.
        return names.ENVIRONMENT not in found or "config_sha256_prefix" in read_json(path / names.ENVIRONMENT)
    except EnvironmentProblem:
        return False


def _environment(config: Config) -> dict:
    return {
        "schema_version": 1,
        "tinycerb": __version__,
        "created_utc": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "command": _command(),
        "seed": config.seed,
        "config_sha256_prefix": config.digest(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "packages": package_versions(),
        # From now on a run without its manifest has lost it.
        "manifest": MANIFEST,
    }


def _command() -> str:
    """The command that makes a run; a program's or a notebook's own command line says nothing of it."""
    program = Path(sys.argv[0])
    is_ours = program.name == "tinycerb" or program == Path(__file__).parents[1] / "__main__.py"
    return shlex.join(["tinycerb", *sys.argv[1:]]) if is_ours else "tinycerb.train(...)"
