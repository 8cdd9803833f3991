"""`manifest.jsonl`: one line for each artefact of a run when it is written, with its digest and who made it.

Lines are only added, under a lock, so that processes that work side by side share one file and a killed one loses
nothing. The line is written before the file takes its name: after a kill between the two the file is the one of the
line before, or is not there, and never one without a line.
"""

import fcntl
import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinycerb.atomic import describe_os_error, write_bytes
from tinycerb.bounded.files import memory_limit, open_regular
from tinycerb.errors import EnvironmentProblem
from tinycerb.seal.versions import key_of, versions_now

NAME = "manifest.jsonl"
_HEADER = b'{"manifest": "tinycerb", "schema_version": 1}\n'


@dataclass(frozen=True)
class Entry:
    """A line about a file.

    Attributes:
        file: its name, counted from the run directory.
        sha256: its digest; empty when it was moved aside.
        made_by: names the versions that made it; empty where nobody knows.
        inputs: digest of the files that it was made from; empty where nothing was said.
        adopted: whether it was found there instead of made, see `adopt`.
        code: digest of the part's code that has made it; empty where none was noted.
    """

    file: str
    sha256: str
    made_by: str
    inputs: str = ""
    adopted: bool = False
    code: str = ""


class Manifest:
    """What the lines say, brought up to date at every look.

    Attributes:
        entries: the last line about each file.
        before: the line that the last one has replaced: it is the file's own if a kill came between.
        versions: by the name that entries call them.
        unreadable: numbers of lines that say nothing.
    """

    def __init__(self, root: Path) -> None:
        """Looks at the manifest of the run directory `root`."""
        self.root = root
        self.path = root / NAME
        self._lock = threading.Lock()
        self._forget()

    @classmethod
    def create(cls, root: Path) -> "Manifest":
        """Begins the manifest of a run.

        Raises:
            EnvironmentProblem: it cannot be written.
        """
        write_bytes(root / NAME, _HEADER)
        return cls(root)

    @staticmethod
    def is_there(root: Path) -> bool:
        """Whether a directory has a manifest of ours."""
        try:
            with open_regular(root / NAME, memory_limit()) as file:
                return file.readline(len(_HEADER) + 1) == _HEADER
        except OSError:
            return False

    def _forget(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.before: dict[str, Entry] = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.unreadable: list[int] = []
        self._read, self._lines, self._inode = 0, 0, 0

    def refresh(self) -> None:
        """Reads the lines that have been added since."""
        with self._lock:
            self._refresh()

    def _refresh(self) -> None:
        try:
            with open_regular(self.path, memory_limit()) as file:
                now = os.fstat(file.fileno())
                if now.st_ino != self._inode or now.st_size < self._read:
                    self._forget()
                    self._inode = now.st_ino
                file.seek(self._read)
                added = file.read()
        except OSError as error:
            raise EnvironmentProblem(f"cannot read {self.path}: {error.strerror}") from error
        # A line that is being written is not there yet.
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self._lines += 1
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            if "versions" in said:
                self.versions[key_of(said["versions"])] = said["versions"]
            elif "file" in said:
                self._put(_entry(said))
            elif "manifest" not in said:
                self.unreadable.append(self._lines)
        except (ValueError, TypeError, RecursionError):
            self.unreadable.append(self._lines)

    def _put(self, entry: Entry) -> None:
        old = self.entries.get(entry.file)
        if old is None or not entry.sha256 or not old.sha256:
            self.before.pop(entry.file, None)
        elif old.sha256 != entry.sha256:
            self.before[entry.file] = old
        self.entries[entry.file] = entry

    def add(self, entries: list[Entry]) -> None:
        """Adds lines durably.

        Raises:
            EnvironmentProblem: they cannot be written; then nothing of them is.
        """
        ours = key_of(versions_now())
        try:
            with self._lock, self.path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._refresh()
                lines = [asdict(entry) for entry in entries]
                if ours not in self.versions and any(entry.made_by == ours for entry in entries):
                    lines.insert(0, {"versions": dict(versions_now())})
                text = "".join(json.dumps(line) + "\n" for line in lines)
                size = file.seek(0, os.SEEK_END)
                file.seek(size - 1)
                # Half a line, of a machine that lost its power, stays one line.
                self._append(file.fileno(), size, (b"" if file.read() == b"\n" else b"\n") + text.encode())
                self._refresh()
        except OSError as error:
            raise describe_os_error(self.path, error) from error

    @staticmethod
    def _append(descriptor: int, size: int, content: bytes) -> None:
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(descriptor, content[written:], size + written)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise


def _entry(said: dict[str, Any]) -> Entry:
    """Checks a line's types; what a later version may add to it is left out."""
    texts = {key: said.get(key, "") for key in ("file", "sha256", "made_by", "inputs", "code")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("a text is expected")
    return Entry(**texts, adopted=said.get("adopted") is True)
