"""Who a model belongs to: whoever has an owner key, or the public, which has none."""

from dataclasses import dataclass
from pathlib import Path

from tinycerb.config.user_sources import PUBLIC
from tinycerb.ownership.owner_key import OwnerKey, read_owner_key
from tinycerb.ownership.run_key import TEACHERS

# What questions of published experiments are drawn from: anybody can draw them.
_PUBLIC_KEY = OwnerKey(b"tinycerb public questions".ljust(32, b"\0"))


@dataclass(frozen=True)
class Owner:
    """An owner.

    Attributes:
        key: what questions are drawn from; of the public a constant.
        file: where the key lies; None for the public.
    """

    key: OwnerKey
    file: Path | None

    @property
    def digest(self) -> str:
        """The key's hash, or `public`."""
        return PUBLIC if self.file is None else self.key.hash

    @property
    def teacher_words(self) -> tuple[int, ...]:
        """What teachers come from beside a run's seed; nothing for the public."""
        return () if self.file is None else self.key.words(TEACHERS)


def open_owner(named: str) -> Owner:
    """Reads the key of `--owner`, or takes `public`.

    Raises:
        UsageError: no such file, or no owner key in it.
        EnvironmentProblem: others can read it.
    """
    if named == PUBLIC:
        return Owner(_PUBLIC_KEY, None)
    file = Path(named).expanduser()
    return Owner(read_owner_key(file), file)
