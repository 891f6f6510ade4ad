"""Text in, unit vectors out: sentence-transformers is the reference, and the same weights as a graph answer questions.

Importing sentence-transformers costs many seconds, so it is done only to export a model, or where it cannot be
exported. Everything else runs on ONNX Runtime with the graph that `export` wrote and checked against the reference.
With ADVISOR_EMBEDDING_URL an OpenAI-compatible endpoint does all of it instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from advisor.embed.graph import CLOSE_ENOUGH, Graph, export, folder, has_graph
from advisor.embed.naming import ENDPOINT, PACKAGED, digest, identity, stay_offline, weights
from advisor.embed.reference import Reference

if TYPE_CHECKING:
    from advisor.settings import Settings
    from advisor.types import Embedder

__all__ = [
    "CLOSE_ENOUGH",
    "ENDPOINT",
    "PACKAGED",
    "Graph",
    "Reference",
    "all_of",
    "digest",
    "export",
    "folder",
    "for_guides",
    "for_questions",
    "has_graph",
    "identity",
    "probe",
    "ready",
    "same_model",
    "stay_offline",
    "weights",
]
_BATCH = 16
_PROBES = 100
_PROBE = ("a question", "What does a senior engineer earn?", "short " * 40, "", "Ünïcode 日本語")


def all_of(texts: Sequence[str], embedder: Embedder, done: Callable[[int], None] | None = None) -> np.ndarray:
    """Vectors of many texts, short ones first so that little is padded; `done` hears how many are finished."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    size = getattr(embedder, "batch", _BATCH)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    out: np.ndarray | None = None
    finished = 0
    with ThreadPoolExecutor(getattr(embedder, "lanes", 1)) as pool:
        try:
            embedded = pool.map(embedder.embed, ([texts[i] for i in batch] for batch in batches))
            for batch, vectors in zip(batches, embedded, strict=True):
                out = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32) if out is None else out
                out[batch] = vectors
                finished += len(batch)
                if done:
                    done(finished)
        finally:
            pool.shutdown(cancel_futures=True)  # whoever interrupts does not wait for the rest
    return out if out is not None else np.zeros((0, embedder.dimensions), dtype=np.float32)


def for_guides(settings: Settings, texts: Sequence[str]) -> Embedder:
    """The embedder of an ingest; the reference makes and checks the graph when there is none.

    Raises:
        EmbedderError: there is no such model, or the endpoint does not answer.
    """
    if settings.embedding_url:
        from advisor.embed.endpoint import Endpoint

        return Endpoint(settings)
    graphs = folder(settings, identity(settings))
    if has_graph(graphs):
        return Graph(graphs)
    reference = Reference(settings.embedding_model, identity(settings))
    probes = texts[:: max(1, len(texts) // _PROBES)] or ["a question"]
    return Graph(graphs) if export(reference, graphs, probes) else reference


def probe(embedder: Embedder) -> tuple[float, ...]:
    """What an endpoint makes of a known text; nothing for a model of this machine, whose name says its weights."""
    from advisor.embed.endpoint import Endpoint

    return embedder.made_of_probe() if isinstance(embedder, Endpoint) else ()


def same_model(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two probes were made by the same weights, for all that can be told from them."""
    from advisor.embed.endpoint import alike

    return not one or not other or alike(one, other)


def ready(settings: Settings) -> bool:
    """Whether an ingest with nothing new to embed leaves an embedder for questions behind."""
    return bool(settings.embedding_url) or folder(settings, identity(settings)).is_dir()


def for_questions(settings: Settings, model: str, dimensions: int, probe: tuple[float, ...] = ()) -> Embedder:
    """The quickest embedder of an index: the endpoint, its graph, or the reference where no graph could be made."""
    if settings.embedding_url:
        from advisor.embed.endpoint import Endpoint

        return Endpoint(settings, dimensions, probe)
    graphs = folder(settings, model)
    if has_graph(graphs):
        return Graph(graphs)
    reference = Reference(settings.embedding_model, model)
    if graphs.is_dir():  # it was tried before
        return reference
    try:
        return Graph(graphs) if export(reference, graphs, _PROBE) else reference
    except OSError:  # a folder that cannot be written costs some seconds with each start, and no more
        return reference
