"""Whom a figure is about: its role, level and region, read the same way in a sentence and in a passage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from advisor.citations.figures import Figure, figures, same, with_unit
from advisor.types import Cell, Evidence, Passage

if TYPE_CHECKING:
    from advisor.vocabulary import Vocabulary

MOST_KEPT = 20_000
"""Texts whose scope is remembered; a streamed answer reads many that never come again."""
KINDS = ("roles", "levels", "regions")
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|rules?|above|previous|prompt)\b"
    r"|\byou are now\b|\b(?:say|claim|answer|reply|respond|write|tell \w+(?: \w+)?) (?:that|with)\b"
    r"|^\s*(?:system|assistant)\s*:",
    re.IGNORECASE,
)
"""A line that gives orders to whoever repeats it. What it says is no fact of the guide."""
_CLAUSE = re.compile(
    r"[;{}—]|,(?!\d)|\((?=[^)]*\d)"
    r"|\s(?:and|but|while|whereas|against|than|versus|vs\.?|compared (?:with|to)|then|/|→|↔)\s",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Roles, levels and regions by their canonical names, in order of appearance; empty means not said."""

    roles: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def over(self, other: Scope) -> Scope:
        """This scope, with what it does not say taken from another."""
        return Scope(self.roles or other.roles, self.levels or other.levels, self.regions or other.regions)

    def without(self, names: Sequence[str]) -> Scope:
        """This scope without what the guides lack: a text that says so speaks of something else instead."""
        return Scope(*(tuple(name for name in getattr(self, kind) if name not in names) for kind in KINDS))

    def joined(self, other: Scope) -> Scope:
        """What either of the two says."""
        return Scope(*(tuple(dict.fromkeys(getattr(self, kind) + getattr(other, kind))) for kind in KINDS))


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure in a text, and whom it is about: as its own sentence says, and with the text before read too."""

    figure: Figure
    own: Scope
    full: Scope
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A figure that a passage holds, where, and for whom."""

    figure: Figure
    scope: Scope
    home: tuple[str, ...]
    """The guide's own region: true of all its figures, so that it tells none of them apart."""
    levelled: bool
    """The passage tells levels apart, so a figure without one is for none of them in particular."""
    quote: str
    cell: Cell | None = None
    beside_plain: bool = False
    """It is for a level, and the passage gives the same sort of figure for the role as such."""


class Reader:
    """Reads scopes with one vocabulary; remembers what it has read."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._scopes: dict[str, Scope] = {}
        self._held: dict[tuple[str, str, Cell | None], tuple[Held, ...]] = {}

    def scope(self, text: str) -> Scope:
        """What a text names."""
        if text not in self._scopes:
            if len(self._scopes) > MOST_KEPT:
                self._scopes.clear()
            slots = self.vocabulary.slots(text)
            self._scopes[text] = Scope(slots.roles, slots.levels, slots.regions)
        return self._scopes[text]

    def claims(self, text: str, around: Scope) -> tuple[Claim, ...]:
        """The figures of a sentence or cell; what it does not say itself is read from `around`."""
        found = figures(text)
        if not found:
            return ()
        whole = self.scope(text)
        if "respectively" in text.lower():
            owns = [(_nth(whole, at, len(found)), text) for at in range(len(found))]
        else:
            owns = [self._own(text, figure, found) for figure in found]
        return tuple(Claim(f, own, own.over(around), clause) for f, (own, clause) in zip(found, owns, strict=True))

    def _own(self, text: str, figure: Figure, every: tuple[Figure, ...]) -> tuple[Scope, str]:
        """The nearest names: those of the figure's clause, then of the clauses before it, then of those after."""
        spans = _clauses(text)
        at = next(i for i, (start, end) in enumerate(spans) if start <= figure.start < end)
        inside = [f for f in every if spans[at][0] <= f.start < spans[at][1]]
        own = self._within(text, spans[at], figure, inside)
        others = [*reversed(spans[:at]), *spans[at + 1 :]]
        return reduce(Scope.over, (self.scope(text[a:b]) for a, b in others), own), text[slice(*spans[at])]

    def _within(self, text: str, span: tuple[int, int], figure: Figure, inside: list[Figure]) -> Scope:
        """Several figures in one clause share its names in turn, before or after each as the first one has them."""
        clause = self.scope(text[slice(*span)])
        if len(inside) < 2 or all(len(getattr(clause, kind)) < 2 for kind in KINDS):
            return clause
        cuts = [span[0], *(f.end for f in inside[:-1]), span[1]]
        at = inside.index(figure)
        before = [self.scope(text[a : f.start]) for a, f in zip(cuts, inside, strict=False)]
        ends = [*(f.start for f in inside[1:]), span[1]]
        after = [self.scope(text[f.end : b]) for f, b in zip(inside, ends, strict=True)]
        picked = {}
        for kind in KINDS:
            pieces = [getattr(s, kind) for s in (before if getattr(before[0], kind) else after)]
            picked[kind] = pieces[at] or next((p for p in reversed(pieces[:at]) if p), ()) or getattr(clause, kind)
        return Scope(**picked)

    def about(self, passage: Passage) -> Scope:
        """What a passage's intro and headings say, nearest first; the title only where it names one thing."""
        title = self.scope(passage.headings[0]) if passage.headings else Scope()
        near = [passage.intro, *reversed(passage.headings[1:])]
        alone = Scope(*(names if len(names := getattr(title, kind)) == 1 else () for kind in KINDS))
        return reduce(Scope.over, map(self.scope, near), Scope()).over(alone)

    def held(self, evidence: Evidence) -> tuple[Held, ...]:
        """Every figure that the evidence holds; of a table row with a cell named, that cell's."""
        key = (evidence.passage.id, evidence.passage.text, evidence.cell)
        if key not in self._held:
            passage = evidence.passage
            found = self._in_row(passage, evidence.cell) if passage.kind == "row" else self._in_prose(passage)
            plain = {held.figure.sort for held in found if not held.scope.levels}
            marked = [replace(h, beside_plain=bool(h.scope.levels) and h.figure.sort in plain) for h in found]
            self._held[key] = (*marked, *self._in_intro(passage))
        return self._held[key]

    def _in_row(self, passage: Passage, only: Cell | None) -> list[Held]:
        name = passage.cells[0][1] if passage.cells else ""
        about = self.about(passage)
        found = []
        for column, value in passage.cells:
            around = self.scope(name).joined(self.scope(column)).over(about)
            cell = Cell(name, column)
            found += [self._made(passage, c, value, cell) for c in self.claims(column, around)]
            if only is None or column in (only.column, passage.cells[0][0]):
                found += [self._made(passage, c, value, cell) for c in self.claims(with_unit(value, column), around)]
        return found

    def _in_prose(self, passage: Passage) -> list[Held]:
        around = about = self.about(passage)
        running = passage.kind in ("paragraph", "note")
        if not running and any(self.scope(line).levels for line in passage.lines if line != passage.intro):
            # Where items name their own levels, one without is for none of those that the intro names.
            around = about = replace(about, levels=())
        found = []
        for line in passage.lines:
            if _ORDER.search(line):
                continue
            found += [self._made(passage, claim, line) for claim in self.claims(line, around)]
            # A paragraph runs on; the items of a list stand side by side.
            around = self.scope(line).over(around) if running else about
        return found

    def _in_intro(self, passage: Passage) -> list[Held]:
        lines = [passage.intro, *passage.headings]
        return [
            self._made(passage, claim, passage.lines[0] if passage.lines else "")
            for line in lines
            for claim in self.claims(line, self.about(passage))
        ]

    def _made(self, passage: Passage, claim: Claim, quote: str, cell: Cell | None = None) -> Held:
        home = self.scope(passage.region).regions
        levelled = bool(self.scope(passage.text).levels)
        unit = passage.currency if claim.figure.sort == "money" and not claim.figure.unit else claim.figure.unit
        return Held(replace(claim.figure, unit=unit), claim.full, home, levelled, quote, cell)


