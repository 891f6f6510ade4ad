"""Passages in, vectors stored in Chroma: built beside the index in use, swapped in whole, rebuilt when in doubt.

A version of the index is a folder of its own (or, on a Chroma server, a pair of collections). The file `current` (the
metadata of one small collection there) names the version in use and is replaced as the last step, so that whatever
interrupts a build leaves the old index answering. Vectors of text that did not change are taken over, not made anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from advisor import asked, corpus, embed
from advisor.errors import CorpusError, IndexBusy, IndexUnusable
from advisor.store import Store, connect
from advisor.types import Guide, Passage
from advisor.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.settings import Settings
    from advisor.types import Embedder

FORMAT = "2"
"""Raised when passages are cut or stored in another way, so that older indexes are rebuilt."""
_PROBES = 100
_MOST_UNITS = 40


class Unit(NamedTuple):
    """What one vector stands for: a line of a passage, read with its headings."""

    passage: int
    line: str
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What an ingest did."""

    guides: int
    passages: int
    tables: int
    sections: int
    embedded: int
    """Texts that were embedded; 0 when nothing changed."""
    seconds: float
    fingerprint: str
    problems: tuple[str, ...] = ()
    """One line for each guide that could not be read; its earlier version, if there is one, was kept."""


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
    store: Store = field(repr=False)
    units: tuple[tuple[int, str], ...] = field(repr=False)

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
        if about.get("format") != FORMAT:
            raise IndexUnusable(f"{store.where}: made by another version of this program. Run `python ingest.py`.")
        if about["model"] != embed.identity(settings.embedding_model):
            raise IndexUnusable(
                f"{store.where}: made with the embedding model {about['model']}, but ADVISOR_EMBEDDING_MODEL="
                f"{settings.embedding_model}. Run `python ingest.py` to embed the guides anew, or set it back."
            )
        with _reading(store):
            held = store.load(about["version"])
        guides = tuple(_guide(g) for g in held.guides)
        passages = tuple(_passage(p) for p in held.passages)
        if len(held.units) != about["units"]:
            raise _damaged(store)
        real = tuple(p for p in passages if p.kind != "gap")
        gaps, named = passages[len(real) :], (about["fingerprint"], about["model"], about["version"])
        return cls(guides, real, gaps, *named, store, tuple(held.units))

    def nearest(self, vector: np.ndarray, limit: int) -> list[tuple[int, str, float]]:
        """The lines nearest to a unit vector: (passage number, line, cosine), best first; gaps come after passages."""
        with _reading(self.store):
            found = self.store.query(self.version, vector, min(limit, len(self.units)))
        return [(*self.units[number], similarity) for number, similarity in found]

    def superseded(self) -> bool:
        """Whether a newer version was swapped in since this one was opened."""
        about = self.store.current()
        return about is not None and about["version"] != self.version


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


def ingest(settings: Settings, progress: Callable[[int, int], None] | None = None, again: bool = False) -> Summary:
    """Bring the index up to date with the guides; `again` embeds everything anew.

    Raises:
        CorpusError: no guide can be read; the index in use stays as it is.
        IndexBusy: another process is writing this index.
        IndexUnusable: the index cannot be written.
    """
    started = time.monotonic()
    read = corpus.read(settings.corpus)
    store = connect(settings)
    with _writing(settings, store):
        before = store.current()
        if read.problems and before and before.get("format") == FORMAT and store.complete(before):
            read = _keep_earlier(read, store, before)
        about = None if again else before
        words = _Words.read(settings, read)
        mark = fingerprint(read, words, embed.identity(settings.embedding_model))
        embedded = 0
        if not about or about["fingerprint"] != mark or not store.complete(about):
            embedded = _build(settings, store, read, words, mark, about, progress)
    tables = len({p.table for p in read.passages if p.table})
    problems = tuple(line for lines in read.problems.values() for line in lines)
    seconds = time.monotonic() - started
    sections = len({(p.source, p.headings) for p in read.passages})
    return Summary(len(read.guides), len(read.passages), tables, sections, embedded, seconds, mark, problems)


