"""An answer cut into what can be checked alone: sentences, list items, table cells. Shares no code with the product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from evals.wording import MARKER, folded, without_marks, words

_ENDS = re.compile(r"(?<=[.!?])((?:[\"”’)*_]|\s*\[\d{1,3}\](?!\())*)\s+(?=[\"“*_(\[]*[A-Z0-9$£€])")
_SHORT_FORM = re.compile(
    r"(?:\b(?:vs|e\.g|i\.e|etc|approx|ca|no|u\.s|u\.k|inc|ltd|jr|sr|dr)|\b[A-Z])\.\W*$", re.IGNORECASE
)
_ITEM = re.compile(r"^\s*(?:[-*•+]|\d{1,3}[.)])\s+")
_BOLD_LINE = re.compile(r"^\s*\*\*[^*]+\*\*:?\s*$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_ABOUT_THE_GUIDES = re.compile(
    r"\b(?:guides?|they|it) (?:do|does|did|covers?|says?|names?|gives?|lists?|has|have|holds?) ?(?:not|no|nothing)\b"
    r"|\b(?:is|are|was) (?:not|nowhere|n't) (?:covered|in the guides?|given|named|published|found|part of)"
    r"|\bn[o']t (?:cover|find|say|tell|know|answer|in the guides?)|\bnothing (?:about|on)\b"
    r"|\bcannot (?:say|tell|answer)\b"
    r"|\bguides? (?:covers? only|is (?:from|dated|older)|of|dated|from)\b|\bas of\b|\bolder than\b|\bmonths old\b"
    r"|\bclosest sections?\b|\bnearest\b|\bi (?:can|could|answer|only|do)\b|\btell me\b"
    r"|\byou (?:can|could|may) (?:also )?ask\b"
    r"|\bfits? you\b|\bby the guides?'?s? own criteria\b|^after (?:it|that|them)\b|^it is close between\b"
    r"|\bfigures (?:are|hold|come)\b|\bthat depends on\b.*\?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, list item or table cell of an answer."""

    text: str
    """As written, with its markers."""
    around: tuple[str, ...] = ()
    """What it is read under: its list's intro, its heading, its cell's row label and column header."""
    numbers: tuple[int, ...] = ()
    """The citations it carries."""
    kind: str = "sentence"

    @property
    def is_claim(self) -> bool:
        """Whether it says something about the subject, rather than about the guides, the reader or what follows."""
        plain = without_marks(self.text).strip()
        if MARKER.search(self.text):
            return True
        if plain.endswith((":", "?")) or _ABOUT_THE_GUIDES.search(plain):
            return False
        if self.numbers:
            return True
        return any(c.isdigit() for c in folded(plain)) or (self.kind != "cell" and len(words(plain)) >= 4)

    @property
    def segments(self) -> tuple[Unit, ...]:
        """Its parts, each up to and with its own markers: "A earns $1 [1], B earns $2 [2]" has two."""
        pieces: list[tuple[str, tuple[int, ...]]] = []
        start = 0
        for run in re.finditer(r"(?:\[\d{1,3}\](?!\()[\s,;]*)+", self.text):
            pieces.append((self.text[start : run.end()], _numbers(run.group())))
            start = run.end()
        if self.text[start:].strip(" .,;:!?)*_|\n"):
            # what follows the last marker is vouched for by the markers before it, if by any
            pieces.append((self.text[start:], pieces[-1][1] if pieces else self.numbers))
        if len(pieces) < 2:
            return (self,)
        return tuple(Unit(text, (*self.around, self.text), numbers, self.kind) for text, numbers in pieces)


def units(text: str) -> tuple[Unit, ...]:
    """Every unit of an answer, in reading order."""
    return tuple(_units(text.splitlines()))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(found[1]) for found in MARKER.finditer(text)))


def _units(lines: list[str]) -> Iterator[Unit]:
    heading = intro = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        if line.lstrip().startswith("#"):
            heading, intro = line.lstrip("# ").strip(), ""
        elif _BOLD_LINE.match(line) and not any(c.isdigit() for c in line):
            heading, intro = line.strip("* :"), ""
        elif "|" in line and position + 1 < len(lines) and _RULE.match(lines[position + 1]):
            end = position + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield from _table(lines[position], lines[position + 2 : end], tuple(filter(None, (heading, intro))))
            position = end
            continue
        elif line.strip():
            item = bool(_ITEM.match(line))
            around = tuple(filter(None, (heading, intro if item else "")))
            for sentence in sentences(_ITEM.sub("", line).strip()):
                yield Unit(sentence, around, _numbers(sentence), "item" if item else "sentence")
            if not item:
                intro = line if without_marks(line).rstrip(" *_").endswith(":") else ""
        position += 1


def sentences(text: str) -> list[str]:
    """The sentences of a line; a marker after the full stop belongs to the sentence before it."""
    found, start = [], 0
    for end in _ENDS.finditer(text):
        piece = text[start : end.start() + len(end[1])]
        # a quoted text in bold is one thing, however many sentences it has
        if not _SHORT_FORM.search(without_marks(piece)) and piece.count("**") % 2 == 0:
            found.append(piece.strip())
            start = end.end()
    rest = text[start:].strip()
    if found and rest and not without_marks(rest).strip():
        found[-1] = f"{found[-1]} {rest}"
    elif rest:
        found.append(rest)
    return found


def _table(header: str, body: list[str], around: tuple[str, ...]) -> Iterator[Unit]:
    columns = _cells(header)
    for line in body:
        cells = _cells(line)
        row_numbers = _numbers(line)
        for column, cell in zip(columns[1:], cells[1:], strict=False):
            if without_marks(cell).strip(" -–—"):
                # marks in a column of their own, or at the row's name, vouch for the whole row
                yield Unit(cell, (*around, cells[0], column), _numbers(cell) or row_numbers, "cell")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
