"""Names to implementations, with an error that lists the choices."""

import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar, cast

from tinycerb.errors import UsageError, suggest

Entry = TypeVar("Entry")
# What is registered keeps its own type: a defence stays the dataclass that it is.
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Place:
    """Where something is registered."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file} line {self.line}"


def members_of(protocol: type) -> tuple[str, ...]:
    """Returns the names of what a protocol asks for."""
    return tuple(name for name in vars(protocol) if not name.startswith("_"))


class Registry(Generic[Entry]):
    """A named table of interchangeable parts, such as data sets, defences or attacks."""

    # Every table there is, for whoever looks for what a file has registered.
    tables: ClassVar[list["Registry"]] = []

    def __init__(self, kind: str, members: Collection[str] = ()) -> None:
        """Makes an empty table.

        Args:
            kind: what one entry is called.
            members: attributes and methods that every entry has; asked for where an entry comes from elsewhere.
        """
        self.tables.append(self)
        self.kind, self.members = kind, members
        self._entries: dict[str, Entry] = {}
        self._places: dict[str, Place] = {}

    def register(self, name: str) -> Callable[[Kept], Kept]:
        """Returns a decorator that files its argument under `name`.

        Raises:
            UsageError: the name is taken; the message names both places.
        """
        caller = sys._getframe(1)
        place = Place(Path(caller.f_code.co_filename), caller.f_lineno)

        def file_under_name(entry: Kept) -> Kept:
            if name in self._entries:
                raise UsageError(
                    f"{self.kind} {name!r} is registered twice: in {self._places[name]} and in {place}; choose another "
                    "name"
                )
            self._entries[name] = cast(Entry, entry)
            self._places[name] = place
            if isinstance(entry, type):
                # What messages about its options call it.
                entry.registered_as = f"{self.kind} {name!r}"  # type: ignore[attr-defined]
            return entry

        return file_under_name

    def place(self, name: str) -> Place:
        """Returns where an entry was registered; errors as `[]`."""
        self[name]
        return self._places[name]

    def registered_in(self, files: Collection[Path]) -> list[str]:
        """Returns the names of the entries that these files have registered."""
        return [name for name, place in self._places.items() if place.file in files]

    def remove(self, name: str) -> None:
        """Forgets an entry, such as one of a module that is loaded anew."""
        del self._entries[name], self._places[name]

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
