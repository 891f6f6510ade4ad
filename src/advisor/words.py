"""Plain operations on words: tokens, stems, sentences. Knows English word endings and nothing of any subject."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:[+#]+|(?:['’][^\W\d_]+)?)", re.UNICODE)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]?\s+(?=[\"“‘(]?[A-Z0-9$£€])")
_SHORT_FORM = re.compile(
    r"(?:\b(?:vs|etc|e\.g|i\.e|approx|no|dr|mr|ms|st|inc|ltd|u\.s|u\.k|jr|sr)|\b[A-Z])\.$", re.IGNORECASE
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")


def folded(text: str) -> str:
    """Lower case, one kind of dash, quote and space: two texts that read alike compare equal."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_DASHES).replace("’", "'")
    return " ".join(text.casefold().split())


def tokens(text: str) -> list[str]:
    """Words and numbers in order, folded; `C++` and `don't` stay whole, `U.S.` and `R&D` fall apart."""
    return list(_tokens(text))


@lru_cache(maxsize=20_000)
def _tokens(text: str) -> tuple[str, ...]:
    """A guide's lines, headings and labels are read again with every question."""
    plain = folded(text)
    found = _TOKEN.findall(plain)
    return tuple(word.removesuffix("'s") for word in found) if "'s" in plain else tuple(found)


@lru_cache(maxsize=1)
def _stemmer() -> object:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its English ending (Porter's second algorithm, as Snowball has it)."""
    if len(word) < 4:
        return word
    return _remembered.get(word) or str(_stemmer().stemWord(word))  # type: ignore[attr-defined]


_remembered: dict[str, str] = {}


def remember(stems: Mapping[str, str]) -> None:
    """Take over stems that were made before; making thousands of them is a large part of a short start."""
    _remembered.update(stems)


def stems(text: str) -> list[str]:
    """The stems of a text's tokens, in order."""
    return [stem(token) for token in tokens(text)]


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a paragraph; `e.g.` and `vs.` do not end one."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[start : end.end()].strip()
        if not _SHORT_FORM.search(piece.rstrip('"”’)')):
            found.append(piece)
            start = end.end()
    return (*found, text[start:].strip()) if text[start:].strip() else tuple(found)


def without_mark(line: str) -> str:
    """A line without the bullet or number of a list."""
    return _LIST_MARK.sub("", line).strip()


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = "".join(c for c in heading.strip().lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
