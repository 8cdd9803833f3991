"""What every section of a configuration is checked with."""

import re

from tinycerb.errors import UsageError


def check(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(message)


def check_name(what: str, name: str) -> None:
    check(
        re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name) is not None,
        f"{what} {name!r:.60}: use 1 to 40 of a-z, 0-9, '-' and '_', starting with a letter or digit",
    )
