"""Question in, passages out: nearness of meaning and shared words, weighed together. Pure functions over an index.

The lexical half is BM25 (Robertson and Zaragoza, 2009, with its usual constants) over the passages' text and headings.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from advisor.types import Hit, Passage
from advisor.words import stem, stems, tokens

if TYPE_CHECKING:
    from advisor.asked import Ways
    from advisor.index import Index

_K1, _B = 1.2, 0.75
_HEADINGS_COUNT = 2
"""A word in a passage's nearest heading counts as often as this many in its text."""
LOOK_AT = 120
"""How many lines are looked at on each side, in meaning and in words."""
_LEXICAL_CEILING = 0.999


@dataclass(frozen=True, slots=True)
class Mix:
    """How much each half of the search weighs, and whether single table rows may be found."""

    dense: float = 0.7
    lexical: float = 0.3
    rows: bool = True


_Postings = dict[str, tuple[np.ndarray, np.ndarray]]
"""By stem: numbers of the passages that hold it, and what it adds to the score of each."""


class Lexicon:
    """The words of the passages: where each stem stands, and how rare it is."""

    def __init__(self, passages: Sequence[Passage], ways: Ways | None = None) -> None:
        self.size = len(passages)
        self.words: Counter[str] = Counter()
        stands: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        lengths = np.zeros(max(self.size, 1), dtype=np.float32)
        for number, passage in enumerate(passages):
            counts = self._count(passage)
            lengths[number] = sum(counts.values())
            for word, count in counts.items():
                where, how_often = stands[word]
                where.append(number)
                how_often.append(count)
        self.asked = set(map(stem, {word for said in (ways or {}).values() for word in tokens("\n".join(said))}))
        """Stems of the ways of asking: known words, which do not weigh in the search itself (a measured loss)."""
        self._weights = {word: self.idf(len(where)) for word, (where, _) in stands.items()}
        self._most = self.idf(0)
        self.postings = self._weighed(stands, lengths)

    def _weighed(self, stands: dict[str, tuple[list[int], list[int]]], lengths: np.ndarray) -> _Postings:
        norm = _K1 * (1 - _B + _B * lengths / (float(lengths.mean()) or 1.0))
        numbers = np.fromiter(chain.from_iterable(where for where, _ in stands.values()), dtype=np.intp)
        counts = np.fromiter(chain.from_iterable(often for _, often in stands.values()), dtype=np.float32)
        ends = np.cumsum([len(where) for where, _ in stands.values()]).tolist()
        tells = np.array(list(self._weights.values()), dtype=np.float32).repeat(np.diff(ends, prepend=0))
        weights = tells * counts * (_K1 + 1) / (counts + norm[numbers])
        spans = pairwise([0, *ends])
        return {word: (numbers[a:b], weights[a:b]) for word, (a, b) in zip(stands, spans, strict=True)}

    def _count(self, passage: Passage) -> Counter[str]:
        heading = tokens(passage.headings[-1]) if passage.headings else []
        body = tokens(passage.text) + [word for h in passage.headings[1:-1] for word in tokens(h)]
        self.words.update(heading)
        self.words.update(body)
        return Counter(stem(word) for word in body + heading * _HEADINGS_COUNT)

    def idf(self, count: int) -> float:
        """How much a stem that stands in `count` passages tells."""
        return math.log(1 + (self.size - count + 0.5) / (count + 0.5))

    def weight(self, word: str) -> float:
        """How much a stem tells; one that stands nowhere tells most."""
        return self._weights.get(word, self._most)

    def stands_in(self, word: str) -> int:
        """How many passages have a word with this stem."""
        return len(self.postings[word][0]) if word in self.postings else 0

    def knows(self, word: str) -> bool:
        """Whether any passage, or way of asking for one, has a word with this stem."""
        return word in self.postings or word in self.asked

    def scores(self, words: Iterable[str]) -> np.ndarray:
        """BM25 of every passage, shape (passages,)."""
        total = np.zeros(self.size, dtype=np.float32)
        for word in words:
            if word in self.postings:
                numbers, weights = self.postings[word]
                total[numbers] += weights
        return total


def _highest(values: np.ndarray, most: int) -> np.ndarray:
    """The places of the highest values; of many values only those are sorted that can be among them."""
    if len(values) <= 2 * most:
        return np.argsort(-values)[:most]
    among = np.flatnonzero(values >= np.partition(values, -most)[-most])
    return among[np.argsort(-values[among], kind="stable")[:most]]


def search(
    text: str,
    nearest: Sequence[tuple[int, str, float]],
    index: Index,
    lexicon: Lexicon,
    mix: Mix | None = None,
    limit: int = 10,
) -> tuple[Hit, ...]:
    """The passages that answer best, best first.

    `text` is the question in words, `nearest` the lines of the index nearest to it in meaning.
    """
    mix = mix or Mix()
    near: dict[int, tuple[float, str]] = {}
    for number, line, similarity in nearest:
        if number not in near and number < len(index.passages):
            near[number] = (similarity, line)
    asked = list(dict.fromkeys(stems(text)))
    most = sum(lexicon.weight(word) for word in asked if word in lexicon.postings) * (_K1 + 1) or 1.0
    shared = lexicon.scores(asked) / most
    candidates = set(near) | {int(n) for n in _highest(shared, LOOK_AT) if shared[n] > 0}
    floor = min((similarity for similarity, _ in near.values()), default=0.0)
    hits = []
    for number in candidates:
        passage = index.passages[number]
        if passage.kind == "note" or passage.kind == "row" and not mix.rows:
            continue
        similarity, line = near.get(number, (floor, ""))
        score = mix.dense * max(similarity, 0.0) + mix.lexical * min(float(shared[number]), _LEXICAL_CEILING)
        hits.append((-round(score / (mix.dense + mix.lexical), 6), passage.id, number, line))
    hits.sort()
    return tuple(Hit(index.passages[number], -score, line) for score, _, number, line in hits[:limit])
