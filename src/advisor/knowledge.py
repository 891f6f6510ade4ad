"""Everything that is known from one version of the index, worked out once when it is opened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from advisor import criteria, ladders, tables, tabular
from advisor.criteria import Criterion
from advisor.embed.adapter import adapted
from advisor.question import Question, Reader
from advisor.search import LOOK_AT, Lexicon, Mix, search
from advisor.types import Guide, Hit, Passage
from advisor.vocabulary import stop_words
from advisor.words import stems

if TYPE_CHECKING:
    from advisor.asked import Ways
    from advisor.index import Index
    from advisor.types import Embedder
    from advisor.vocabulary import Vocabulary

Section = tuple[str, tuple[str, ...]]
"""A guide's path and a chain of headings."""


@dataclass(frozen=True)
class Found:
    """What search brought for a question."""

    question: Question
    hits: tuple[Hit, ...]
    nearest: tuple[tuple[int, str, float], ...]
    """The lines nearest in meaning: (passage number, line, cosine), best first."""
    gap: str = ""
    """The known gap nearest in meaning."""
    gap_nearness: float = 0.0


@dataclass(frozen=True)
class Voices:
    """How people say of themselves what a criterion says, and how those tell of themselves whom a role suits."""

    criteria: np.ndarray
    """The number of its criterion for each line, shape (lines,)."""
    lines: np.ndarray
    """Unit vectors of the criteria and of ways to say them, shape (lines, dimensions)."""
    roles: tuple[str, ...]
    """The role for each story."""
    stories: np.ndarray
    """Unit vectors of whole profiles, shape (stories, dimensions)."""


_NAME = re.compile(r"\b[A-Z](?=\w*[A-Z0-9])\w+(?:-\w+)*")
"""A word with two capitals, or a capital and a digit."""
_SHARED = 3
_RARE = 0.03
"""A name in more of the passages than this share is a word of the subject."""
_SURE_CELL = 0.85
"""How well a question that points at cells counts as answered."""
_OWN_WORDS = 0.15
"""How much of its score a reading loses whose best passage holds none of the question's own words."""


