"""One version's vectors in a Chroma collection: what both stores do once they have a client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.store.records import Held, passage

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

    from advisor.types import Guide

_PAGE, _LARGEST = 2_000, 1_000_000
"""Records that are written or read at once, and numbers in their vectors: a server takes requests up to some size."""
_SEARCH = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 800, "max_neighbors": 32}}
"""Of the 120 nearest among 18,317 vectors of our guides, 200 instead of 800 misses 0.8 % instead of 0.04 %."""


def fill(client: ClientAPI, name: str, held: Held, hashes: list[str], vectors: np.ndarray) -> None:
    """Write a new collection; a passage travels with the first of its vectors."""
    made = client.create_collection(name, embedding_function=None, configuration=_SEARCH)  # type: ignore[arg-type]
    written: set[int] = set()
    page = min(_PAGE, max(1, _LARGEST // vectors.shape[1]))
    for start in range(0, len(hashes), page):
        numbers = range(start, min(start + page, len(hashes)))
        metadatas = []
        for number in numbers:
            of, line = held.units[number]
            record = {"passage": of, "line": line, "hash": hashes[number]}
            if of not in written:
                record["held"] = json.dumps(asdict(held.passages[of]), ensure_ascii=False)
                written.add(of)
            metadatas.append(record)
        made.add(ids=[str(n) for n in numbers], embeddings=vectors[start : numbers.stop], metadatas=metadatas)  # type: ignore[arg-type]


def read(collection: Collection, guides: tuple[Guide, ...]) -> Held:
    """What a collection holds besides its vectors."""
    records = sorted(_records(collection, ["metadatas"]), key=lambda record: record[0])
    passages = {m["passage"]: passage(json.loads(m["held"])) for _, m, _ in records if "held" in m}
    units = tuple((m["passage"], m["line"]) for _, m, _ in records)
    return Held(guides, tuple(passages[n] for n in sorted(passages)), units)


def by_hash(collection: Collection) -> dict[str, np.ndarray]:
    """The vectors by the hash of their text."""
    records = _records(collection, ["metadatas", "embeddings"])
    return {metadata["hash"]: np.asarray(vector, dtype=np.float32) for _, metadata, vector in records}


def some(collection: Collection, numbers: Sequence[int]) -> np.ndarray:
    """The vectors with these numbers, in the order of the numbers."""
    found = collection.get(ids=[str(n) for n in numbers], include=["embeddings"])
    at = dict(zip(found["ids"], np.asarray(found["embeddings"], dtype=np.float32), strict=True))
    return np.stack([at[str(n)] for n in numbers])


def nearest(collection: Collection, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
    """The numbers of the nearest vectors with their cosine, best first."""
    found = collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
    distances = found["distances"] or [[]]
    return [(int(n), 1 - d) for n, d in zip(found["ids"][0], distances[0], strict=True)]


def keep(client: ClientAPI, name: str, matrix: np.ndarray | None) -> None:
    """Write a matrix row by row into a new collection; none leaves it empty."""
    made = client.create_collection(name, embedding_function=None)
    if matrix is not None:
        page = min(_PAGE, max(1, _LARGEST // matrix.shape[1]))
        for start in range(0, len(matrix), page):
            some = matrix[start : start + page]
            made.add(ids=[str(start + n) for n in range(len(some))], embeddings=some)


def rows(collection: Collection) -> np.ndarray:
    """The matrix that a collection was made from, shape (rows, dimensions)."""
    found = sorted(_records(collection, ["embeddings"]), key=lambda record: record[0])
    return np.array([vector for _, _, vector in found], dtype=np.float32)


def _records(collection: Collection, include: list[Any]) -> list[tuple[int, dict[str, Any], Any]]:
    out: list[tuple[int, dict[str, Any], Any]] = []
    for offset in range(0, collection.count(), _PAGE):
        page = collection.get(limit=_PAGE, offset=offset, include=include)
        metadatas, vectors = page["metadatas"], page["embeddings"]
        for at, number in enumerate(page["ids"]):
            vector = vectors[at] if vectors is not None else None
            out.append((int(number), dict(metadatas[at]) if metadatas else {}, vector))
    return out
