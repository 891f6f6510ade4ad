"""Questions that arrive together are embedded together: one run of the model for all that wait.

As many runs go on at once as the machine has cores; whoever finds none free waits, and the next free run takes everyone
who waits. A question that is alone never waits. Knows nothing of models: it stands in front of any embedder.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import EmbedderAway

if TYPE_CHECKING:
    from advisor.types import Embedder


LONG = 400
"""Characters from which a text is embedded apart: beside it, every short one would be padded to its length."""


class _Asked:
    """The texts of one asker, and what came of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.long = any(len(text) >= LONG for text in texts)
        self.vectors: np.ndarray | None = None
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.vectors is not None or self.error is not None


class Together:
    """An embedder that many threads share; its vectors are the ones each thread would have got alone."""

    def __init__(self, embedder: Embedder, lanes: int | None = None) -> None:
        self._embedder = embedder
        self._free = lanes or os.cpu_count() or 1
        self._waiting: list[_Asked] = []
        self._changed = threading.Condition()
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    def __getattr__(self, name: str) -> Any:
        """What else the embedder has, for instance its tokenizer."""
        return getattr(self._embedder, name)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), dimensions), float32; an error reaches only whose text caused it."""
        mine = _Asked(texts)
        with self._changed:
            self._waiting.append(mine)
            while not mine.done and (self._free == 0 or mine not in self._waiting):
                self._changed.wait()
            if not mine.done:
                self._free -= 1
                together = [mine] if mine.long else [asked for asked in self._waiting if not asked.long]
                self._waiting = [asked for asked in self._waiting if asked not in together]
        if not mine.done:
            self._run(together)
        if mine.error is not None:
            raise mine.error
        assert mine.vectors is not None
        return mine.vectors

    def _run(self, together: Sequence[_Asked]) -> None:
        try:
            self._embed(together)
        finally:
            with self._changed:
                self._free += 1
                self._waiting += [asked for asked in together if not asked.done]  # a run that was interrupted
                self._changed.notify_all()

    def _embed(self, together: Sequence[_Asked]) -> None:
        try:
            vectors = self._embedder.embed([text for asked in together for text in asked.texts])
        except Exception as error:  # noqa: BLE001 (handed to its asker; the others are asked again, each alone)
            if len(together) == 1 or isinstance(error, EmbedderAway):  # who is away for one is away for all
                for asked in together:
                    asked.error = error
                return
            for asked in together:
                self._embed([asked])
            return
        start = 0
        for asked in together:
            asked.vectors = vectors[start : start + len(asked.texts)]
            start += len(asked.texts)
