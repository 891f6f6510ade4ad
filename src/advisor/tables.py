"""The guides' tables as tables: which cells a question asks for, how values compare, what a table does not hold.

Nothing here knows what a table is about. A label is asked for when the question names the same role, level or region,
or uses the label's own words; a table can answer when every word that matters is found in its labels, its heading or
the line that introduces it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from advisor.types import Cell, Evidence, Passage
from advisor.vocabulary import KINDS, Slots, Vocabulary, english, stop_words
from advisor.words import stem, tokens

if TYPE_CHECKING:
    from advisor.question import Question
    from advisor.search import Lexicon

_ENOUGH_OF_A_LABEL = 0.5
_ROUNDING = 1e-6
_FILLER = 1
_RANGE = re.compile(
    r"(?P<sign>[$£€])?(?P<low>\d[\d,]*\.?\d*)\s*(?P<k1>[kKmM])?(?:\s*(?:[-–—]|to)\s*[$£€]?(?P<high>\d[\d,]*\.?\d*)\s*(?P<k2>[kKmM])?)?"
)
_SCALE = {"k": 1_000, "m": 1_000_000}


@dataclass(frozen=True, slots=True)
class Label:
    """A row's name or a column's header, with what it names."""

    text: str
    slots: Slots
    stems: frozenset[str]
    holds: Slots
    """What its words name even where the label as a whole is no such name: `Certified ML Engineer Associate`."""
    words: tuple[str, ...]
    """Its tokens."""
    content: tuple[str, ...]
    """Its tokens without the words that only hold a phrase together."""
    keys: frozenset[str]
    """Its tokens, stems and the names it stands for: a question that has none of them does not ask for it."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a guide."""

    name: str
    heading: str
    """The heading it stands under."""
    about: Label
    """Its headings and introduction."""
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]
    """Without the column of row names."""
    passages: tuple[Passage, ...]
    """One for each row."""

    def value(self, row: int, column: int) -> str:
        """The text of a cell."""
        return self.passages[row].cells[column + 1][1]

    def evidence(self, row: int, column: int) -> Evidence:
        """A cell as something to cite."""
        cell = Cell(self.rows[row].text, self.columns[column].text)
        return Evidence(self.passages[row], self.value(row, column), cell)

    def names(self, kind: str) -> tuple[str, ...]:
        """The roles, levels or regions that its labels name."""
        found = [name for label in (*self.rows, *self.columns) for name in getattr(label.slots, kind)]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of a table that a question asks for."""

    table: Table
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    named_rows: bool
    named_columns: bool
    fit: float
    """How much of the question's meaning the table accounts for, between 0 and 1."""
    unexplained: tuple[str, ...]
    """Stems of the question that nothing in the table accounts for."""
    lacking: tuple[str, ...]
    """Roles, levels and regions asked for that the table does not have."""
    verbatim: bool = False
    """Whether the question holds the names of a row and of a column word for word."""
    headed: bool = False
    """Whether it holds the table's heading word for word."""

    @property
    def cells(self) -> list[tuple[int, int]]:
        """Row and column of every cell asked for."""
        return [(row, column) for row in self.rows for column in self.columns]


def read(passages: Iterable[Passage], vocabulary: Vocabulary) -> tuple[Table, ...]:
    """Every table of the corpus, in guide order."""
    rows: dict[str, list[Passage]] = {}
    for passage in passages:
        if passage.table and len(passage.cells) > 1:
            rows.setdefault(passage.table, []).append(passage)
    return tuple(_table(name, found, vocabulary) for name, found in rows.items())


def _table(name: str, passages: list[Passage], vocabulary: Vocabulary) -> Table:
    first = passages[0]
    headings = first.headings[1:] or first.headings
    corner = first.cells[0][0]
    return Table(
        name,
        headings[-1],
        _label(". ".join([*headings, first.intro, corner]), vocabulary, name=False),
        tuple(_label(p.cells[0][1], vocabulary) for p in passages),
        tuple(_label(header, vocabulary) for header, _ in first.cells[1:]),
        tuple(passages),
    )


def _label(text: str, vocabulary: Vocabulary, name: bool = True) -> Label:
    """What a text names; the name of a row or column is a role's only when it says nothing else."""
    named = vocabulary.mentions(text)
    words = tokens(text)
    taken = {at for m in named if m.kind != "topics" for at in range(m.start, m.end)}
    kept = {stem(word) for at, word in enumerate(words) if at not in taken and word not in stop_words()}
    slots = vocabulary.slots(text)
    of_topic = {stem(words[at]) for m in named if m.kind == "topics" for at in range(m.start, m.end)}
    if name and kept - of_topic:  # "Certified ML Engineer Associate" is no role
        slots = Slots(topics=slots.topics)
    content = tuple(word for word in words if word not in english()["glue"])
    keys = frozenset(words) | kept | _names(slots)
    return Label(text, slots, frozenset(kept), vocabulary.slots(text), tuple(words), content, keys)


