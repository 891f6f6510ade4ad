"""One version of the index, open for questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from advisor import embed
from advisor.errors import IndexUnusable
from advisor.index.units import FORMAT
from advisor.store import Store, connect
from advisor.types import Guide, Passage

if TYPE_CHECKING:
    import numpy as np

    from advisor.settings import Settings


@dataclass(frozen=True)
class Index:
    """One version of the index, open for questions."""

    guides: tuple[Guide, ...]
    passages: tuple[Passage, ...]
    gaps: tuple[Passage, ...]
    """What the guides are known not to cover; units past the passages stand for these."""
    fingerprint: str
    model: str
    version: str
    dimensions: int
    """Of its vectors."""
    probe: tuple[float, ...] = field(repr=False)
    """What an endpoint made of a known text when it embedded the guides."""
    store: Store = field(repr=False)
    units: tuple[tuple[int, str], ...] = field(repr=False)
    adapter: np.ndarray | None = field(repr=False)
    """What the vectors of questions are adapted with before the search."""

    @classmethod
    def open(cls, settings: Settings) -> Index:
        """The index in use.

        Raises:
            IndexUnusable: there is none, it is damaged, or it was made by another embedding model.
        """
        store = connect(settings)
        about = store.current()
        if about is None:
            raise IndexUnusable(f"{store.where}: there is no index yet. Run `python ingest.py`.")
        if about.format != FORMAT:
            raise IndexUnusable(f"{store.where}: made by another version of this program. Run `python ingest.py`.")
        if about.model != (wanted := embed.identity(settings)):
            raise IndexUnusable(
                f"{store.where}: made with the embedding model {about.model}, but ADVISOR_EMBEDDING_MODEL="
                f"{settings.embedding_model}{_served(wanted)}. Run `python ingest.py` to embed the guides anew, or set "
                "it back."
            )
        with _reading(store):
            held = store.load(about.version)
        if len(held.units) != about.units:
            raise _damaged(store)
        passages = tuple(p for p in held.passages if p.kind != "gap")
        return cls(
            guides=held.guides,
            passages=passages,
            gaps=held.passages[len(passages) :],
            fingerprint=about.fingerprint,
            model=about.model,
            version=about.version,
            dimensions=about.dimensions,
            probe=about.probe,
            store=store,
            units=held.units,
            adapter=held.adapter,
        )

    def nearest(self, vector: np.ndarray, limit: int) -> list[tuple[int, str, float]]:
        """The lines nearest to a unit vector: (passage number, line, cosine), best first; gaps come after passages."""
        with _reading(self.store):
            found = self.store.query(self.version, vector, min(limit, len(self.units)))
        return [(*self.units[number], similarity) for number, similarity in found]

    def vectors(self, numbers: Sequence[int]) -> np.ndarray:
        """The unit vectors of some units, shape (numbers, dimensions)."""
        with _reading(self.store):
            return self.store.some(self.version, numbers)

    def superseded(self) -> bool:
        """Whether a newer version was swapped in since this one was opened."""
        about = self.store.current()
        return about is not None and about.version != self.version


def _served(identity: str) -> str:
    return ", served by ADVISOR_EMBEDDING_URL" if identity.startswith(embed.ENDPOINT) else ""


def _damaged(store: Store) -> IndexUnusable:
    return IndexUnusable(f"{store.where}: the index is damaged. Run `python ingest.py --again` to rebuild it.")


@contextmanager
def _reading(store: Store) -> Iterator[None]:
    """A damaged database raises anything; what it means is always the same."""
    try:
        yield
    except IndexUnusable:
        raise
    except Exception as error:
        raise _damaged(store) from error
