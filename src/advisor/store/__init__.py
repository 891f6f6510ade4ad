"""Where versions of the index are kept: in a folder, or on a Chroma server; the only room that knows Chroma.

Vectors are always given: Chroma's own default model, which would be fetched from the network, is never loaded.
Beside each vector stands the hash of its text, so that a later version can take it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from advisor.store.records import About, Held

if TYPE_CHECKING:
    import numpy as np

    from advisor.settings import Settings

__all__ = ["About", "Held", "Store", "connect"]


class Store(Protocol):
    """Where versions of the index are kept. Two implementations: a folder, and a Chroma server."""

    where: str

    def current(self) -> About | None:
        """What the version in use says of itself, or None."""
        ...

    def complete(self, about: About) -> bool:
        """Whether a version's vectors are all there."""
        ...

    def load(self, version: str) -> Held:
        """A version's guides, passages and units."""
        ...

    def vectors(self, version: str) -> dict[str, np.ndarray]:
        """A version's vectors by the hash of their text."""
        ...

    def some(self, version: str, numbers: Sequence[int]) -> np.ndarray:
        """The vectors of some units, in the order of their numbers, shape (numbers, dimensions)."""
        ...

    def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        """The units nearest to a vector: (number, cosine), best first."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Be the one writer for as long as the block.

        Raises:
            IndexBusy: another one is writing.
        """
        ...

    def write(self, held: Held, hashes: list[str], vectors: np.ndarray, about: About) -> About:
        """Write a new version, not yet in use, and return what it says of itself, its name included."""
        ...

    def swap(self, about: About) -> None:
        """Put a version in use, and let go of those before the last."""
        ...

    def writer(self) -> str:
        """Who is writing now, in words; empty when nobody is."""
        ...


def connect(settings: Settings) -> Store:
    """The store that the settings name."""
    if settings.chroma_url:
        from advisor.store.server import ServerStore

        return ServerStore(settings)
    from advisor.store.folder import FolderStore

    return FolderStore(settings)
