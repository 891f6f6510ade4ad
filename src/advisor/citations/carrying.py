"""Which evidence carries a sentence: holds its figures for the same role, level and region, or says its words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from advisor.citations.attribution import affirmed, attributed
from advisor.citations.figures import Figure, others, written
from advisor.citations.scope import Claim, Held, Scope, difference, holds, unsaid
from advisor.citations.support import RIVAL, SURE, Quote, Words
from advisor.types import Evidence

_MORE = re.compile(r"\b(?:more|less|higher|lower|difference|gap|apart|extra|above|below|ahead|behind)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What carries a sentence: quotes by index of the evidence, and the first claim that nothing holds."""

    quotes: dict[int, list[Quote]]
    unheld: Claim | None = None
    terms: tuple[tuple[int, str], ...] = ()
    """Where a figure's level or region has to be said, and which."""


class Carriers:
    """The evidence of one draft; asked sentence by sentence."""

    def __init__(self, words: Words, evidence: tuple[Evidence, ...], by_model: bool, question: str = "") -> None:
        self.words = words
        self.evidence = evidence
        self.by_model = by_model
        self.question = question
        self.row = ""
        """Name of the table row that is being read."""

    def carried(self, bare: str, given: tuple[int, ...], around: Scope) -> Found:
        """Which evidence carries the sentence, cited evidence first; a model's sentence with all of its numbers."""
        found = self._carried(bare, given, around)
        if not self.by_model or found.unheld is not None:
            return found
        return replace(found, unheld=self._unwritten(bare, found))

    def _unwritten(self, bare: str, found: Found) -> Claim | None:
        """The first number beside the figures (of a date, say) that no passage which carries the sentence writes."""
        numbers = others(bare)
        if not numbers:
            return None
        carrying = [self.evidence[n - 1].passage for n in found.quotes] or [e.passage for e in self.evidence]
        texts = (" ".join((*p.headings, p.intro, p.text, p.as_of)) for p in carrying)
        known: frozenset[float] = frozenset().union(*map(written, texts))
        return next((Claim(number, Scope(), Scope()) for number in numbers if number.low not in known), None)

    def _carried(self, bare: str, given: tuple[int, ...], around: Scope) -> Found:
        cited = [n for n in given if 1 <= n <= len(self.evidence)]
        if not self.by_model and any(_repeats(bare, self.evidence[n - 1]) for n in cited):
            return Found({n: [self.words.quote(bare, self.evidence[n - 1])] for n in cited})
        claims = self.words.reader.claims(bare, around)
        found = self._holding(bare, claims, cited)
        if found.unheld is not None and (spare := self._spare(cited)):
            fitting = (n for n in spare if self._fits(bare, found.unheld, n, cited))
            wider = self._holding(bare, claims, [*cited, *fitting])
            found = found if wider.unheld is not None else wider
        if self.by_model and found.unheld is None and all(claim.figure.sort == "year" for claim in claims):
            return self._worded(bare, cited)
        return found

    def _spare(self, cited: list[int]) -> list[int]:
        return [n for n in range(1, len(self.evidence) + 1) if n not in cited]

    def _fits(self, bare: str, claim: Claim, number: int, cited: list[int]) -> bool:
        """Whether evidence that the sentence does not cite is so clearly about the same thing that it may be added."""
        passage, said = self.evidence[number - 1].passage, self.words.reader.scope(bare)
        rows = [self.evidence[n - 1].passage for n in cited if claim.figure.sort != "year"]
        if any(self.words.names_cell(bare, row) and row.cells[:1] != passage.cells[:1] for row in rows):
            return False  # the cited row has a figure for this, and it is another one
        there = self.words.reader.scope(passage.text)
        named = set(said.roles + said.levels) & set(there.roles + there.levels)
        if named and passage.kind == "row":
            return self.words.carries(bare, passage, figures_held=True) and self.words.names_row(bare, passage)
        if cited:
            return bool(self.words.content(bare)) and self.words.share(bare, passage) >= SURE
        return bool(named or self.words.content(bare)) and self.words.carries(bare, passage)

    def _holding(self, bare: str, claims: tuple[Claim, ...], cited: list[int]) -> Found:
        quotes: dict[int, list[Quote]] = {}
        terms: list[tuple[int, str]] = []
        held = {n: self.words.reader.held(self.evidence[n - 1]) for n in cited}
        cells = [place.figure for n in cited if self.evidence[n - 1].cell for place in held[n]]
        for claim in claims:
            match = self._holder(bare, claim, held, [c.figure for c in claims if c is not claim])
            if match is None and not self._known_year(claim, cited) and not _derived(bare, claim, claims, cells):
                return Found(quotes, claim)
            if match is not None:
                number, place = match
                quotes.setdefault(number, []).append(Quote(place.quote, place.cell))
                terms += [(claim.figure.end, term) for term in unsaid(place, claim) if self.by_model]
        if not self.by_model or not claims:
            for n in cited:
                quotes.setdefault(n, [self.words.quote(bare, self.evidence[n - 1])])
        return Found(quotes, None, tuple(terms))

    def _holder(
        self, bare: str, claim: Claim, held: dict[int, tuple[Held, ...]], beside: list[Figure]
    ) -> tuple[int, Held] | None:
        """The first evidence that holds the figure, unless another line says the claim's words with another figure."""
        found = [
            (n, place)
            for n, places in held.items()
            if self._speaks_of(bare, claim, n)
            for place in places
            if holds(place, claim) and not self.words.about_column(claim, place, self.evidence[n - 1].passage, beside)
        ]
        if not (self.by_model and found):
            return found[0] if found else None
        words = set(self.words.content(claim.clause))
        if not words and claim.figure.sort != "year":
            words = set(self.words.content(bare))
        best = max(found, key=lambda one: self.words.shared(words, one[1]))
        others = [p for places in held.values() for p in places if p.figure.sort == claim.figure.sort]
        rivals = [self.words.shared(words, p) for p in others if not holds(p, claim)]
        return best if max(rivals, default=0) < self.words.shared(words, best[1]) + RIVAL else None

    def _speaks_of(self, bare: str, claim: Claim, number: int) -> bool:
        evidence = self.evidence[number - 1]
        passage = evidence.passage
        if self.by_model and not self.words.carries(bare, passage, figures_held=True):
            return False
        if passage.kind != "row" or (evidence.cell is not None and not self.by_model):
            return True
        beside = [e.passage for e in self.evidence if e.passage.table == passage.table]
        return self.words.about_row(claim, f"{self.row} {bare}", passage, beside)

    def _known_year(self, claim: Claim, cited: list[int]) -> bool:
        """A year that dates the guide itself."""
        dates = (self.evidence[n - 1].passage.as_of[:4] for n in cited)
        return claim.figure.sort == "year" and f"{claim.figure.low:.0f}" in dates

    def _worded(self, bare: str, cited: list[int]) -> Found:
        """Evidence whose words carry a sentence without figures; when no cited one does, the best of the others."""
        good = [n for n in cited if self._says(bare, n)]
        if not good and self.words.is_claim(bare):
            others = [n for n in self._spare(cited) if self._says(bare, n)]
            good = sorted(others, key=lambda n: -self.words.share(bare, self.evidence[n - 1].passage))[:1]
        verdicts = [attributed(self.words, bare, e.passage) for e in self.evidence]
        if False in verdicts:
            # Some line says the very words, of another role: prose that merely shares many of them is no support.
            good = [n for n in good if verdicts[n - 1] or self.evidence[n - 1].passage.kind == "row"]
        if self.by_model and not self._roles_known(bare, good):
            return Found({})
        return Found({n: [self.words.quote(bare, self.evidence[n - 1])] for n in good})

    def _roles_known(self, bare: str, carrying: list[int]) -> bool:
        """Whether what carries a sentence speaks of every role that the sentence names, or of none."""
        passages = [self.evidence[n - 1].passage for n in carrying]
        text = " , ".join(part for p in passages for part in (*p.headings, p.intro, p.text))
        known = self.words.reader.scope(text).roles
        return not known or set(self.words.reader.scope(bare).roles) <= set(known)

    def _says(self, bare: str, number: int) -> bool:
        passage, words = self.evidence[number - 1].passage, self.words
        if not words.carries(bare, passage) or words.contradicts(bare, passage):
            return False
        return affirmed(words, bare, self.question, passage)


def _derived(bare: str, claim: Claim, claims: tuple[Claim, ...], cells: list[Figure]) -> bool:
    """Whether the sentence compares, and the figure is how far two others in it, or two cells it cites, are apart."""
    others = [other.figure for other in claims if other is not claim]
    return bool(_MORE.search(bare)) and difference(claim.figure, others if len(others) > 1 else cells)


def _repeats(sentence: str, evidence: Evidence) -> bool:
    """Whether a sentence is a line of the guide, word for word: it is about whom that line is about."""
    said = " ".join(sentence.strip(" *_").split())
    return evidence.passage.kind != "row" and len(said.split()) > 3 and said in evidence.passage.text
