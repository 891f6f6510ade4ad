"""Where a piece of text stands in its guide, and whether it holds what a label points at; the same for every system.

A piece is sought in its file by runs of its words, because splitters change spaces, marks and links. A label's section
is held by a piece with at least one line of its body; its heading alone holds nothing that answers a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from evals.wording import folded

RUN = 6
"""Words in a row that say where a text stands."""
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ADDRESS = re.compile(r"\]\([^)]*\)")
Piece = tuple[str, str]
"""A file below the corpus folder, and a text from it."""


@dataclass(frozen=True)
class Guide:
    """One file of the corpus with its words and sections."""

    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Its lines; number 1 is the first."""
        return self.text.splitlines()

    @cached_property
    def words(self) -> list[tuple[str, int]]:
        """Every word with the number of its line; the addresses of links are none."""
        return [(word, number) for number, line in enumerate(self.lines, 1) for word in words(line)]

    @cached_property
    def runs(self) -> dict[tuple[str, ...], list[int]]:
        """For every run of words, where it starts among the words."""
        found: dict[tuple[str, ...], list[int]] = {}
        only = [word for word, _ in self.words]
        for size in range(1, RUN + 1):
            for at in range(len(only) - size + 1):
                found.setdefault(tuple(only[at : at + size]), []).append(at)
        return found

    @cached_property
    def sections(self) -> dict[str, list[frozenset[int]]]:
        """The body lines under each heading, those of its sub-headings too; one set for each place it stands."""
        heads = [(n, len(found[1]), folded(found[2])) for n, found in self._headings()]
        numbers = {n for n, _, _ in heads}
        made: dict[str, list[frozenset[int]]] = {}
        for at, (first, level, name) in enumerate(heads):
            end = next((n for n, other, _ in heads[at + 1 :] if other <= level), len(self.lines) + 1)
            body = frozenset(n for n in range(first + 1, end) if n not in numbers and self.lines[n - 1].strip())
            made.setdefault(name, []).append(body)
        return made

    def _headings(self) -> list[tuple[int, re.Match[str]]]:
        fenced = False
        found = []
        for number, line in enumerate(self.lines, 1):
            fenced ^= line.lstrip().startswith(("```", "~~~"))
            if not fenced and (match := _HEADING.match(line)):
                found.append((number, match))
        return found

    def place(self, text: str) -> frozenset[int]:
        """The numbers of the lines that a text stands on.

        Runs of words that stand once in the file say where; where no run does, as in a short text that stands in
        several places, the first place of the longest run is taken.
        """
        said = words(text)
        size = min(RUN, len(said))
        runs = [tuple(said[at : at + size]) for at in range(len(said) - size + 1)] if size else []
        once = [found[0] for run in runs if len(found := self.runs.get(run, ())) == 1]
        starts = once or [found[0] for run in runs if (found := self.runs.get(run))][:1]
        return frozenset(self.words[at + n][1] for at in starts for n in range(size))


def words(text: str) -> list[str]:
    """The words of a text in order, folded, without the addresses of links."""
    return _WORD.findall(_ADDRESS.sub("]", text).casefold())


def ranks(pieces: Sequence[Piece], labels: Iterable[Sequence[str]], guides: Mapping[str, Guide]) -> list[int | None]:
    """For each label, at which piece (from 1) one of its places is first held; None where none is."""
    stand = [(source, guides[source].place(text)) for source, text in pieces]
    return [
        next((n for n, (source, lines) in enumerate(stand, 1) if _held(source, lines, places, guides)), None)
        for places in labels
    ]


def _held(source: str, lines: frozenset[int], places: Sequence[str], guides: Mapping[str, Guide]) -> bool:
    wanted = [heading for file, _, heading in (place.partition("#") for place in places) if file == source]
    return any(lines & body for heading in wanted for body in guides[source].sections.get(folded(heading), ()))


def within(pieces: Sequence[Piece], most: int) -> list[Piece]:
    """The pieces that come before so many words are passed, the first in any case."""
    kept: list[Piece] = []
    total = 0
    for source, text in pieces:
        total += len(words(text))
        if kept and total > most:
            break
        kept.append((source, text))
    return kept
