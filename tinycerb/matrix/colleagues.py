"""Who of a cluster's workers computes as this machine does, and who is left out."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from tinycerb.errors import EnvironmentProblem
from tinycerb.matrix.remote import differing_versions, introduce


class Colleagues:
    """The workers of a cluster, each asked once what is installed there.

    Attributes:
        fit: threads by address, of those that have the same versions.
        refused: addresses of the others.
    """

    def __init__(self, client: Any, versions: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Prepares; nobody is asked yet.

        Args:
            client: a Dask client.
            versions: what must be the same, as `versions_here` says it.
            say: takes a sentence about each worker that is refused.
        """
        self._client, self._versions, self._say = client, versions, say
        self.fit: dict[str, int] = {}
        self.refused: set[str] = set()
        self._faults: list[str] = []
        self._ever_fit = False

    def look(self) -> None:
        """Asks those that have come since, and forgets those that are gone.

        Raises:
            EnvironmentProblem: there are workers, and there never was one that fits.
        """
        # A scheduler that went away is noticed by whoever waits for results.
        with suppress(OSError, TimeoutError):
            here = self._client.scheduler_info(n_workers=-1)["workers"]
            self.refused &= set(here)
            new = [address for address in here if address not in self.fit and address not in self.refused]
            self.fit = {address: threads for address, threads in self.fit.items() if address in here}
            if new:
                for address, said in self._client.run(introduce, workers=new, on_error="return").items():
                    self._sort(address, said, int(here[address]["nthreads"]))
        self._ever_fit = self._ever_fit or bool(self.fit)
        if self.refused and not self._ever_fit:
            raise EnvironmentProblem(
                f"no worker fits: {'; '.join(self._faults)}; results would not compare; install the same there"
            )

    def _sort(self, address: str, said: Any, threads: int) -> None:
        # It is going, or has just come: the next look will tell.
        if isinstance(said, OSError | TimeoutError):
            return
        if isinstance(said, Exception):
            fault = f"the worker at {address} cannot run TinyCerb ({type(said).__name__}: {said})"
        elif differing := differing_versions(said["versions"], self._versions):
            fault = f"the worker on {said['host']} ({address}) has {differing}"
        else:
            self.fit[address] = threads
            return
        self.refused.add(address)
        self._faults.append(fault)
        self._say(f"{fault}: it is left out, its cells go to others; install the same there")
