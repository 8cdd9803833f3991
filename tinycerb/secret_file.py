"""Secrets in files: made once, readable by their owner alone, out of git's reach, never printed."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tinycerb.atomic import describe_os_error
from tinycerb.bounded.files import read_text
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import UsageError

# How an owner key's file begins; a device's secret is 32 hexadecimal digits and nothing else.
OWNER_KEY_MARK = "tinycerb-owner-key-1:"
_MOST_BYTES = 1024
_DEVICE_SECRET = re.compile(r"[0-9a-fA-F]{32}")


def write_secret(path: Path, text: str, replace: bool = False) -> None:
    """Writes a secret with mode 600, whole or not at all.

    Args:
        path: the file.
        text: what goes into it.
        replace: whether a file that is there may be replaced.

    Raises:
        UsageError: the file is there, its folder is not, or git would track it.
        EnvironmentProblem: it cannot be written.
    """
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; make it first: mkdir -p {path.parent}")
    if (os.path.lexists(path) and not replace) or path.is_dir():
        raise UsageError(
            f"{path} is there, and a lost secret cannot be made again; name another file, or replace it with --force"
        )
    _keep_out_of_git(path)
    temporary: str | None = None
    try:
        # mkstemp gives mode 600 from the first moment.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        raise describe_os_error(path, error) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def read_secret_text(path: Path, kind: str) -> str:
    """Reads what stands in a secret's file, without white space around it; "-" for what is no text.

    Args:
        path: the file.
        kind: what it is to be, for the message.

    Raises:
        UsageError: no such file.
    """
    try:
        return read_text(path, _MOST_BYTES).strip()
    except OSError as error:
        raise UsageError(f"cannot read the {kind} {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        return "-"


def looks_like(text: str) -> str:
    """Returns what kind of secret a text looks like, to be told without telling the secret; "" for none."""
    if text.startswith(OWNER_KEY_MARK):
        return "an owner key (tinycerb ownership new)"
    return "a device's secret (tinycerb keygen)" if _DEVICE_SECRET.fullmatch(text) else ""


def others_can_read(path: Path) -> bool:
    """Returns whether a secret's mode lets others read it."""
    return bool(path.stat().st_mode & 0o077)


def _keep_out_of_git(path: Path) -> None:
    folder = path.parent.resolve()
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return
    rules = folder / ".gitignore"
    if rules.is_file() and rules.read_text().split() == ["*"]:
        return
    git = shutil.which("git")
    if git is not None:
        command = die_with_parent([git, "-C", str(folder), "check-ignore", "--quiet", "--", path.name])
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
    raise UsageError(
        f"{path} is inside a git work tree that does not ignore it: one `git add` would publish the secret; name "
        f"a file outside, for example ~/{path.name}, or add it to .gitignore"
    )
