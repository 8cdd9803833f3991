"""Which plugins the user of this machine has agreed to run: by their bytes, once."""

import json
import os
from contextlib import suppress
from pathlib import Path

from tinycerb.bounded.files import MOST_TEXT, read_bytes
from tinycerb.errors import TinyCerbError
from tinycerb.plugins.files import Plugin


def consent_file() -> Path:
    """Returns where it stands, below `tinycerb` in the user's state folder ($XDG_STATE_HOME, ~/.local/state)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "tinycerb" / "plugins.json"


def is_allowed(plugin: Plugin) -> bool:
    """Whether the user has named these very bytes on a command line, or answered yes when asked about them."""
    return plugin.sha256 in _allowed()


def allow(plugin: Plugin) -> None:
    """Notes that these bytes may run; where nothing can be noted, the user is asked again."""
    # With NumPy: not for those that have no plugin.
    from tinycerb.atomic import pack_json, write_bytes

    allowed = _allowed()
    if plugin.sha256 not in allowed:
        with suppress(TinyCerbError, OSError):
            content = {"schema_version": 1, "allowed": {**allowed, plugin.sha256: str(plugin.path)}}
            write_bytes(consent_file(), pack_json(content))


def _allowed() -> dict[str, str]:
    try:
        found = json.loads(read_bytes(consent_file(), MOST_TEXT))["allowed"]
    except (OSError, TinyCerbError, ValueError, TypeError, KeyError, RuntimeError):
        return {}
    return found if isinstance(found, dict) else {}
