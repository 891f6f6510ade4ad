"""Whether words of a passage carry a sentence, and which words those are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.citations.figures import Figure, figures, same
from advisor.citations.scope import MOST_KEPT, Reader
from advisor.types import Cell, Evidence, Passage
from advisor.vocabulary import stop_words
from advisor.words import stem, stems, tokens

if TYPE_CHECKING:
    from advisor.citations.scope import Claim, Held
    from advisor.vocabulary import Vocabulary

ENOUGH = 0.5
"""Share of a sentence's content words that a passage must hold to carry it."""
SURE = 0.75
"""The same for a passage that the sentence does not cite while it cites others."""
FEW = 0.34
"""The same for a sentence whose figures the passage holds: those already tie the two together."""
RIVAL = 2
"""So many more words shared with a line that gives another figure, and the figure claimed is taken from elsewhere."""
_ABSENT = re.compile(
    r"\b(?:guides?|passages?|sources?|context|documents?)\b[^.;]{0,40}?"
    r"(?:\b(?:not|no|nothing|never|lacks?|without|silent)\b|n't\b)"
    r"|(?:n't|not) (?:be )?(?:covered|mentioned|given|stated|listed|said|in the guides?|know|find|have enough)"
    r"|\b(?:nothing|no (?:information|figures?|data|mention))\b"
    r"|\b(?:can't|cannot|could not|couldn't|unable to) (?:find|answer|say)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;,:]|\b(?:but|while|whereas|although|and|so)\b", re.IGNORECASE)
