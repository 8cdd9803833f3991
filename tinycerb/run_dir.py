"""A run directory: the configuration, every artefact and every figure of one run."""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tinycerb import __version__
from tinycerb.atomic import describe_os_error, make_directory, read_json, write_json, write_text
from tinycerb.config import Config, parse_config
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.side_file import read_side_file

_PACKAGES = (
    "tensorflow",
    "tf-keras",
    "tensorflow-model-optimization",
    "numpy",
    "tflite-runtime",
    "tflite-micro",
    "matplotlib",
)


class RunDirectory:
    """Paths inside a run, and its configuration."""

    def __init__(self, path: Path, config: Config) -> None:
        """Wraps a directory that exists; use `create` or `open`."""
        self.path = path
        self.config = config

    @classmethod
    def create(
        cls, config: Config, path: Path | None, force: bool, inputs: Mapping[str, Any] | None = None
    ) -> "RunDirectory":
        """Makes a new run directory with its resolved configuration.

        Args:
            config: what the run does.
            path: where; by default `runs/<utc>-<name>-<hash8>` below the current directory.
            force: whether an older run at that path may be deleted.
            inputs: what the user has brought along and its digests, for `env.json`.

        Raises:
            UsageError: something is there already.
            EnvironmentProblem: it cannot be written.
        """
        if path is None:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            path = Path("runs") / f"{stamp}-{config.name}-{config.digest()}"
        try:
            occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
            if occupied and force and (path / "config.toml").is_file():
                # Under the lock: nobody deletes a run that another process is working on.
                with cls.open(path).locked():
                    shutil.rmtree(path)
                occupied = False
        except OSError as error:
            raise describe_os_error(path, error) from error
        if occupied:
            remedy = "go on with it by --resume, start anew with --force, or choose another --out"
            if not (path / "config.toml").is_file():
                remedy = "it is no run of TinyCerb's, so --force will not delete it; choose another --out"
            raise UsageError(f"{path} exists already; {remedy}")
        make_directory(path)
        write_json(path / "env.json", {**_environment(config), "inputs": dict(inputs or {})})
        write_text(path / "config.toml", config.to_toml())
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Opens an existing run.

        Raises:
            UsageError: there is no run at that path, or its configuration is damaged.
        """
        try:
            text = (path / "config.toml").read_text()
        except (OSError, UnicodeDecodeError) as error:
            found = sorted(str(entry.parent) for entry in Path("runs").glob("*/config.toml"))
            hint = f"; runs here: {', '.join(found[-3:])}" if found else "; start one with: tinycerb run demo"
            raise UsageError(f"{path} is no run directory (no readable config.toml){hint}") from error
        return cls(path, parse_config(text, str(path / "config.toml")))

    def victim(self, name: str) -> Path:
        """Returns a victim's folder."""
        return self.path / "victims" / name

    def fitted_config(self, name: str) -> Config:
        """Returns the configuration with the channel ratio that a victim's budget in bytes has come to, if it has one.

        Raises:
            EnvironmentProblem: the search for it is not done, or its file is damaged.
        """
        if not self.config.victim(name).has_budget:
            return self.config
        ratio = read_json(self.victim(name) / "budget.json")["channel_ratio"]
        victims = (replace(v, channel_ratio=ratio) if v.name == name else v for v in self.config.victims)
        return replace(self.config, victims=tuple(victims))

    def dense(self, name: str) -> Path:
        """Returns the folder of the dense training that the victim `name`, and others like it, go on from."""
        return self.path / "dense" / name

    def model(self, name: str) -> Path:
        """Returns a victim's converted file."""
        return self.victim(name) / "model.tflite"

    def model_sha256(self, name: str) -> str:
        """Returns the SHA-256 of a victim's converted file, as it lies there now.

        Raises:
            EnvironmentProblem: the file is missing, or is not the one that `model.json` describes.
        """
        try:
            found = hashlib.sha256(self.model(name).read_bytes()).hexdigest()
        except OSError as error:
            raise EnvironmentProblem(f"cannot read {self.model(name)}: {error.strerror}") from error
        described = self.victim(name) / "model.json"
        if found != read_side_file(described)["sha256"]:
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
        return self.path / "metrics.json"

    @property
    def latency(self) -> Path:
        """Latency of all victims, measured together."""
        return self.path / "latency.json"

    @property
    def costs(self) -> Path:
        """What `tinycerb bench cost` has measured."""
        return self.path / "costs.json"

    @property
    def report(self) -> Path:
        """The PDF."""
        return self.path / "report.pdf"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from working on this run at the same time.

        Raises:
            EnvironmentProblem: one does, or the directory cannot be written.
        """
        try:
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise describe_os_error(self.path / ".lock", error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise EnvironmentProblem(
                    f"another tinycerb is working on {self.path}; wait for it to end, then use --resume"
                ) from error
            yield


def package_versions() -> dict[str, str]:
    """Returns the installed version of each package that matters, without importing any of them."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _environment(config: Config) -> dict:
    return {
        "schema_version": 1,
        "tinycerb": __version__,
        "created_utc": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "command": " ".join(["tinycerb", *sys.argv[1:]]),
        "seed": config.seed,
        "config_sha256_prefix": config.digest(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": package_versions(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
