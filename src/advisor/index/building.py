"""From guides to a new version of the index: what changed is embedded, the rest taken over, then all is swapped in."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from advisor import corpus, embed
from advisor.embed.adapter import learn
from advisor.errors import IndexBusy
from advisor.index.units import FORMAT, Words, fingerprint, units
from advisor.store import About, Held, Store, connect

if TYPE_CHECKING:
    from advisor.settings import Settings

Progress = Callable[[int, int], None]
"""Hears how many of how many texts are embedded."""
_AGAIN = 0.5
"""Seconds after which to look again whether another process has made the first index."""


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


def ingest(settings: Settings, progress: Progress | None = None, again: bool = False) -> Summary:
    """Bring the index up to date with the guides; `again` embeds everything anew.

    Raises:
        CorpusError: no guide can be read; the index in use stays as it is.
        IndexBusy: another process is writing this index.
        IndexUnusable: the index cannot be written.
        EmbedderError: the guides cannot be embedded.
    """
    started = time.monotonic()
    read = corpus.read(settings.corpus)
    store = connect(settings)
    with store.writing():
        before = store.current()
        if read.problems and before and before.format == FORMAT and store.complete(before):
            read = _keep_earlier(read, store, before)
        about = None if again else before
        words = Words.read(settings, read)
        model = embed.identity(settings)
        mark = fingerprint(read, words, model)
        embedded = 0
        if not about or about.fingerprint != mark or not store.complete(about):
            embedded = _build(settings, store, read, words, About(FORMAT, mark, model, 0), about, progress)
    tables = len({p.table for p in read.passages if p.table})
    problems = tuple(line for lines in read.problems.values() for line in lines)
    seconds = time.monotonic() - started
    sections = len({(p.source, p.headings) for p in read.passages})
    return Summary(len(read.guides), len(read.passages), tables, sections, embedded, seconds, mark, problems)


def first(settings: Settings, progress: Progress | None = None) -> None:
    """Build the first index; where another process is at it, wait until it has, or take over when it has failed.

    Raises:
        AdvisorError: as `ingest`.
    """
    while not exists(settings):
        try:
            ingest(settings, progress)
        except IndexBusy:
            time.sleep(_AGAIN)


def exists(settings: Settings) -> bool:
    """Whether there is an index, usable or not."""
    return connect(settings).current() is not None


def complete(settings: Settings) -> bool:
    """Whether the vectors of the index in use are all there."""
    store = connect(settings)
    about = store.current()
    return about is not None and store.complete(about)


def writer(settings: Settings) -> str:
    """Who is writing the index now, in words; empty when nobody is."""
    return connect(settings).writer()


def fresh(settings: Settings) -> bool:
    """Whether the index in use holds the guides as they are now.

    Raises:
        CorpusError: no guide can be read.
    """
    store = connect(settings)
    about = store.current()
    if about is None or about.format != FORMAT:
        return False
    read = corpus.read(settings.corpus)
    read = _keep_earlier(read, store, about) if read.problems else read
    return about.fingerprint == fingerprint(read, Words.read(settings, read), embed.identity(settings))


def bar() -> Progress:
    """A progress bar on the terminal, shown once the work has taken longer than a second."""
    from tqdm import tqdm

    shown = tqdm(desc="embedding", unit="text", delay=1, file=sys.stderr)

    def heard(done: int, total: int) -> None:
        shown.total = total
        shown.update(done - shown.n)
        if done >= total:
            shown.close()

    return heard


def _keep_earlier(read: corpus.Corpus, store: Store, about: About) -> corpus.Corpus:
    """A guide that cannot be read now keeps the passages it had."""
    held = store.load(about.version)
    guides = [guide for guide in held.guides if guide.source in read.problems]
    passages = [p for p in held.passages if p.source in read.problems and p.kind != "gap"]
    return corpus.Corpus((*read.guides, *guides), (*read.passages, *passages), read.problems)


def _build(
    settings: Settings,
    store: Store,
    read: corpus.Corpus,
    words: Words,
    new: About,
    old: About | None,
    progress: Progress | None,
) -> int:
    """Embed what the old version lacks, write the new one and put it in use; how many texts were embedded."""
    made = units(read.passages, words)
    hashes = [hashlib.sha256(unit.text.encode()).hexdigest()[:24] for unit in made]
    known = store.vectors(old.version) if old and old.model == new.model and store.complete(old) else {}
    every = {h: unit.text for h, unit in zip(hashes, made, strict=True)}
    fresh = {h: text for h, text in every.items() if h not in known}
    probe = old.probe if old and known else ()
    if fresh or not embed.ready(settings):
        embedder = embed.for_guides(settings, list(fresh.values()))
        before, probe = probe, embed.probe(embedder)
        fresh = fresh if embed.same_model(before, probe) else every  # old vectors are no use beside another model's
        texts = list(fresh.values())
        heard = (lambda done: progress(done, len(texts))) if progress else None
        known |= dict(zip(fresh, embed.all_of(texts, embedder, heard), strict=True))
    matrix = np.stack([known[h] for h in hashes])
    held = Held(
        guides=tuple(replace(guide, asked=words.asked(guide)) for guide in read.guides),
        passages=(*read.passages, *words.gaps),
        units=tuple((unit.passage, unit.line) for unit in made),
        adapter=learn(matrix, [u.section for u in made], [n for n, u in enumerate(made) if u.asked]),
    )
    new = replace(new, units=len(made), dimensions=matrix.shape[1], probe=probe)
    store.swap(store.write(held, hashes, matrix, new))
    return len(fresh)
