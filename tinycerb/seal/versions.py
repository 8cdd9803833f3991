"""Under which versions, and on which processor, an artefact is made."""

import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tinycerb import __version__

_PACKAGES = (
    "tensorflow",
    "tf-keras",
    "tensorflow-model-optimization",
    "numpy",
    "tflite-runtime",
    "tflite-micro",
    "matplotlib",
)
_KEY_DIGITS = 12


def package_versions() -> dict[str, str]:
    """Returns the installed version of each package that matters, without importing any of them."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def processor() -> str:
    """Returns the processor's name: floats may differ between two of them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@cache
def versions_now() -> Mapping[str, str]:
    """Returns TinyCerb's own version, Python's, the packages' and the processor, by name."""
    return {
        "tinycerb": __version__,
        "python": platform.python_version(),
        **package_versions(),
        "processor": processor(),
    }


def versions_of(environment: Mapping[str, object]) -> dict[str, str]:
    """Returns the same of an `env.json`; what it does not say is left out."""
    packages = environment.get("packages")
    found = {**environment, **(packages if isinstance(packages, dict) else {})}
    return {name: str(found[name]) for name in versions_now() if name in found}


def key_of(versions: Mapping[str, str]) -> str:
    """Returns the hexadecimal digits that name a set of versions."""
    return hashlib.sha256(json.dumps(dict(versions), sort_keys=True).encode()).hexdigest()[:_KEY_DIGITS]


def differences(first: Mapping[str, str], second: Mapping[str, str], word: str = "now") -> list[str]:
    """Returns `numpy 1.26.3 (now 1.26.4)` for everything that is another one in the second set."""
    return [
        f"{name} {found} ({word} {second.get(name, 'not installed')})"
        for name, found in first.items()
        if found != second.get(name, "not installed")
    ]