def exists(settings: Settings) -> bool:
    """Whether there is an index, usable or not."""
    return connect(settings).current() is not None


def complete(settings: Settings) -> bool:
    """Whether the vectors of the index in use are all there."""
    store = connect(settings)
    about = store.current()
    return about is not None and store.complete(about)


def fresh(settings: Settings) -> bool:
    """Whether the index in use holds the guides as they are now.

    Raises:
        CorpusError: no guide can be read.
    """
    store = connect(settings)
    about = store.current()
    if about is None:
        return False
    read = corpus.read(settings.corpus)
    read = _keep_earlier(read, store, about) if read.problems else read
    mark = fingerprint(read, _Words.read(settings, read), embed.identity(settings.embedding_model))
    return bool(about["fingerprint"] == mark)


def bar() -> Callable[[int, int], None]:
    """A progress bar on the terminal, shown once the work has taken longer than a second."""
    from tqdm import tqdm

    shown = tqdm(desc="embedding", unit="text", delay=1, file=sys.stderr)

    def heard(done: int, total: int) -> None:
        shown.total = total
        shown.update(done - shown.n)
        if done >= total:
            shown.close()

    return heard


class _Words(NamedTuple):
    """What stands beside the guides: their vocabulary, ways of asking, and known gaps."""

    vocabulary: Vocabulary
    ways: asked.Ways
    gaps: tuple[Passage, ...]

    def asked(self, guide: Guide) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The ways of asking that belong to one guide, by heading."""
        return tuple((heading, ways) for (source, heading), ways in self.ways.items() if source == guide.source)

    @classmethod
    def read(cls, settings: Settings, read: corpus.Corpus) -> _Words:
        vocabulary = Vocabulary.read(settings.corpus, read.guides, read.passages)
        return cls(vocabulary, asked.read(settings.corpus, read.guides, read.passages), asked.gaps(settings.corpus))


def fingerprint(read: corpus.Corpus, words: _Words, model: str) -> str:
    """Names what an index holds: the same guides and model give the same one on every machine."""
    guides = sorted(read.guides, key=lambda guide: guide.source)
    content = [FORMAT, model, repr(words), *(f"{guide.source}\0{guide.text}" for guide in guides)]
    return hashlib.sha256("\0\0".join(content).encode()).hexdigest()[:16]


def units(passages: Sequence[Passage], words: _Words) -> list[Unit]:
    """What is embedded of each passage: the whole, each line with headings, a section's heading and ways to ask for it.

    A heading that names several roles ("How long does it take to become an A, B or C?") also stands there once for
    each of them, because people ask about one.
    """
    made: list[Unit] = []
    before: tuple[str, tuple[str, ...]] | None = None
    for number, passage in enumerate(passages):
        context = ". ".join(passage.headings[-2:] if len(passage.headings) > 2 else passage.headings[-1:])
        section = (passage.source, passage.headings)
        if section != before and len(passage.headings) > 1 and passage.kind != "note":
            heading = passage.headings[-1]
            ways = words.ways.get((passage.source, heading), ())
            texts = (heading, *_for_each_role(heading, words.vocabulary), *ways)
            made += [Unit(number, heading, text) for text in texts]
        before = section
        made.extend(Unit(number, line, f"{context}: {text}") for line, text in _readings(passage))
    for number, gap in enumerate(words.gaps, len(passages)):
        made += [Unit(number, gap.headings[0], text) for text in (gap.headings[0], *gap.text.splitlines())]
    return made


def _for_each_role(heading: str, vocabulary: Vocabulary) -> list[str]:
    roles = [m for m in vocabulary.mentions(heading) if m.kind == "roles"]
    words = heading.rstrip("?").split()
    if len(roles) < 2 or roles[-1].end > len(words):
        return []
    before, after = words[: roles[0].start], words[roles[-1].end :]
    mark = "?" if heading.endswith("?") else ""
    return [" ".join([*before, role, *after]) + mark for role in dict.fromkeys(m.name for m in roles)]


def _readings(passage: Passage) -> list[tuple[str, str]]:
    lines = passage.lines
    if passage.kind in ("row", "note", "code") or len(lines) == 1:
        return [("", passage.text)]
    intro = passage.intro if passage.kind in ("list", "steps") else ""
    each = [(line, f"{intro} {line}".strip()) for line in lines if line != intro]
    return [("", passage.text), *each[:_MOST_UNITS]]


def _keep_earlier(read: corpus.Corpus, store: Store, about: dict[str, Any]) -> corpus.Corpus:
    """A guide that cannot be read now keeps the passages it had."""
    held = store.load(about["version"])
    guides = [_guide(g) for g in held.guides if g["source"] in read.problems]
    passages = [_passage(p) for p in held.passages if p["source"] in read.problems and p["kind"] != "gap"]
    return corpus.Corpus((*read.guides, *guides), (*read.passages, *passages), read.problems)


def _build(
    settings: Settings,
    store: Store,
    read: corpus.Corpus,
    words: _Words,
    mark: str,
    about: dict[str, Any] | None,
    progress: Callable[[int, int], None] | None,
) -> int:
    made = units(read.passages, words)
    hashes = [hashlib.sha256(unit.text.encode()).hexdigest()[:24] for unit in made]
    model = embed.identity(settings.embedding_model)
    known = store.vectors(about["version"]) if about and about["model"] == model and store.complete(about) else {}
    fresh = {h: unit.text for h, unit in zip(hashes, made, strict=True) if h not in known}
    if fresh or not store.graph(model).is_dir():
        known |= _embed(settings, store, fresh, progress)
    version = store.write(
        guides=[asdict(replace(g, asked=words.asked(g))) for g in read.guides],
        passages=[asdict(p) for p in (*read.passages, *words.gaps)],
        units=[(unit.passage, unit.line) for unit in made],
        hashes=hashes,
        vectors=np.stack([known[h] for h in hashes]),
        about={"format": FORMAT, "fingerprint": mark, "model": model, "units": len(made)},
    )
    store.swap(version)
    return len(fresh)


def _embed(
    settings: Settings, store: Store, fresh: dict[str, str], progress: Callable[[int, int], None] | None
) -> dict[str, np.ndarray]:
    """Vectors of new text, by the model's graph; the reference makes and checks the graph when there is none."""
    texts = list(fresh.values())
    folder = store.graph(embed.identity(settings.embedding_model))
    embedder: Embedder
    if embed.has_graph(folder):
        embedder = embed.Graph(folder)
    else:
        embedder = reference = embed.Reference(settings.embedding_model)
        if embed.export(reference, folder, texts[:: max(1, len(texts) // _PROBES)] or ["a question"]):
            embedder = embed.Graph(folder)
    heard = (lambda done: progress(done, len(texts))) if progress else None
    return dict(zip(fresh, embed.all_of(texts, embedder, heard), strict=True))


@contextmanager
def _writing(settings: Settings, store: Store) -> Iterator[None]:
    """One writer at a time: two in one Chroma folder corrupt it silently."""
    from filelock import FileLock, Timeout

    try:
        settings.index.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.index / "lock", timeout=0):
            yield
    except Timeout:
        raise IndexBusy(f"{store.where}: another ingest is writing this index. Try again when it has ended.") from None
    except OSError as error:
        if isinstance(error, CorpusError):
            raise
        raise IndexUnusable(
            f"{settings.index}: cannot be written ({os.strerror(error.errno) if error.errno else error}). "
            "Set ADVISOR_INDEX to a folder with room that you may write to."
        ) from error


def _guide(fields: dict[str, Any]) -> Guide:
    asked_for = tuple((heading, tuple(ways)) for heading, ways in fields["asked"])
    tuples = {"roles": tuple(fields["roles"]), "starters": tuple(fields["starters"]), "asked": asked_for}
    return Guide(**{**fields, **tuples})


def _passage(fields: dict[str, Any]) -> Passage:
    cells = tuple((header, value) for header, value in fields["cells"])
    return Passage(**{**fields, "headings": tuple(fields["headings"]), "cells": cells, "notes": tuple(fields["notes"])})
