"""The command that installs what is missing. It depends on how TinyCerb itself came here: a checkout or a wheel."""

import importlib.util
import os
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from tinycerb.errors import EnvironmentProblem

# Modules that are not called like the package that brings them.
_BROUGHT_BY = {"serial": "pyserial", "elftools": "pyelftools", "PIL": "pillow"}
# One without the others is of no use.
_TRAINING = ("tensorflow", "tf-keras", "tensorflow-model-optimization")
# They pull in the newest NumPy that they can have, under which tflite-runtime imports and then fails.
_WANT_NUMPY = ("tensorflow", "tf-", "tflite", "ai-edge", "animal-mnist")
# Not in TinyCerb's metadata: it asks for packages that it does not need to be read.
_ALONE = {"animal-mnist": "animal-mnist==0.4"}
_CHECKOUT = Path(__file__).parents[2]


def distribution_of(module: str) -> str | None:
    """Returns the package that brings a top-level module, or None for one that TinyCerb knows nothing of."""
    name = _BROUGHT_BY.get(module, module.replace("_", "-").lower())
    return name if name in {**_requirements(), **_ALONE} else None


def install_command(*distributions: str) -> str:
    """Returns what to type to have these packages for the Python that runs now, in the versions that TinyCerb pins."""
    if _is_half_made() and not set(distributions) - _made_by_make():
        return "make install" if Path.cwd() == _CHECKOUT else f"make -C {shlex.quote(str(_CHECKOUT))} install"
    wanted = _TRAINING if set(distributions) & set(_TRAINING) else distributions
    pins = {**_requirements(), **_ALONE}
    alone = ["--no-deps"] if set(wanted) <= set(_ALONE) else []
    texts = [pins.get(name, name) for name in wanted]
    if not alone and "numpy" not in wanted and any(name.startswith(_WANT_NUMPY) for name in wanted):
        texts.append(pins.get("numpy", "numpy<2"))
    return shlex.join([*_pip(), *alone, *texts])


def reinstall_command(distribution: str) -> str:
    """Returns what to type to have a damaged package anew."""
    pin = {**_requirements(), **_ALONE}.get(distribution, distribution)
    return shlex.join([*_pip(), "--force-reinstall", "--no-deps", pin])


def python_command() -> str:
    """Returns how the Python that runs now is called: `python` where that is the same one, else its path."""
    found = shutil.which("python")
    same = found is not None and Path(found).parent == Path(sys.executable).parent
    return "python" if same else sys.executable


def system_command(*packages: str) -> str:
    """Returns what to type to have packages of the system, by Debian's names for them."""
    if shutil.which("apt-get") is None:
        return f"your system's package manager; Debian calls it {' '.join(packages)}"
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install -y {' '.join(packages)}"


def require_modules(modules: Iterable[str], purpose: str) -> None:
    """Refuses work whose packages are not there, before it leaves anything behind.

    Args:
        modules: top-level modules; none is imported.
        purpose: what needs them, for the message.

    Raises:
        EnvironmentProblem: one is missing.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        names = [distribution_of(module) or module for module in missing]
        raise EnvironmentProblem(
            f"{purpose} needs {', '.join(names)}, not installed; install with: {install_command(*names)}"
        )


def require_training(purpose: str) -> None:
    """As `require_modules`, for what trains and converts networks."""
    require_modules(("tensorflow", "tf_keras", "tensorflow_model_optimization"), purpose)


def _pip() -> list[str]:
    # Not through sys.meta_path: setuptools listens there for pip, and takes distutils away from whoever has loaded it.
    if PathFinder.find_spec("pip") is None and shutil.which("uv"):
        return ["uv", "pip", "install", "--python", sys.executable]
    return [python_command(), "-m", "pip", "install"]


def _is_half_made() -> bool:
    """Whether `make` makes the environment of the Python that runs now and has not come to its end: it goes on."""
    made = Path(sys.prefix) == _CHECKOUT / ".venv" and (_CHECKOUT / "Makefile").is_file()
    return made and not (_CHECKOUT / ".venv" / ".runtime-installed").exists()


def _made_by_make() -> set[str]:
    """What `make install` installs."""
    locks = [_CHECKOUT / "requirements" / name for name in ("runtime.lock", "data.lock")]
    return {name for lock in locks for name in re.findall(r"^([a-z0-9._-]+)==", lock.read_text(), re.MULTILINE)}


def _requirements() -> dict[str, str]:
    """Every package that TinyCerb can use, with its pin: from the checkout, or from what the wheel says."""
    project = _CHECKOUT / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text())["project"]
        texts = [*table["dependencies"], *(text for extra in table["optional-dependencies"].values() for text in extra)]
    else:
        # It takes a tenth of a second to import.
        from importlib.metadata import PackageNotFoundError, requires

        try:
            texts = requires("tinycerb") or []
        except PackageNotFoundError:
            texts = []
    pins = (text.partition(";")[0].strip() for text in texts)
    return {re.split(r"[^A-Za-z0-9._-]", pin, maxsplit=1)[0]: pin for pin in pins}
