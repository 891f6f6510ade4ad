"""Haystack as its indexing and query pipelines do it: Markdown to documents, cleaned, split, embedded, in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from haystack import Pipeline
from haystack.components.converters import MarkdownToDocument
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)


def ingest(corpus: Path, store: Path, weights: str) -> int:
    """Run the indexing pipeline over the folder and save its store; the number of documents."""
    documents = InMemoryDocumentStore(embedding_similarity_function="cosine")
    pipeline = Pipeline()
    pipeline.add_component("converter", MarkdownToDocument(progress_bar=False))
    pipeline.add_component("cleaner", DocumentCleaner())
    pipeline.add_component("splitter", DocumentSplitter())
    pipeline.add_component("embedder", SentenceTransformersDocumentEmbedder(model=weights, progress_bar=False))
    pipeline.add_component("writer", DocumentWriter(documents))
    for one, next_one in (("converter", "cleaner"), ("cleaner", "splitter"), ("splitter", "embedder")):
        pipeline.connect(one, next_one)
    pipeline.connect("embedder", "writer")
    pipeline.run({"converter": {"sources": sorted(corpus.rglob("*.md"))}})
    documents.save_to_disk(str(store))
    return documents.count_documents()


def opened(corpus: Path, store: Path, weights: str) -> Callable[[str, int], list[tuple[str, str]]]:
    """A query pipeline over the saved store."""
    documents = InMemoryDocumentStore.load_from_disk(str(store))
    pipeline = Pipeline()
    pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model=weights, progress_bar=False))
    pipeline.add_component("retriever", InMemoryEmbeddingRetriever(documents))
    pipeline.connect("embedder.embedding", "retriever.query_embedding")

    def search(question: str, limit: int) -> list[tuple[str, str]]:
        found = pipeline.run({"embedder": {"text": question}, "retriever": {"top_k": limit}})
        return [(document.meta["file_path"], document.content) for document in found["retriever"]["documents"]]

    return search
