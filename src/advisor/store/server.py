"""Versions of the index on a Chroma server that many processes share: collections with the number of their writer.

`advisor-g<number>-<version>-units` holds vectors and passages, `…-guides` the guides' text for whoever has no corpus
folder, and `advisor-g<number>-current` says which version is in use: the one with the highest number counts.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from advisor.errors import IndexUnusable
from advisor.store import connection, lease, records, vectors
from advisor.store.folder import locked
from advisor.store.records import About, Held

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

    from advisor.settings import Settings
    from advisor.types import Guide

P = ParamSpec("P")
T = TypeVar("T")
_CURRENT = "-current"
_MOST, _LARGEST = 200, 4_000_000
"""Guides in one request, and their characters."""


def _reaching(ask: Callable[Concatenate[ServerStore, P], T]) -> Callable[Concatenate[ServerStore, P], T]:
    """A method whose failures, of network or server, are told as what they mean."""

    @wraps(ask)
    def asked(self: ServerStore, /, *given: P.args, **named: P.kwargs) -> T:
        try:
            return ask(self, *given, **named)
        except IndexUnusable:
            raise
        except Exception as error:
            raise connection.meaning(error, self.settings) from error

    return asked


class ServerStore:
    """Versions on a Chroma server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.where = settings.chroma_url
        self._lease: lease.Lease | None = None
        self._opened: dict[str, Collection] = {}

    @property
    def client(self) -> ClientAPI:
        """The connection, made when it is first needed."""
        return connection.client(self.settings)

    def _pointer(self) -> Collection | None:
        pointers = [c for c in self.client.list_collections() if lease.generation(c.name) and c.name.endswith(_CURRENT)]
        return max(pointers, key=lambda collection: lease.generation(collection.name), default=None)

    def _collection(self, name: str) -> Collection:
        """A collection by name; one that is written is never changed, so it is looked up once."""
        if name not in self._opened:
            self._opened[name] = self.client.get_collection(name, embedding_function=None)
        return self._opened[name]

    @_reaching
    def current(self) -> About | None:
        """What the version in use says of itself, or None."""
        pointer = self._pointer()
        return About.read(json.loads((pointer.metadata or {}).get("about", "null"))) if pointer else None

    @_reaching
    def complete(self, about: About) -> bool:
        """Whether the version's vectors are all there."""
        name = f"advisor-{about.version}-units"
        names = {collection.name for collection in self.client.list_collections()}
        return name in names and self._collection(name).count() == about.units

    @_reaching
    def load(self, version: str) -> Held:
        """The version's guides, passages and units."""
        kept = self._collection(f"advisor-{version}-guides").get()
        guides = [json.loads(document) for document in kept["documents"] or []]
        guides.sort(key=lambda guide: str(guide["source"]))
        held = vectors.read(self._collection(f"advisor-{version}-units"), tuple(map(records.guide, guides)))
        rows = vectors.rows(self._collection(f"advisor-{version}-adapter"))
        return replace(held, adapter=rows if len(rows) else None)

    @_reaching
    def vectors(self, version: str) -> dict[str, np.ndarray]:
        """The version's vectors by the hash of their text."""
        return vectors.by_hash(self._collection(f"advisor-{version}-units"))

    @_reaching
    def some(self, version: str, numbers: Sequence[int]) -> np.ndarray:
        """The vectors of some units, in the order of their numbers."""
        return vectors.some(self._collection(f"advisor-{version}-units"), numbers)

    @_reaching
    def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        """The units nearest to a vector."""
        return vectors.nearest(self._collection(f"advisor-{version}-units"), vector, limit)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time: on this machine by the folder's lock, among all machines by a lease on the server."""
        with locked(self.settings.index, self.where), ExitStack() as held:
            self._lease = self._taken(held)
            yield

    @_reaching
    def _taken(self, held: ExitStack) -> lease.Lease:
        return held.enter_context(lease.taken(self.client, self.where, self.settings.chroma_lease))

    @_reaching
    def write(self, held: Held, hashes: list[str], matrix: np.ndarray, about: About) -> About:
        """Write a new version as three collections; only `swap` puts it in use."""
        number = self._mine().number
        about = replace(about, version=f"g{number:06}-{about.fingerprint}-{secrets.token_hex(3)}")
        vectors.fill(self.client, f"advisor-{about.version}-units", held, hashes, matrix)
        vectors.keep(self.client, f"advisor-{about.version}-adapter", held.adapter)
        kept = self.client.create_collection(f"advisor-{about.version}-guides", embedding_function=None)
        for some in _requests(held.guides):
            documents = [json.dumps(asdict(guide), ensure_ascii=False) for guide in some]
            kept.add(ids=[g.source for g in some], documents=documents, embeddings=[[1.0]] * len(some))  # type: ignore[arg-type]
        return about

    @_reaching
    def swap(self, about: About) -> None:
        """Put a version in use; the one before stays for whoever still reads it.

        Raises:
            IndexBusy: another writer has taken over.
        """
        mine = self._mine()
        mine.held()
        before = self.current()
        said = {"about": json.dumps(about.as_json())}
        self.client.create_collection(lease.named(mine.number, "current"), embedding_function=None, metadata=said)
        mine.held()
        kept = tuple(f"advisor-{each.version}-" for each in (before, about) if each)
        for collection in self.client.list_collections():
            if 0 < lease.generation(collection.name) < mine.number and not collection.name.startswith(kept):
                self.client.delete_collection(collection.name)

    @_reaching
    def writer(self) -> str:
        """Who is writing now, in words; empty when nobody is."""
        holder, now = lease.highest(self.client), self.client.heartbeat()
        said = holder.metadata or {} if holder else {}
        return lease.in_words(said, now) if lease.live(said, now) else ""

    def _mine(self) -> lease.Lease:
        if self._lease is None:
            raise RuntimeError("a version is written only by whoever holds the lease")
        return self._lease


def _requests(guides: Sequence[Guide]) -> Iterator[list[Guide]]:
    """The guides in as many requests as a server takes them in."""
    some: list[Guide] = []
    for guide in guides:
        if some and (len(some) == _MOST or sum(len(each.text) for each in some) + len(guide.text) > _LARGEST):
            yield some
            some = []
        some.append(guide)
    if some:
        yield some
