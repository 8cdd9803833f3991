"""The device's secret: made once, kept in a file that only its owner can read, never printed."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from tinycerb.answers.keyed_selection import SECRET_BYTES
from tinycerb.atomic import describe_os_error
from tinycerb.errors import UsageError


def make_secret(path: Path, replace: bool = False) -> None:
    """Writes a new secret, 32 hexadecimal digits.

    Args:
        path: the file; made with mode 600.
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
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise describe_os_error(path, error) from error


def read_secret(path: Path) -> bytes:
    """Reads a secret.

    Raises:
        UsageError: no such file, or something else is in it; its content is never part of the message.
    """
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise UsageError(f"cannot read the key {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        text = "-"
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"the key {path} is not hexadecimal; make one with: tinycerb keygen FILE") from None
    if len(secret) != SECRET_BYTES:
        raise UsageError(
            f"the key {path}: the secret has {len(secret)} bytes; expected {SECRET_BYTES} "
            f"({2 * SECRET_BYTES} hexadecimal digits)"
        )
    return secret


def others_can_read(path: Path) -> bool:
    """Returns whether a key file's mode lets others read it."""
    return bool(path.stat().st_mode & 0o077)


def _keep_out_of_git(path: Path) -> None:
    folder = path.parent.resolve()
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return
    git = shutil.which("git")
    if git is not None:
        command = [git, "-C", str(folder), "check-ignore", "--quiet", "--", path.name]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
    raise UsageError(
        f"{path} is inside a git work tree that does not ignore it: one `git add` would publish the secret; name "
        f"a file outside, for example ~/{path.name}, or add it to .gitignore"
    )
