"""LlamaIndex as its starter for local models does it: a folder read, split, embedded, persisted; a retriever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from llama_index.core import Settings, SimpleDirectoryReader, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.embeddings.huggingface import HuggingFaceEmbedding


def ingest(corpus: Path, store: Path, weights: str) -> int:
    """Read the folder and persist its index; the number of nodes."""
    Settings.embed_model = HuggingFaceEmbedding(model_name=weights)
    documents = SimpleDirectoryReader(str(corpus), recursive=True).load_data()
    index = VectorStoreIndex.from_documents(documents)
    index.storage_context.persist(str(store))
    return len(index.docstore.docs)


def opened(corpus: Path, store: Path, weights: str) -> Callable[[str, int], list[tuple[str, str]]]:
    """A search in the persisted index."""
    Settings.embed_model = HuggingFaceEmbedding(model_name=weights)
    index: Any = load_index_from_storage(StorageContext.from_defaults(persist_dir=str(store)))

    def search(question: str, limit: int) -> list[tuple[str, str]]:
        found = index.as_retriever(similarity_top_k=limit).retrieve(question)
        return [(str(Path(n.metadata["file_path"]).relative_to(corpus)), n.get_content()) for n in found]

    return search
