"""What is embedded of each passage, and the name of all that an index holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from advisor import asked, corpus
from advisor.vocabulary import Vocabulary

if TYPE_CHECKING:
    from advisor.settings import Settings
    from advisor.types import Guide, Passage

FORMAT = "5"
"""Raised when passages are cut or stored in another way, so that older indexes are rebuilt."""
_MOST_UNITS = 40


class Unit(NamedTuple):
    """What one vector stands for: a line of a passage, read with its headings."""

    passage: int
    line: str
    text: str
    section: int
    """The number of its section; known gaps are sections of their own."""
    asked: bool = False
    """Whether it is a way of asking for a section."""


class Words(NamedTuple):
    """What stands beside the guides: their vocabulary, ways of asking, and known gaps."""

    vocabulary: Vocabulary
    ways: asked.Ways
    gaps: tuple[Passage, ...]

    def asked(self, guide: Guide) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The ways of asking that belong to one guide, by heading."""
        return tuple((heading, ways) for (source, heading), ways in self.ways.items() if source == guide.source)

    @classmethod
    def read(cls, settings: Settings, read: corpus.Corpus) -> Words:
        """Read them for the guides that were read."""
        vocabulary = Vocabulary.read(settings.corpus, read.guides, read.passages)
        return cls(vocabulary, asked.read(settings.corpus, read.guides, read.passages), asked.gaps(settings.corpus))


def fingerprint(read: corpus.Corpus, words: Words, model: str) -> str:
    """Names what an index holds: the same guides and model give the same one on every machine."""
    guides = sorted(read.guides, key=lambda guide: guide.source)
    content = [FORMAT, model, repr(words), *(f"{guide.source}\0{guide.text}" for guide in guides)]
    return hashlib.sha256("\0\0".join(content).encode()).hexdigest()[:16]


def units(passages: Sequence[Passage], words: Words) -> list[Unit]:
    """What is embedded of each passage: the whole, each line with headings, a section's heading, and ways to ask.

    A heading that names several roles ("How long does it take to become an A, B or C?") also stands there once for
    each of them, because people ask about one.
    """
    made: list[Unit] = []
    sections: dict[tuple[str, tuple[str, ...]], int] = {}
    for number, passage in enumerate(passages):
        place = (passage.source, passage.headings)
        new = place not in sections
        at = sections.setdefault(place, len(sections))
        context = ". ".join(passage.headings[-2:] if len(passage.headings) > 2 else passage.headings[-1:])
        if new and len(passage.headings) > 1 and passage.kind != "note":
            heading = passage.headings[-1]
            made += [Unit(number, heading, text, at) for text in (heading, *_for_each_role(heading, words.vocabulary))]
            made += [Unit(number, heading, way, at, True) for way in words.ways.get((passage.source, heading), ())]
        for line, text in _readings(passage):
            made.append(Unit(number, line, f"{context}: {text}", at))
            made += [Unit(number, line, way, at, True) for way in words.ways.get((passage.source, line), ()) if line]
    for number, gap in enumerate(words.gaps, len(passages)):
        at = len(sections) + number
        made.append(Unit(number, gap.headings[0], gap.headings[0], at))
        made += [Unit(number, gap.headings[0], way, at) for way in gap.text.splitlines()]
    return made


def _for_each_role(heading: str, vocabulary: Vocabulary) -> list[str]:
    roles = [m for m in vocabulary.mentions(heading) if m.kind == "roles"]
    words = heading.rstrip("?").split()
    if len(roles) < 2 or roles[-1].end > len(words):
        return []
    before, after = words[: roles[0].start], words[roles[-1].end :]
    mark = "?" if heading.endswith("?") else ""
    return [" ".join([*before, role, *after]) + mark for role in dict.fromkeys(m.name for m in roles)]


def _readings(passage: Passage) -> list[tuple[str, str]]:
    lines = passage.lines
    if passage.kind in ("row", "note", "code") or len(lines) == 1:
        return [("", passage.text)]
    intro = passage.intro if passage.kind in ("list", "steps") else ""
    each = [(line, f"{intro} {line}".strip()) for line in lines if line != intro]
    return [("", passage.text), *each[:_MOST_UNITS]]
