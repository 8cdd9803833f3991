"""Names to implementations, with an error that lists the choices."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar, cast

from tinycerb.errors import UsageError, suggest

Entry = TypeVar("Entry")
# What is registered keeps its own type: a defence stays the dataclass that it is.
Kept = TypeVar("Kept")


class Registry(Generic[Entry]):
    """A named table of interchangeable parts, such as data sets, defences or attacks."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def register(self, name: str) -> Callable[[Kept], Kept]:
        """Returns a decorator that files its argument under `name`."""

        def file_under_name(entry: Kept) -> Kept:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = cast(Entry, entry)
            if isinstance(entry, type):
                # What messages about its options call it.
                entry.registered_as = f"{self.kind} {name!r}"  # type: ignore[attr-defined]
            return entry

        return file_under_name

    def __getitem__(self, name: str) -> Entry:
        """Returns the entry.

        Raises:
            UsageError: for an unknown name; the message lists the known ones.
        """
        if name not in self._entries:
            raise UsageError(f"unknown {self.kind} {name!r}{suggest(name, self._entries)}; known: {', '.join(self)}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))
