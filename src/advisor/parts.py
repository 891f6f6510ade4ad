"""A message in, the questions it asks out: stories end in questions, and one sentence may ask two things."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from advisor.vocabulary import english

if TYPE_CHECKING:
    from advisor.question import Reader

_MOST = 4
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.](?=\w)[^.!?\n]*)*[.!?]*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CLAUSE = re.compile(r"\b(?:i|you|we|me|my|is|are|am|was|be|have|do|says?|tell|will)\b", re.I)
"""Before a colon or comma, a word that makes a clause of its own of what stands there: a bare list stays whole."""
_AGAIN = re.compile(r"and (?:for|in|at|as)\b", re.I)
"""The same asked for another name: `what does it pay in A, and in B`."""
_STORY = 24
"""From this many words on, a message is taken for a story of which only the questions are answered."""


def questions(text: str, reader: Reader) -> list[str]:
    """The questions of a message in order, the whole message when it is one question."""
    sentences = [part.strip() for part in _SENTENCE.findall(_TAG.sub("\n", text)) if part.strip()]
    asked = [clause for sentence in sentences for clause in _clauses(sentence, reader)]
    if len(asked) < 2 and len(text.split()) < _STORY and len(sentences) < 2:
        return [text]
    found = [
        _whole(asked, at, reader) for at, clause in enumerate(asked) if asks(clause) or at and _AGAIN.match(clause)
    ]
    return found[-_MOST:] or [text]


def _whole(asked: list[str], at: int, reader: Reader) -> str:
    """A clause that names nothing (`what now?`) with the one before it."""
    question = reader.read(asked[at])
    return asked[at] if at == 0 or question.terms or question.slots else f"{asked[at - 1]} {asked[at]}"


def asks(clause: str) -> bool:
    """Whether a clause is a question, with or without its mark."""
    return clause.endswith("?") or bool(_patterns()[0].search(clause))


def _clauses(sentence: str, reader: Reader) -> list[str]:
    """A sentence cut before each `and what ...`, and where a preposition is repeated with another name."""
    cut = [
        m.start()
        for m in _patterns()[1].finditer(sentence)
        if m[0][0] not in ":;," or _CLAUSE.search(sentence[: m.start()])
    ]
    cut += [m.start("and") for m in re.finditer(r"\b(for|in|at|as) (?:(?!\1 ).)+?(?P<and> and )\1 ", sentence, re.I)]
    edges = sorted({0, *cut, len(sentence)})
    pieces = [sentence[a:b].strip(" ,;:") for a, b in pairwise(edges)]
    pieces = [piece for piece in pieces if piece]
    whole = all(len(piece.split()) > 1 and (reader.read(piece).terms or reader.read(piece).slots) for piece in pieces)
    return pieces if whole else [sentence.strip()]


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    words, verbs, pronouns = ("|".join(english()[f"question_{kind}"]) for kind in ("words", "verbs", "pronouns"))
    begins = rf"(?:(?:{words})\b|(?:{verbs})\s+(?:{pronouns})\b)"
    opener = r"^\W*(?:(?:and|also|then|so|but|pls|please|ok|now|anyway|btw)\b\W*)*"
    return (
        re.compile(rf"{opener}(?:{words}|{verbs})\b", re.I),
        re.compile(
            rf"(?:,|;)?\s+(?:and|but|also|then|plus)\s+(?:also\s+|then\s+)?(?={begins})|[,:;]\s+(?={begins})", re.I
        ),
    )
