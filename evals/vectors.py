"""Vectors of texts that were embedded before, kept in a folder: growing a corpus embeds each text once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from advisor.types import Embedder

_CHUNK = 4096
"""Texts that are embedded before they are written: what an interrupted run loses at most."""


class Kept:
    """An embedder that keeps what another one made; the keys are hashes of the texts."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        import numpy as np

        self.folder = folder / embedder.name
        self.embedder = embedder
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.folder.mkdir(parents=True, exist_ok=True)
        self.at: dict[str, int] = {}
        parts = []
        for names in sorted(self.folder.glob("*.txt")):
            vectors = np.load(names.with_suffix(".npy"))
            new = [(key, at) for at, key in enumerate(names.read_text("ascii").split()) if key not in self.at]
            self.at.update({key: len(self.at) + n for n, (key, _) in enumerate(new)})
            parts.append(vectors[[at for _, at in new]])
        self.held = np.concatenate(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), dimensions), float32; new ones are made and kept."""
        import numpy as np

        keys = [_key(text) for text in texts]
        if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in self.at}:
            self._add(new)
        return self.held[[self.at[key] for key in keys]] if keys else np.zeros((0, self.dimensions), dtype=np.float32)

    def _add(self, new: dict[str, str]) -> None:
        """Embed what is new, texts of like length together so that little is padded."""
        import numpy as np

        from advisor.embed import all_of

        ordered = sorted(new, key=lambda key: len(new[key]))
        for start in range(0, len(ordered), _CHUNK):
            chunk = ordered[start : start + _CHUNK]
            vectors = all_of([new[key] for key in chunk], self.embedder)
            path = self.folder / _key("".join(chunk))  # two processes may fill one folder
            np.save(path.with_suffix(".npy"), vectors)
            path.with_suffix(".new").write_text("\n".join(chunk), "ascii")
            path.with_suffix(".new").replace(path.with_suffix(".txt"))
            self.at.update({key: len(self.at) + n for n, key in enumerate(chunk)})
            self.held = np.concatenate([self.held, vectors])


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
