"""Versions of the index in Chroma, in a folder or on a server; the only module that knows Chroma.

Vectors are always given: Chroma's own default model, which would be fetched from the network, is never loaded.
Beside each vector stands the hash of its text, so that a later version can take it over.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np

from advisor.errors import IndexUnusable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

    from advisor.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
_PAGE = 2_000
_SEARCH = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}}


class Held(NamedTuple):
    """What a version holds besides its vectors."""

    guides: list[dict[str, Any]]
    passages: list[dict[str, Any]]
    units: list[tuple[int, str]]


class Store(Protocol):
    """Where versions of the index are kept. Two implementations: a folder, and a Chroma server."""

    where: str

    def current(self) -> dict[str, Any] | None:
        """What the version in use says of itself, or None."""
        ...

    def complete(self, about: dict[str, Any]) -> bool:
        """Whether a version's vectors are all there."""
        ...

    def load(self, version: str) -> Held:
        """A version's guides, passages and units."""
        ...

    def vectors(self, version: str) -> dict[str, np.ndarray]:
        """A version's vectors by the hash of their text."""
        ...

    def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        """The units nearest to a vector: (number, cosine), best first."""
        ...

    def write(
        self,
        guides: list[dict[str, Any]],
        passages: list[dict[str, Any]],
        units: list[tuple[int, str]],
        hashes: list[str],
        vectors: np.ndarray,
        about: dict[str, Any],
    ) -> str:
        """Write a new version, not yet in use, and return its name."""
        ...

    def swap(self, version: str) -> None:
        """Put a version in use, and let go of those before the last."""
        ...

    def graph(self, model: str) -> Path:
        """The folder for a model's exported graph."""
        ...


def connect(settings: Settings) -> Store:
    """The store that the settings name."""
    return ServerStore(settings) if settings.chroma_url else FolderStore(settings)


def _graphs(settings: Settings, model: str) -> Path:
    return settings.index / "graphs" / "".join(c if c.isalnum() or c in "-._@" else "-" for c in model)