def holds(held: Held, claim: Claim) -> bool:
    """Whether the passage holds the claimed figure for the same role, level and region."""
    if not same(claim.figure, held.figure):
        return False
    if claim.figure.sort == "year":
        return True
    there, said = held.scope, claim.full
    if said.roles and there.roles and not set(said.roles) & set(there.roles):
        return False
    return _same_level(held, claim) and _same_region(held, claim)


def _same_level(held: Held, claim: Claim) -> bool:
    if held.scope.levels:
        said = set(claim.full.levels)
        return bool(said & set(held.scope.levels)) or not (said or held.beside_plain)
    return not claim.own.levels or not (claim.figure.sort in ("money", "scaled") or held.levelled)


def _same_region(held: Held, claim: Claim) -> bool:
    said, own = (set(s.regions) - set(held.home) for s in (claim.full, claim.own))
    there = set(held.scope.regions) - set(held.home)
    if there:
        return not said or bool(said & there)
    return not own


def unsaid(held: Held, claim: Claim) -> tuple[str, ...]:
    """The level and region that a money figure is for and its text does not say."""
    if claim.figure.sort not in ("money", "scaled") or held.cell is None:
        return ()
    level = () if claim.full.levels else held.scope.levels
    there = tuple(r for r in held.scope.regions if r not in held.home)
    return (*level[:1], *(() if set(claim.full.regions) & set(there) else there[:1]))


def difference(claimed: Figure, others: list[Figure]) -> bool:
    """Whether a money figure says how far two others are apart at their lower and upper ends."""
    ends = [f for f in others if f.sort in ("money", "scaled")]
    apart = {abs(a - b) for x, y in combinations(ends, 2) for a, b in ((x.low, y.low), (x.high, y.high))}
    return claimed.sort in ("money", "scaled") and {claimed.low, claimed.high} <= apart


def _clauses(text: str) -> list[tuple[int, int]]:
    cuts = [0, *(found.start() for found in _CLAUSE.finditer(text)), len(text)]
    # "between $160K and $220K" is one figure: a cut inside a figure is none.
    kept = [c for c in cuts if not any(f.start < c < f.end for f in figures(text))]
    return list(pairwise(kept)) or [(0, len(text))]


def _nth(scope: Scope, at: int, of: int) -> Scope:
    """The at-th name of each kind where there are as many names as figures."""
    return Scope(*(names[at : at + 1] if len(names := getattr(scope, kind)) == of else names for kind in KINDS))
