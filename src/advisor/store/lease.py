"""Who may write on a Chroma server: numbered leases, so that nobody who lost one can do harm.

Each ingest is a generation. It begins by creating the collection `advisor-g<number>-lease`, one above the highest there
is; creating is atomic, so of two that try the same number one fails. A holder renews its lease while it works, by the
server's clock. A lease that was not renewed for its length is taken over by the next number.

That alone would not be enough: a holder that was suspended may wake up and go on. So everything it writes carries its
number, the version in use is the one that the highest number put there, and what is cleared away is always of a lower
number than one's own, and only after one's own is in use. Whoever was replaced writes in vain and is told so.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from advisor.errors import IndexBusy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_NAME = re.compile(r"advisor-g(\d+)-")
_SECOND = 1_000_000_000
_ATTEMPTS = 5
"""How often a number is tried for when others, who are done at once, were quicker."""


def generation(name: str) -> int:
    """The number in a collection's name; 0 for whatever is not ours."""
    found = _NAME.match(name)
    return int(found[1]) if found else 0


def named(number: int, part: str) -> str:
    """What a generation's collection is called."""
    return f"advisor-g{number:06}-{part}"


class Lease:
    """One generation's right to write."""

    def __init__(self, client: ClientAPI, where: str, number: int, seconds: float) -> None:
        self.client = client
        self.where = where
        self.number = number
        self._seconds = seconds
        self._began = int(time.time())
        self._ended = threading.Event()
        self._made: Collection = client.create_collection(
            named(number, "lease"), embedding_function=None, metadata=self._said()
        )
        self._renewing = threading.Thread(target=self._renew, name="renew-lease", daemon=True)

    def held(self) -> None:
        """Make sure that nobody has taken over.

        Raises:
            IndexBusy: somebody has; names them.
        """
        if (holder := highest(self.client)) and generation(holder.name) > self.number:
            words = in_words(holder.metadata or {}, self.client.heartbeat())
            raise IndexBusy(
                f"{self.where}: this ingest was silent for so long that it was replaced by {words}. "
                "The index is not harmed; run `python ingest.py` again if the guides have changed since."
            )

    def _said(self, released: bool = False) -> dict[str, Any]:
        return {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "began": self._began,
            "renewed": self.client.heartbeat(),
            "seconds": float(self._seconds),
            "released": released,
        }

    def _renew(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            with suppress(Exception):  # whatever it is, `held` finds out before anything is put in use
                self._made.modify(metadata=self._said())

    def start(self) -> None:
        """Begin to renew it."""
        self._renewing.start()

    def release(self) -> None:
        """Stop renewing, and say that the work is over; the number stays taken."""
        self._ended.set()
        if self._renewing.is_alive():
            self._renewing.join()
        with suppress(Exception):  # a server that is away now hears nothing more, and the lease ends by itself
            self._made.modify(metadata=self._said(released=True))


def highest(client: ClientAPI) -> Collection | None:
    """The lease with the highest number."""
    return _highest(client.list_collections())


def _highest(seen: Sequence[Collection]) -> Collection | None:
    leases = [collection for collection in seen if generation(collection.name) and collection.name.endswith("-lease")]
    return max(leases, key=lambda collection: generation(collection.name), default=None)


def live(said: Mapping[str, Any], now: int) -> bool:
    """Whether a lease holds at a time of the server, in nanoseconds."""
    return not said.get("released") and now - said.get("renewed", 0) < said.get("seconds", 0) * _SECOND


def in_words(said: Mapping[str, Any], now: int) -> str:
    """The holder of a lease, for people."""
    began = time.strftime("%H:%M:%S UTC", time.gmtime(said.get("began", 0)))
    heard = max(0, now - said.get("renewed", 0)) // _SECOND
    return f"process {said.get('process')} on {said.get('host')}, writing since {began}, heard of {heard} s ago"


@contextmanager
def taken(client: ClientAPI, where: str, seconds: float) -> Iterator[Lease]:
    """Hold the lease for as long as the block.

    Raises:
        IndexBusy: another one holds it; names them.
    """
    lease = _next(client, where, seconds)
    lease.held()
    for collection in client.list_collections():
        if collection.name.endswith("-lease") and 0 < generation(collection.name) < lease.number:
            client.delete_collection(collection.name)
    lease.start()
    try:
        yield lease
    finally:
        lease.release()


def _next(client: ClientAPI, where: str, seconds: float) -> Lease:
    """The lease above the highest number there is."""
    for attempt in range(_ATTEMPTS):
        seen = client.list_collections()  # one look for both: what came in between takes the number away
        _refuse(client, where, _highest(seen))
        number = max((generation(collection.name) for collection in seen), default=0) + 1
        try:
            return Lease(client, where, number, seconds)
        except Exception:
            if attempt == _ATTEMPTS - 1 or all(generation(c.name) < number for c in client.list_collections()):
                raise  # it is not that somebody was quicker
    raise AssertionError


def _refuse(client: ClientAPI, where: str, holder: Collection | None) -> None:
    now = client.heartbeat()
    said = holder.metadata or {} if holder else {}
    if live(said, now):
        raise IndexBusy(
            f"{where}: another ingest is writing this index ({in_words(said, now)}). Try again when it has ended; "
            f"one that was killed is replaced once it was silent for {said.get('seconds', 0):g} s."
        )
