"""txtai as its introduction does it: texts with content in an embeddings database, saved, loaded, searched.

A guide is cut by txtai's own segmentation into paragraphs, the way its examples read documents. Its extractive question
answering needs a model that reads passages; none comes as a package, so it is left out here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from txtai import Embeddings
from txtai.pipeline import Segmentation


def ingest(corpus: Path, store: Path, weights: str) -> int:
    """Index the paragraphs of the folder and save them; their number."""
    cut = Segmentation(paragraphs=True)
    pieces = [
        (f"{path.relative_to(corpus)}#{number}", text)
        for path in sorted(corpus.rglob("*.md"))
        for number, text in enumerate(cut(path.read_text("utf-8")))
    ]
    embeddings = Embeddings(path=weights, content=True)
    embeddings.index(pieces)
    embeddings.save(str(store))
    return len(pieces)


def opened(corpus: Path, store: Path, weights: str) -> Callable[[str, int], list[tuple[str, str]]]:
    """A search in the saved database."""
    embeddings = Embeddings()
    embeddings.load(str(store))

    def search(question: str, limit: int) -> list[tuple[str, str]]:
        return [(hit["id"].rpartition("#")[0], hit["text"]) for hit in embeddings.search(question, limit)]

    return search