_ANSWER = re.compile(r"^\W*(?:yes|no)\b[,.:;]?", re.IGNORECASE)
_DENIALS = frozenset(("not", "no", "never", "without", "rarely", "seldom", "hardly", "cannot", "neither", "nor"))
_TURN = re.compile(r"\b(?:but|however|though|although|still|yet|that said|nevertheless)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quote:
    """Exact words of a passage, and the cell they stand in."""

    text: str
    cell: Cell | None = None


class Words:
    """Compares the words of sentences with those of passages; remembers what it has compared."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._content: dict[str, tuple[str, ...]] = {}
        self._passages: dict[tuple[str, str], frozenset[str]] = {}
        self._lines: dict[tuple[str, str], tuple[tuple[str, frozenset[str]], ...]] = {}
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        self._all: dict[str, frozenset[str]] = {}

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Words:
        """The one for a vocabulary, kept from question to question until another vocabulary comes."""
        kept = _LAST.get("words")
        if kept is None or kept.reader.vocabulary is not vocabulary:
            kept = _LAST["words"] = cls(Reader(vocabulary))
        return kept

    def content(self, text: str) -> tuple[str, ...]:
        """Stems that say something: no stop words, no numbers, no names of roles, levels and regions."""
        if text not in self._content:
            if len(self._content) > MOST_KEPT:
                self._content.clear()
                self._all.clear()
            words = tokens(text)
            named = {
                at
                for mention in self.reader.vocabulary.mentions(text)
                if mention.kind != "topics"
                for at in range(mention.start, mention.end)
            }
            self._content[text] = tuple(
                dict.fromkeys(
                    stem(word)
                    for at, word in enumerate(words)
                    if at not in named and word not in stop_words() and not word[0].isdigit() and len(word) > 1
                )
            )
        return self._content[text]

    def share(self, sentence: str, passage: Passage) -> float:
        """Share of the sentence's content words that the passage, its headings or its intro hold."""
        words = self.content(sentence)
        if not words:
            return 1.0
        held = self._stems(passage)
        return sum(word in held for word in words) / len(words)

    def shared(self, words: set[str], place: Held) -> int:
        """How many of the words stand in the line or cell, its row and its column."""
        cell = place.cell
        return len(words & set(stems(f"{place.quote} {cell.row} {cell.column}" if cell else place.quote)))

    def carries(self, sentence: str, passage: Passage, figures_held: bool = False) -> bool:
        """Whether the passage's words carry the sentence, for a role that both are about."""
        said, there = self.reader.scope(sentence).roles, self._roles(passage)
        if said and there and not set(said) & set(there):
            return False
        words = self.content(sentence)
        if figures_held:
            return len(words) < 4 or self.share(sentence, passage) >= FEW
        return self.share(sentence, passage) >= (1.0 if len(words) < 2 else ENOUGH)

    def touches(self, question: str, passage: Passage) -> bool:
        """Whether a passage shares a topic or half of its words with the question; one without any is met by all."""
        slots, words = self.reader.vocabulary.slots(question), self.content(question)
        if not words and not slots.topics:
            return True
        text = " ".join((passage.text, passage.intro, *passage.headings))
        topics = set(slots.topics) & set(self.reader.vocabulary.slots(text).topics)
        return bool(topics) or self.share(question, passage) >= ENOUGH

    def about_column(self, claim: Claim, place: Held, passage: Passage, beside: Sequence[Figure]) -> bool:
        """Whether a clause names another column of the row than the one its figure stands in.

        A column whose own figure is said too (`beside`) is named for that one: "a 90-minute exam of 60 questions".
        """
        said = set(self.content(claim.clause))
        if place.cell is None or said & set(self.content(place.cell.column)):
            return False
        return any(
            said & set(self.content(column)) and not any(same(f, g) for f in beside for g in figures(value))
            for column, value in passage.cells[1:]
            if column != place.cell.column
        )

    def about_row(self, claim: Claim, sentence: str, row: Passage, others: Sequence[Passage]) -> bool:
        """Whether a claim is about this row of a table, and not about another one that its words name better."""
        if not any(self.content(other.cells[0][1]) for other in others):
            return True  # rows named by roles or levels alone are told apart by the scope of their figures
        near = max(self._named(claim.clause, other) for other in others)
        # A clause that names a row in full decides; a word or two of a name may be there by chance.
        text = claim.clause if near[0] else sentence
        return self._named(text, row) >= max(self._named(text, other) for other in others)

    def names_row(self, sentence: str, row: Passage) -> bool:
        """Whether a sentence has a word of the row's name, where that is more than a role or a level."""
        name = self.content(row.cells[0][1])
        return not name or bool(set(name) & set(self.content(sentence)))

    def names_cell(self, sentence: str, row: Passage) -> bool:
        """Whether a sentence names the row, where it is one, and the column of one of its figures."""
        said = set(self.content(sentence))
        if not row.cells or not set(self.content(row.cells[0][1])) <= said:
            return False
        columns = (set(self.content(column)) for column, value in row.cells[1:] if figures(value))
        return any(column and column <= said for column in columns)

    def _named(self, text: str, row: Passage) -> tuple[bool, int, float]:
        """How well a text names a row: with all of its words, with how many, and with which share of them."""
        key = (row.id, row.cells[0][1])
        if key not in self._names:
            words = tokens(row.cells[0][1])
            self._names[key] = frozenset(stem(w) for w in words if w not in stop_words()) or frozenset(words)
        if text not in self._all:
            self._all[text] = frozenset(stems(text))
        name = self._names[key]
        found = len(name & self._all[text])
        return found == len(name), found, found / max(len(name), 1)

    def contradicts(self, sentence: str, passage: Passage) -> bool:
        """Whether a clause of the passage says all of the sentence's words, and one of the two denies them."""
        words = set(self.content(sentence))
        if not words or passage.kind == "row" or any(_plain(sentence) in _plain(line) for line in passage.lines):
            return False
        said, denied = set(self.reader.scope(sentence).roles), _denies(_ANSWER.sub("", sentence))
        every = (c for line in passage.lines for c in _CLAUSE.split(_ANSWER.sub("", line)) if words <= set(stems(c)))
        clauses = [c for c in every if not said or said & set(self.reader.scope(c).roles)]
        return bool(clauses) and all(_denies(clause) != denied for clause in clauses)

    def is_claim(self, sentence: str, cites: bool = False) -> bool:
        """Whether the sentence says something about the subject, so that a passage must carry it."""
        if sentence.rstrip(" *_\n").endswith(("?", ":")):
            return False
        if _ABSENT.search(sentence):
            rest = _TURN.split(sentence, maxsplit=1)
            return len(rest) > 1 and len(self.content(rest[1])) > 2
        return len(self.content(sentence)) > (0 if cites else 1)

    def quote(self, sentence: str, evidence: Evidence) -> Quote:
        """The line or cell of the passage that shares most with the sentence."""
        passage, words, every = evidence.passage, set(self.content(sentence)), set(stems(sentence))
        if passage.kind == "row" and passage.cells:
            name = passage.cells[0][1]
            cells = [c for c in passage.cells if evidence.cell is None or c[0] == evidence.cell.column]
            named = self.reader.scope(sentence)
            asked = {*named.roles, *named.levels, *named.regions}

            def fit(cell: tuple[str, str]) -> tuple[int, ...]:
                own = self.reader.scope(cell[0])
                slots = asked.intersection(own.roles + own.levels + own.regions)
                value, column = set(stems(cell[1])), set(stems(cell[0]))
                return len(words & value) + len(slots), len(words & column), len(every & (value | column))

            column, value = max(cells[1:] or cells or passage.cells, key=fit)
            return Quote(value, Cell(name, column))
        lines = [held for held in self.lines(passage) if held[0] != passage.intro]
        if not lines:
            return Quote(passage.text)
        # Of lines with as many words of the subject, the one that shares more of the others: names and small words.
        return Quote(max(lines, key=lambda line: (len(words & line[1]), len(every & line[1])))[0])

    def lines(self, passage: Passage) -> tuple[tuple[str, frozenset[str]], ...]:
        """The passage's lines, each with the stems of its words."""
        key = (passage.id, passage.text)
        if key not in self._lines:
            self._lines[key] = tuple((line, frozenset(stems(line))) for line in passage.lines)
        return self._lines[key]

    def _stems(self, passage: Passage) -> frozenset[str]:
        key = (passage.id, passage.text)
        if key not in self._passages:
            self._passages[key] = frozenset(stems(" ".join((passage.text, passage.intro, *passage.headings))))
        return self._passages[key]

    def _roles(self, passage: Passage) -> tuple[str, ...]:
        return self.reader.scope(passage.text).roles or self.reader.about(passage).roles


def _plain(text: str) -> str:
    return f" {' '.join(tokens(text))} ".lower()


def _denies(text: str) -> bool:
    return any(word in _DENIALS or word.endswith("n't") for word in tokens(text))


_LAST: dict[str, Words] = {}