class Finder:
    """Finds what a question asks for among the tables of one corpus."""

    def __init__(self, tables: Sequence[Table], lexicon: Lexicon) -> None:
        self.tables = tables
        self.lexicon = lexicon
        self.asked_by = self._by_words()
        """For a word, stem or name, the tables with a label that a question could ask for by it: few of many tables."""

    @cached_property
    def regions(self) -> frozenset[str]:
        """The regions that some table is about."""
        return frozenset(name for table in self.tables for name in table.about.slots.regions)

    @cached_property
    def side_by_side(self) -> tuple[Table, ...]:
        """The tables with columns for two roles or more."""
        return tuple(t for t in self.tables if len({r for label in t.columns for r in label.slots.roles}) > 1)

    def _by_words(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        labels = [(n, label) for n, table in enumerate(self.tables) for label in (*table.rows, *table.columns)]
        common = Counter(word for _, label in labels for word in label.content)
        for number, label in labels:
            for key in self._keys(label, common):
                if (at := found.setdefault(key, [])) and at[-1] == number:
                    continue
                at.append(number)
        return found

    def _keys(self, label: Label, common: Mapping[str, int]) -> frozenset[str]:
        """Words, stems and names of which a question that asks for a label holds at least one.

        A question that holds two thirds of a label's words, or half of its stems by weight, cannot lack all of its
        rarest third, or half, and one word more: tables are kept by those alone, since rare words point at few.
        """
        words = sorted(label.content or label.words, key=common.__getitem__)
        needed = -(-2 * len(words) // 3)
        kept, stems = words[: len(words) - needed + 1], list[str]()
        left = total = sum(self.lexicon.weight(word) for word in label.stems)
        for word in sorted(label.stems, key=lambda word: (-self.lexicon.weight(word), word)):
            if left < total * _ENOUGH_OF_A_LABEL * (1 - _ROUNDING):
                break
            stems.append(word)
            left -= self.lexicon.weight(word)
        return frozenset((*kept, *stems)) | _names(label.slots)

    @lru_cache(maxsize=512)  # noqa: B019 (lives as long as its index; several steps ask for the same question)
    def find(self, question: Question) -> tuple[Selection, ...]:
        """The tables that can say something to the question, best first."""
        keys = frozenset((*question.words, *question.terms)) | _names(question.slots)
        near = sorted(set().union(*(self.asked_by.get(key, ()) for key in keys)))
        found = [selection for n in near if (selection := self._select(self.tables[n], question, keys))]
        return tuple(sorted(found, key=lambda s: (-s.fit, len(s.lacking))))

    def _select(self, table: Table, question: Question, keys: frozenset[str]) -> Selection | None:
        near_rows, near_columns = _near(table.rows, keys), _near(table.columns, keys)
        if not (near_rows or near_columns):
            return None
        said = _without(table.heading, question.words)
        rows, columns = _verbatim(near_rows, said), _verbatim(near_columns, said)
        verbatim = bool(rows and columns)
        named = [*(table.rows[i] for i in rows), *(table.columns[i] for i in columns)]
        if not verbatim or all(_slot(label) for label in named):
            rows, columns = self._named(near_rows, question), self._named(near_columns, question)
        labels = [table.rows[i] for i in rows] + [table.columns[i] for i in columns]
        headed = said != f" {' '.join(question.words)} "
        verbatim = verbatim and (headed or any(not _slot(label) for label in labels))
        measured = self._measured([table.about, *labels], question)
        spoken = {stem(word) for label in labels for word in label.words} if verbatim else set()
        said_by_label = bool(rows and columns) and any(not _slot(label) for label in labels)
        unexplained = tuple(term for term in question.terms if term not in measured | spoken)
        by_slots = (
            bool(rows)
            and bool(columns)
            or any(
                set(getattr(table.about.slots, kind)) & set(getattr(question.slots, kind))
                for kind in ("levels", "regions")
            )
        )
        if not (rows or columns) or not (verbatim or measured or said_by_label or by_slots and _fragment(question)):
            return None
        weights = {term: self.lexicon.weight(term) for term in question.terms}
        total = sum(weights.values()) or 1.0
        fit = sum(weights[term] for term in measured) / total if weights else 1.0
        return Selection(
            table,
            tuple(rows or range(len(table.rows))),
            tuple(columns or range(len(table.columns))),
            bool(rows),
            bool(columns),
            fit,
            unexplained,
            self._lacking(table, question, labels),
            verbatim,
            headed,
        )

    def _named(self, labels: Mapping[int, Label], question: Question) -> list[int]:
        """The labels that the question names; the fullest match where several share words with it."""
        by_slot = [i for i, label in labels.items() if _shares(label.slots, question.slots)]
        if by_slot:
            return by_slot
        scores = {i: self._overlap(label, question) for i, label in labels.items()}
        best = max(scores.values(), default=0.0)
        return [i for i, score in scores.items() if score == best] if best >= _ENOUGH_OF_A_LABEL else []

    def _overlap(self, label: Label, question: Question) -> float:
        if set(label.slots.topics) & set(question.slots.topics):
            return 1.0
        words = label.content
        if len(words) > 1 and sum(word in question.words for word in words) * 3 >= len(words) * 2:
            return 1.0
        total = sum(self.lexicon.weight(word) for word in label.stems)
        shared = sum(self.lexicon.weight(word) for word in label.stems & set(question.terms))
        return shared / total if total else 0.0

    def _measured(self, labels: Sequence[Label], question: Question) -> set[str]:
        """The question's terms that some label accounts for, by its words or by its topic."""
        topics = {topic for label in labels for topic in label.slots.topics}
        words = {word for label in labels for word in label.stems}
        by_topic = {
            stem(question.words[at])
            for m in question.mentions
            if m.kind == "topics" and m.name in topics
            for at in range(m.start, m.end)
        }
        return {term for term in question.terms if term in words or term in by_topic}

    def _lacking(self, table: Table, question: Question, labels: Sequence[Label]) -> tuple[str, ...]:
        out: list[str] = []
        for kind in ("roles", "levels", "regions"):
            held = {*table.names(kind), *getattr(table.about.slots, kind)}
            held |= {name for label in labels for name in getattr(label.holds, kind)}
            home = {table.passages[0].region} if kind == "regions" else set()
            out += [name for name in getattr(question.slots, kind) if name not in held | home]
        return tuple(out)


def _without(heading: str, words: Sequence[str]) -> str:
    """The question's words, spaced, without the heading when that is in it word for word."""
    said, held = f" {' '.join(words)} ", f" {' '.join(tokens(heading))} "
    return said.replace(held, " | ") if len(held.split()) > 1 else said


def _names(named: Slots) -> frozenset[str]:
    """What is named, each with its kind, so that no name is taken for a word."""
    return frozenset(f"{kind}: {name}" for kind in KINDS for name in getattr(named, kind))


def _near(labels: Sequence[Label], keys: frozenset[str]) -> dict[int, Label]:
    """The labels that share anything with a question, by their place."""
    return {i: label for i, label in enumerate(labels) if not label.keys.isdisjoint(keys)}


def _verbatim(labels: Mapping[int, Label], said: str) -> list[int]:
    """The labels that stand in the question word for word; of those that overlap, the longest."""
    held = [(f" {' '.join(label.words)} ", i) for i, label in labels.items()]
    found = [(name, i) for name, i in held if name.strip() and name in said]
    return [i for name, i in found if not any(name != other and name in other for other, _ in found)]


def _fragment(question: Question) -> bool:
    """Whether a question is little more than the names of a role, a level, a region: `senior mle remote`."""
    named = {at for m in question.mentions for at in range(m.start, m.end)}
    rest = [word for at, word in enumerate(question.words) if at not in named and word not in english()["glue"]]
    return not question.terms and len(rest) <= _FILLER


def _slot(label: Label) -> bool:
    """Whether a label is nothing but the name of a role, a level or a region."""
    return bool(label.slots.roles or label.slots.levels or label.slots.regions) and not label.stems


def _shares(label: Slots, asked: Slots) -> bool:
    return any(set(getattr(label, kind)) & set(getattr(asked, kind)) for kind in ("roles", "levels", "regions"))


def ends(value: str) -> tuple[float, float] | None:
    """The lower and upper end of a figure, in whole units; both the same for a single one, None where there is none."""
    found = _RANGE.search(value)
    if not found:
        return None
    high_scale = _SCALE.get((found["k2"] or found["k1"] or "").lower(), 1)
    low_scale = _SCALE.get((found["k1"] or found["k2"] or "").lower(), 1)
    low = float(found["low"].replace(",", "")) * low_scale
    high = float(found["high"].replace(",", "")) * high_scale if found["high"] else low
    return low, high


def ranked(values: Sequence[str], lowest: bool = False) -> list[int]:
    """Positions of the values that hold figures, the highest first, compared by upper end and then by lower end."""
    figures = [(i, found) for i, value in enumerate(values) if (found := ends(value))]
    key = (lambda item: (item[1][0], item[1][1])) if lowest else (lambda item: (-item[1][1], -item[1][0]))
    return [i for i, _ in sorted(figures, key=key)]
