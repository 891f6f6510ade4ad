"""A question as the advisor understands it: what it names, what it is about, and what sort of answer it wants.

Typing errors are mended and short forms spelled out for the search; the question that the reader sees stays as typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from advisor.vocabulary import Mention, Slots, Vocabulary, english, foreign_words, slots, stop_words
from advisor.words import folded, stem, tokens

if TYPE_CHECKING:
    from advisor.search import Lexicon

_SHORTEST_TYPO = 4
_LONG_WORD = 8
YEAR = re.compile(r"(?:19|20)\d\d")
_CODE = 3
"""From this many digits on, a number is taken for part of a name (`AI-102`)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, read with a vocabulary."""

    text: str
    """As typed."""
    clear: str
    """Typing errors mended, short forms of roles, levels and regions spelled out: what is searched."""
    slots: Slots
    mentions: tuple[Mention, ...]
    words: tuple[str, ...]
    """Its tokens, mended."""
    terms: tuple[str, ...]
    """Stems of the words that say what it is about: neither filler nor the name of a role, level or region."""
    foreign: bool = False
    """Whether it is asked in another language than English, as far as its small words tell."""

    @property
    def years(self) -> tuple[str, ...]:
        """The calendar years it names."""
        return tuple(word for word in self.words if YEAR.fullmatch(word))

    def says(self, sort: str) -> bool:
        """Whether the question uses one of the phrases that `english.yaml` lists for a sort of question."""
        return bool(_pattern(sort).search(" ".join(self.words)))


class Reader:
    """Reads questions with the words of one corpus."""

    def __init__(self, vocabulary: Vocabulary, lexicon: Lexicon, real_words: frozenset[str] = frozenset()) -> None:
        self.vocabulary = vocabulary
        self.lexicon = lexicon
        self.read = lru_cache(maxsize=1024)(self._read)
        self.is_word = lru_cache(maxsize=4096)(self._is_word)
        self._nearest = lru_cache(maxsize=4096)(self._nearest_of)
        """Several steps read one question. The caches go with their reader."""
        self.real_words = real_words
        """Words that exist, whether the corpus has them or not: never taken for typing errors."""
        kinds = (vocabulary.roles, vocabulary.levels, vocabulary.regions, vocabulary.topics)
        aliases = [alias for kind in kinds for name, more in kind.items() for alias in (name, *more)]
        self.known = {word for alias in aliases for word in tokens(alias)}
        self.targets = [w for w in self.known | set(lexicon.words) if len(w) >= _SHORTEST_TYPO and w.isalpha()]

    def _read(self, text: str) -> Question:
        """Understand one question."""
        mended = self._mend(text)
        words = tuple(tokens(mended))
        made = self._implied(words)
        mentions = (*self.vocabulary.mentions(mended), *made)
        implied = {m.start for m in made}
        named = {at for m in mentions if m.kind != "topics" for at in range(m.start, m.end)}
        foreign = sum(word in foreign_words() for word in words) >= max(1, len(words) // 4)
        filler = stop_words() | foreign_words() if foreign else stop_words()
        terms = dict.fromkeys(
            stem(word)
            for at, word in enumerate(words)
            if at in implied or at not in named and word not in filler and _tells(word)
        )
        clear = self._spelled_out(words, mentions)
        return Question(text, clear, slots(mentions), mentions, words, tuple(terms), foreign)

    def _implied(self, words: tuple[str, ...]) -> list[Mention]:
        """Topics that a verb asks for without naming them: `what does she make`."""
        said = " ".join(words)
        found = []
        for topic, patterns in english()["implied"].items():
            match = next((m for p in patterns if (m := re.search(p, said))), None)
            if (
                match
                and topic in self.vocabulary.topics
                and not any(m.kind == "topics" and m.name == topic for m in self.vocabulary.mentions(said))
            ):
                at = said[: match.start(1)].count(" ")
                found.append(Mention("topics", topic, at, at + 1))
        return found

    def _mend(self, text: str) -> str:
        """The text with words that exist nowhere replaced by the nearest word of the corpus, if one is near."""
        mended = text
        for word in dict.fromkeys(tokens(text)):
            better = self._nearest(word)
            if better != word:
                mended = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", better, mended, flags=re.IGNORECASE)
        return mended

    def _nearest_of(self, word: str) -> str:
        if len(word) < _SHORTEST_TYPO or not word.isalpha() or self._exists(word):
            return word
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        most = 2 if len(word) >= _LONG_WORD else 1
        found = process.extract(word, self.targets, scorer=DamerauLevenshtein.distance, score_cutoff=most, limit=8)
        near = [
            (distance, candidate[0] != word[0], -self.lexicon.words[candidate], candidate)
            for candidate, distance, _ in found
        ]
        return min(near)[-1] if near else word

    def _is_word(self, word: str) -> bool:
        """Whether a word exists, or is a typing error of one that does."""
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        if self._exists(word) or not self.real_words:
            return True
        return process.extractOne(word, self.real_words, scorer=DamerauLevenshtein.distance, score_cutoff=1) is not None

    def _exists(self, word: str) -> bool:
        return (
            word in self.known
            or word in stop_words()
            or word in foreign_words()
            or word in self.lexicon.words
            or word in self.real_words
            or self.lexicon.knows(stem(word))
        )

    def _spelled_out(self, words: tuple[str, ...], mentions: tuple[Mention, ...]) -> str:
        out: list[str] = []
        at = 0
        spans = {m.start: m for m in reversed(mentions) if m.kind != "topics"}
        meant = {m.start: m.name for m in mentions if m.kind == "topics" and words[m.start] in stop_words()}
        while at < len(words):
            mention = spans.get(at)
            out.append(mention.name if mention else meant.get(at, words[at]))
            at = mention.end if mention else at + 1
        return " ".join(out)


def _tells(word: str) -> bool:
    """Whether a word can say what a question is about: a letter, or a number such as an age, cannot."""
    return len(word) > 1 and not (word.isdigit() and len(word) < _CODE) and not YEAR.fullmatch(word)


@lru_cache(maxsize=64)
def _pattern(sort: str) -> re.Pattern[str]:
    phrases = [folded(phrase) for phrase in english()["sorts"][sort]]
    return re.compile(r"(?<!\w)(?:" + "|".join(sorted(phrases, key=len, reverse=True)) + r")(?!\w)")
