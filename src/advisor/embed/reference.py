"""The model as sentence-transformers runs it: what an exported graph is checked against."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from advisor.embed.naming import PACKAGED, is_local, stay_offline, weights
from advisor.errors import EmbedderError


class Reference:
    """The model as sentence-transformers runs it; loads any model by name or path."""

    def __init__(self, name: str, identity: str = "") -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        stay_offline(name)
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            self.model = SentenceTransformer(weights(name), device="cpu", local_files_only=is_local(name))
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EmbedderError(
                f"ADVISOR_EMBEDDING_MODEL={name}: the embedding model cannot be loaded ({reason}). Name a model that "
                f"is installed ({', '.join(PACKAGED)}), a folder that holds one, or one your machine can download."
            ) from error
        self.name = identity or name
        self.dimensions = int(self.model.get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), dimensions), float32."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors = self.model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)
