"""A version of the index as questions read it: plain files beside Chroma's, so that answering needs no database.

Chroma keeps the record. Importing it takes longer than everything else an answer does, and up to some size an exact
product over all vectors is both quicker than its graph and never misses one; beyond that size Chroma is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor import words
from advisor.store import records
from advisor.store.records import Held

if TYPE_CHECKING:
    from pathlib import Path

GUIDES, PASSAGES, VECTORS, ADAPTER = "guides.json", "passages.json", "vectors.npy", "adapter.npy"
MOST_EXACT = 50_000
"""Vectors up to which all are compared: 0.2 ms at 10,000 of 384 dimensions, 2.6 ms here, about what Chroma takes."""


def write(folder: Path, held: Held, matrix: np.ndarray) -> None:
    """Write the files into a version's folder."""
    _dump(folder / GUIDES, [asdict(guide) for guide in held.guides])
    stems = {word: words.stem(word) for word in _words(held)}
    passages = [asdict(passage) for passage in held.passages]
    _dump(folder / PASSAGES, {"passages": passages, "units": held.units, "stems": stems})
    if held.adapter is not None:
        np.save(folder / ADAPTER, held.adapter)
    if len(matrix) <= MOST_EXACT:
        np.save(folder / VECTORS, np.ascontiguousarray(matrix, dtype=np.float32))


def load(folder: Path) -> Held:
    """What a version holds besides its vectors."""
    guides = json.loads((folder / GUIDES).read_text(encoding="utf-8"))
    rest = json.loads((folder / PASSAGES).read_text(encoding="utf-8"))
    words.remember(rest["stems"])
    passages = tuple(map(records.passage, rest["passages"]))
    units = tuple((number, line) for number, line in rest["units"])
    adapter = np.load(folder / ADAPTER) if (folder / ADAPTER).is_file() else None
    return Held(tuple(map(records.guide, guides)), passages, units, adapter)


def vectors(folder: Path) -> np.ndarray | None:
    """The vectors in the order of the units, shape (units, dimensions); None where Chroma is to be asked."""
    return np.load(folder / VECTORS, mmap_mode="r") if (folder / VECTORS).is_file() else None


def nearest(matrix: np.ndarray, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
    """The numbers of the nearest vectors with their cosine, best first; of equals the first in order."""
    near = np.vecdot(matrix, vector)  # on one thread: a matrix product would set all cores spinning for a millisecond
    best = np.argpartition(-near, limit - 1)[:limit] if limit < len(near) else np.arange(len(near))
    best = best[np.lexsort((best, -near[best]))]
    return list(zip(best.tolist(), near[best].tolist(), strict=True))


def sizes(folder: Path) -> dict[str, int]:
    """Every file of a version with its size, Chroma's included; the manifest keeps them."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def changed(folder: Path, written: dict[str, int]) -> set[str]:
    """The files that are gone or have another size than when they were written."""
    now = sizes(folder)
    return {name for name, size in written.items() if now.get(name) != size}


def _words(held: Held) -> Iterable[str]:
    """Every word that opening this version will want the stem of."""
    texts = [text for p in held.passages for text in (p.text, p.intro, *p.headings)]
    texts += [way for guide in held.guides for _, ways in guide.asked for way in ways]
    return dict.fromkeys(word for text in texts for word in words.tokens(text))


def _dump(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