class Knowledge:
    """The passages of one index with all that is derived from them: words, tables, sections, criteria."""

    def __init__(self, index: Index, vocabulary: Vocabulary, embedder: Embedder, mix: Mix | None = None) -> None:
        self.index = index
        self.vocabulary = vocabulary
        self.embedder = embedder
        self.mix = mix or Mix()
        self.ways: Ways = {(g.source, heading): ways for g in index.guides for heading, ways in g.asked}
        self.lexicon = Lexicon(index.passages, self.ways)
        self.reader = Reader(vocabulary, self.lexicon, _real_words(embedder))
        self.finder = tables.Finder(tables.read(index.passages, vocabulary), self.lexicon)
        self.ladders = ladders.read(index.passages, vocabulary)
        self.words_of = lru_cache(maxsize=8192)(self._words_of)
        self.look_up = lru_cache(maxsize=512)(self._look_up)
        """One question is looked up by several steps. The caches go with their index."""
        self.sections: dict[Section, list[Passage]] = {}
        for passage in index.passages:
            self.sections.setdefault(section_of(passage), []).append(passage)

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """The guides' own reasons to choose a role."""
        return criteria.read(self.index.passages, self.vocabulary)

    @cached_property
    def voices(self) -> Voices:
        """How people say of themselves what the criteria say."""
        numbers = {id(passage): number for number, passage in enumerate(self.index.passages)}
        lines = {(numbers[id(c.passage)], c.text): at for at, c in enumerate(self.criteria)}
        of_section: dict[Section, set[str]] = {}
        for criterion in self.criteria:
            of_section.setdefault(section_of(criterion.passage), set()).add(criterion.role)
        heads = {place: next(iter(roles)) for place, roles in of_section.items() if len(roles) == 1}
        said = [(lines[unit], at) for at, unit in enumerate(self.index.units) if unit in lines]
        told: list[tuple[str, int]] = []
        named: set[Section] = set()
        for at, (number, line) in enumerate(self.index.units):
            place = section_of(self.index.passages[number]) if number < len(self.index.passages) else ("", ())
            if place in heads and line == place[1][-1]:
                told += [(heads[place], at)] * (place in named)  # the first is the heading itself
                named.add(place)
        kept = [at for _, at in (*said, *told)]
        vectors = self.index.vectors(kept) if kept else np.zeros((0, self.embedder.dimensions), np.float32)
        alone = sorted(set(range(len(self.criteria))) - {criterion for criterion, _ in said})  # a list of one item
        more = self.embedder.embed([self.criteria[at].text for at in alone])
        return Voices(
            np.array([*(criterion for criterion, _ in said), *alone], dtype=np.intp),
            np.concatenate([vectors[: len(said)], more]),
            tuple(role for role, _ in told),
            vectors[len(said) :],
        )

    def heard(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of what people say, adapted to the guides, shape (texts, dimensions)."""
        return adapted(self.embedder.embed(texts), self.index.adapter)

    def _words_of(self, passage: Passage) -> frozenset[str]:
        """The stems of a passage with its headings and the ways of asking for it, and its topics by name."""
        ways = self.ways.get((passage.source, passage.headings[-1]), ()) if passage.headings else ()
        text = " ".join([*passage.headings, passage.intro, passage.text, *ways])
        return frozenset(stems(text)) | frozenset(self.vocabulary.slots(text).topics)

    @cached_property
    def naming(self) -> dict[str, list[Passage]]:
        """The passages that name a role or region, in their headings or their text, by its name."""
        found: dict[str, list[Passage]] = {}
        for passage in self.index.passages:
            slots = self.vocabulary.slots(" . ".join((*passage.headings[-1:], passage.intro, passage.text)))
            for name in (*slots.roles, *slots.regions):
                found.setdefault(name, []).append(passage)
        return found

    @cached_property
    def proper(self) -> dict[str, tuple[str, bool]]:
        """What can only be a name in the corpus, by how a question has it, and whether it is a rare one."""
        found = Counter(word for passage in self.index.passages for word in set(_NAME.findall(passage.text)))
        few = len(self.index.passages) * _RARE
        other = self.reader.known | stop_words()
        return {word.casefold(): (word, n <= few) for word, n in found.items() if word.casefold() not in other}

    @cached_property
    def gap_words(self) -> dict[str, frozenset[str]]:
        """The stems of what each known gap is called, and of the words that several ways to ask for it share."""
        found = {}
        for gap in self.index.gaps:
            ways = Counter(word for way in gap.text.splitlines() for word in set(stems(way)))
            shared = (word for word, n in ways.items() if n >= _SHARED)
            found[gap.headings[0]] = frozenset((*stems(gap.headings[0]), *shared))
        return found

    @cached_property
    def questions(self) -> dict[str, Passage]:
        """The headings that are questions, each with the first passage under it."""
        found: dict[str, Passage] = {}
        for (_, headings), passages in self.sections.items():
            if headings[-1].endswith("?"):
                found.setdefault(headings[-1], passages[0])
        return found

    @cached_property
    def starters(self) -> tuple[str, ...]:
        """The questions that the guides name as starters, then the first question each guide answers."""
        named = {question: None for guide in self.index.guides for question in guide.starters}
        firsts: dict[str, str] = {}
        for question, passage in self.questions.items():
            firsts.setdefault(passage.source, question)
        return tuple(named | dict.fromkeys(firsts.values()))

    def guide(self, source: str) -> Guide:
        """The guide with this path."""
        return next(guide for guide in self.index.guides if guide.source == source)

    def _look_up(self, text: str, limit: int = 12) -> Found:
        """Read a standalone question and search for it."""
        question = self.reader.read(text)
        vector = self.heard([question.clear or " "])[0]
        nearest = tuple(self.index.nearest(vector, LOOK_AT))
        hits = search(question.clear, nearest, self.index, self.lexicon, self.mix, limit)
        gaps = [(line, similarity) for number, line, similarity in nearest if number >= len(self.index.passages)]
        return Found(question, hits, nearest, *(gaps[0] if gaps else ("", 0.0)))

    def holds_for(self, region: str, passage: Passage) -> bool:
        """Whether a passage speaks of a region: it or its heading names it, or its guide is about it."""
        said = f"{' . '.join(passage.headings)} . {passage.intro} . {passage.text}"
        return region == passage.region or region in self.vocabulary.slots(said).regions

    def near(self, text: str, own: Sequence[str] = ()) -> float:
        """How well the guides answer a text: its best hit's score, less where that lacks the stems given as its own."""
        found = self.look_up(text)
        hits = found.hits
        if not hits:
            return 0.0
        cells = tabular.answerable(self.finder.find(found.question), found.question, ())
        if tabular.exact(cells) and not cells[0].lacking:
            return _SURE_CELL
        total = sum(self.lexicon.weight(word) for word in own)
        held = sum(self.lexicon.weight(word) for word in own if word in self.words_of(hits[0].passage))
        return hits[0].score * (1 - _OWN_WORDS * (1 - held / total)) if total else hits[0].score


def section_of(passage: Passage) -> Section:
    """Where a passage stands."""
    return passage.source, passage.headings


def _real_words(embedder: Embedder) -> frozenset[str]:
    """Words that the model's own tokenizer holds whole: common enough not to be typing errors."""
    tokenizer = getattr(embedder, "tokenizer", None)
    return frozenset(word for word in tokenizer.get_vocab() if word.isalpha()) if tokenizer else frozenset()


def unused(questions: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Those questions that nobody has asked yet."""
    known = {" ".join(stems(text)) for text in asked}
    return [question for question in questions if " ".join(stems(question)) not in known]
