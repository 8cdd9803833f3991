"""The owner key: 32 random bytes that a defence's random teachers come from, and their hash, which may stand anywhere.

It never comes near a device; what devices hold is the device's secret (`tinycerb.boards.secret`).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.secret_file import OWNER_KEY_MARK, looks_like, others_can_read, read_secret_text, write_secret

_BYTES = 32
_CONTENT = re.compile(rf"{re.escape(OWNER_KEY_MARK)}([0-9a-f]{{{2 * _BYTES}}})")
MAKE = "make one with: tinycerb ownership new FILE"


@dataclass(frozen=True)
class OwnerKey:
    """An owner key.

    Attributes:
        content: the secret, 32 bytes; never part of a message, a log or an artefact.
    """

    content: bytes = field(repr=False)

    @property
    def hash(self) -> str:
        """SHA-256 of the key behind a label of its own, 64 hexadecimal digits: all that is told of a key."""
        return hashlib.sha256(b"tinycerb owner key 1\0" + self.content).hexdigest()

    def words(self, purpose: str) -> tuple[int, ...]:
        """Returns eight numbers of 32 bits to seed generators with; other purposes get unrelated ones.

        HMAC-SHA-256 of the purpose under the key: whoever learns the words of one purpose learns neither the key nor
        the words of another.
        """
        derived = hmac.digest(self.content, f"tinycerb {purpose} 1".encode(), "sha256")
        return tuple(int.from_bytes(derived[start : start + 4], "little") for start in range(0, len(derived), 4))


def new_owner_key() -> OwnerKey:
    """Draws a key."""
    return OwnerKey(secrets.token_bytes(_BYTES))


def write_owner_key(path: Path, key: OwnerKey, replace: bool = False) -> None:
    """Writes a key with mode 600; errors as `write_secret`."""
    write_secret(path, f"{OWNER_KEY_MARK}{key.content.hex()}\n", replace)


def read_owner_key(path: Path) -> OwnerKey:
    """Reads a key.

    Raises:
        UsageError: no such file, or something else is in it; its content is never part of the message.
        EnvironmentProblem: others can read it.
    """
    text = read_secret_text(path, "owner key")
    found = _CONTENT.fullmatch(text)
    if found is None:
        kind = looks_like(text)
        if text.startswith(OWNER_KEY_MARK):
            wrong = f"is damaged: expected {2 * _BYTES} hexadecimal digits after {OWNER_KEY_MARK!r}"
        else:
            wrong = f"is {kind}, no owner key" if kind else "holds no owner key"
        raise UsageError(f"the file {path} {wrong}; {MAKE}")
    if others_can_read(path):
        raise EnvironmentProblem(f"others can read the owner key {path}; mend it with: chmod 600 {path}")
    return OwnerKey(bytes.fromhex(found[1]))
