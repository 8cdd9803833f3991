"""The device's secret: made once, kept in a file that only its owner can read, never printed."""

import secrets
from pathlib import Path

from tinycerb.answers.keyed_selection import SECRET_BYTES
from tinycerb.errors import UsageError
from tinycerb.secret_file import looks_like, read_secret_text, write_secret


def make_secret(path: Path, replace: bool = False) -> None:
    """Writes a new secret, 32 hexadecimal digits; errors as `write_secret`."""
    write_secret(path, secrets.token_hex(SECRET_BYTES) + "\n", replace)


def read_secret(path: Path) -> bytes:
    """Reads a secret.

    Raises:
        UsageError: no such file, or something else is in it; its content is never part of the message.
    """
    text = read_secret_text(path, "key")
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        found = f"is {looks_like(text)}, no device's secret" if looks_like(text) else "is not hexadecimal"
        raise UsageError(f"the key {path} {found}; make one with: tinycerb keygen FILE") from None
    if len(secret) != SECRET_BYTES:
        raise UsageError(
            f"the key {path}: the secret has {len(secret)} bytes; expected {SECRET_BYTES} "
            f"({2 * SECRET_BYTES} hexadecimal digits)"
        )
    return secret