class _Chroma:
    """What both stores do once they have a client."""

    def _fill(self, client: ClientAPI, name: str, held: Held, hashes: list[str], vectors: np.ndarray) -> None:
        made = client.create_collection(name, embedding_function=None, configuration=_SEARCH)  # type: ignore[arg-type]
        firsts: set[int] = set()
        for start in range(0, len(hashes), _PAGE):
            numbers = range(start, min(start + _PAGE, len(hashes)))
            metadatas = []
            for number in numbers:
                passage, line = held.units[number]
                record = {"passage": passage, "line": line, "hash": hashes[number]}
                if passage not in firsts:
                    record["held"] = json.dumps(held.passages[passage], ensure_ascii=False)
                    firsts.add(passage)
                metadatas.append(record)
            made.add(ids=[str(n) for n in numbers], embeddings=vectors[start : numbers.stop], metadatas=metadatas)  # type: ignore[arg-type]

    def _read(self, client: ClientAPI, name: str, guides: list[dict[str, Any]]) -> Held:
        records = self._records(client, name, ["metadatas"])
        records.sort(key=lambda record: record[0])
        passages = {m["passage"]: json.loads(m["held"]) for _, m, _ in records if "held" in m}
        return Held(guides, [passages[n] for n in sorted(passages)], [(m["passage"], m["line"]) for _, m, _ in records])

    def _records(self, client: ClientAPI, name: str, include: list[Any]) -> list[tuple[int, dict[str, Any], Any]]:
        collection = client.get_collection(name, embedding_function=None)
        out: list[tuple[int, dict[str, Any], Any]] = []
        for offset in range(0, collection.count(), _PAGE):
            page = collection.get(limit=_PAGE, offset=offset, include=include)
            metadatas, vectors = page["metadatas"], page["embeddings"]
            for at, number in enumerate(page["ids"]):
                vector = vectors[at] if vectors is not None else None
                out.append((int(number), dict(metadatas[at]) if metadatas else {}, vector))
        return out

    def _nearest(self, client: ClientAPI, name: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        collection = client.get_collection(name, embedding_function=None)
        found = collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        distances = found["distances"] or [[]]
        return [(int(n), 1 - d) for n, d in zip(found["ids"][0], distances[0], strict=True)]


class FolderStore(_Chroma):
    """Each version in a folder of its own below ADVISOR_INDEX; `current` names the one in use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.where = str(settings.index)
        self.versions = settings.index / "versions"
        self.clients: dict[str, ClientAPI] = {}

    def current(self) -> dict[str, Any] | None:
        """What the version in use says of itself; None when there is none or its manifest is unreadable."""
        try:
            version = (self.settings.index / "current").read_text(encoding="utf-8").strip()
            about = json.loads((self.versions / version / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return {**about, "version": version} if isinstance(about, dict) else None

    def complete(self, about: dict[str, Any]) -> bool:
        """Whether the version opens and its vectors are all there."""
        try:
            collection = self._client(about["version"]).get_collection("units", embedding_function=None)
            return bool(collection.count() == about["units"])
        except Exception:  # noqa: BLE001 (whatever a damaged database raises, the answer is the same: rebuild)
            return False

    def load(self, version: str) -> Held:
        """The version's guides, passages and units."""
        guides = json.loads((self.versions / version / "guides.json").read_text(encoding="utf-8"))
        return self._read(self._client(version), "units", guides)

    def vectors(self, version: str) -> dict[str, np.ndarray]:
        """The version's vectors by the hash of their text."""
        records = self._records(self._client(version), "units", ["metadatas", "embeddings"])
        return {metadata["hash"]: np.asarray(vector, dtype=np.float32) for _, metadata, vector in records}

    def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        """The units nearest to a vector."""
        return self._nearest(self._client(version), "units", vector, limit)

    def write(
        self,
        guides: list[dict[str, Any]],
        passages: list[dict[str, Any]],
        units: list[tuple[int, str]],
        hashes: list[str],
        vectors: np.ndarray,
        about: dict[str, Any],
    ) -> str:
        """Write a new version; its manifest comes last, so that an unfinished one is never taken for whole."""
        version = f"{about['fingerprint']}-{secrets.token_hex(3)}"
        folder = self.versions / version
        folder.mkdir(parents=True)
        try:
            self._fill(self._client(version), "units", Held(guides, passages, units), hashes, vectors)
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            room = "Set ADVISOR_INDEX to a folder with room that you may write to."
            raise IndexUnusable(f"{self.where}: cannot be written ({error}). {room}") from error
        (folder / "guides.json").write_text(json.dumps(guides, ensure_ascii=False), encoding="utf-8")
        (folder / "manifest.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        return version

    def swap(self, version: str) -> None:
        """Put a version in use; the one before stays for whoever still reads it."""
        before = self.current()
        new = self.settings.index / "current.new"
        new.write_text(version, encoding="utf-8")
        new.replace(self.settings.index / "current")
        kept = {version, before["version"] if before else version}
        for folder in self.versions.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def graph(self, model: str) -> Path:
        """The folder for a model's exported graph."""
        return _graphs(self.settings, model)

    def _client(self, version: str) -> ClientAPI:
        if version not in self.clients:
            import chromadb
            from chromadb.config import Settings as Options

            path = str(self.versions / version / "chroma")
            self.clients[version] = chromadb.PersistentClient(path, settings=Options(anonymized_telemetry=False))
        return self.clients[version]


def _silent(where: str, error: Exception) -> IndexUnusable:
    return IndexUnusable(
        f"ADVISOR_CHROMA_URL={where}: the Chroma server does not answer as it should ({type(error).__name__}). "
        "Start it, or unset the variable to keep the index in a folder."
    )


def _reaching(ask: Callable[Concatenate[ServerStore, P], T]) -> Callable[Concatenate[ServerStore, P], T]:
    """A method of the server store whose failures, of network or server, are told as what they mean."""

    @wraps(ask)
    def asked(self: ServerStore, /, *given: P.args, **named: P.kwargs) -> T:
        try:
            return ask(self, *given, **named)
        except IndexUnusable:
            raise
        except Exception as error:
            raise _silent(self.where, error) from error

    return asked


class ServerStore(_Chroma):
    """Versions as collections of a Chroma server; the metadata of the collection `advisor` names the one in use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.where = settings.chroma_url
        self._made: ClientAPI | None = None

    @property
    def client(self) -> ClientAPI:
        """The connection, made when it is first needed.

        Raises:
            IndexUnusable: the server does not answer.
        """
        if self._made is None:
            from urllib.parse import urlsplit

            import chromadb
            from chromadb.config import Settings as Options

            url = urlsplit(self.where)
            try:
                self._made = chromadb.HttpClient(
                    host=url.hostname or "127.0.0.1",
                    port=url.port or (443 if url.scheme == "https" else 80),
                    ssl=url.scheme == "https",
                    settings=Options(anonymized_telemetry=False),
                )
            except Exception as error:
                raise _silent(self.where, error) from error
        return self._made

    def _pointer(self) -> Any:
        return self.client.get_or_create_collection("advisor", embedding_function=None)

    @_reaching
    def current(self) -> dict[str, Any] | None:
        """What the version in use says of itself, or None."""
        metadata = self._pointer().metadata or {}
        return json.loads(metadata["about"]) if "about" in metadata else None

    @_reaching
    def complete(self, about: dict[str, Any]) -> bool:
        """Whether the version's vectors are all there."""
        names = {collection.name for collection in self.client.list_collections()}
        name = f"advisor-{about['version']}"
        return name in names and self.client.get_collection(name, embedding_function=None).count() == about["units"]

    @_reaching
    def load(self, version: str) -> Held:
        """The version's guides, passages and units."""
        kept = self.client.get_collection(f"advisor-{version}-guides", embedding_function=None).get()
        guides = [json.loads(document) for document in kept["documents"] or []]
        return self._read(self.client, f"advisor-{version}", sorted(guides, key=lambda g: str(g["source"])))

    @_reaching
    def vectors(self, version: str) -> dict[str, np.ndarray]:
        """The version's vectors by the hash of their text."""
        records = self._records(self.client, f"advisor-{version}", ["metadatas", "embeddings"])
        return {metadata["hash"]: np.asarray(vector, dtype=np.float32) for _, metadata, vector in records}

    @_reaching
    def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        """The units nearest to a vector."""
        return self._nearest(self.client, f"advisor-{version}", vector, limit)

    @_reaching
    def write(
        self,
        guides: list[dict[str, Any]],
        passages: list[dict[str, Any]],
        units: list[tuple[int, str]],
        hashes: list[str],
        vectors: np.ndarray,
        about: dict[str, Any],
    ) -> str:
        """Write a new version as two collections; the guides' text goes along for whoever has no corpus folder."""
        version = f"{about['fingerprint']}-{secrets.token_hex(3)}"
        self._fill(self.client, f"advisor-{version}", Held(guides, passages, units), hashes, vectors)
        kept = self.client.create_collection(f"advisor-{version}-guides", embedding_function=None)
        documents = [json.dumps(guide, ensure_ascii=False) for guide in guides]
        kept.add(ids=[g["source"] for g in guides], documents=documents, embeddings=[[1.0]] * len(guides))  # type: ignore[arg-type]
        self._new = {**about, "version": version}
        return version

    @_reaching
    def swap(self, version: str) -> None:
        """Put a version in use; the one before stays for whoever still reads it."""
        before = self.current()
        self._pointer().modify(metadata={"about": json.dumps(self._new)})
        kept = tuple(f"advisor-{about['version']}" for about in (before, self._new) if about)
        for collection in self.client.list_collections():
            if collection.name.startswith("advisor-") and not collection.name.startswith(kept):
                self.client.delete_collection(collection.name)

    def graph(self, model: str) -> Path:
        """The folder for a model's exported graph; it stays on this machine."""
        return _graphs(self.settings, model)
