"""Settings as Python has them, to the texts that `--set` takes."""

import json
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from os import PathLike, fspath

from tinycerb.errors import UsageError


def as_overrides(settings: Mapping[str, object]) -> list[str]:
    """Returns `section.key=value` for each value.

    Args:
        settings: keys with dots in them, tables in tables, or both: `{"training.dense_epochs": 1, "data": {...}}`.

    Raises:
        UsageError: a value that TOML does not have.
    """
    found: list[str] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found += as_overrides({f"{key}.{inner}": item for inner, item in value.items()})
        else:
            found.append(f"{key}={_as_toml(value, key)}")
    return found


def _as_toml(value: object, key: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, str | PathLike):
        # JSON's escapes are TOML's; DEL, which JSON leaves as it is, is none of TOML's letters.
        return json.dumps(fspath(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_as_toml(str(k), key)} = {_as_toml(v, key)}' for k, v in value.items())}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(_as_toml(item, key) for item in value)}]"
    raise UsageError(f"{key} is {value!r:.60}; allowed: numbers, texts, True and False, lists and mappings of them")
