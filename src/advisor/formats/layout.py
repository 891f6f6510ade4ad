"""What is the same on every page of a PDF: cells in rows, and words that a line's end cut in two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

_SAME_HEIGHT = 2.0
"""Points by which lines of one row may differ."""
_BESIDE = 30.0
"""Points between the beginnings of a mark and of what it marks, at most."""
BULLETS = r"[•●▪◦‣∙·○■□–—*-]|\(cid:\d+\)"
MARK = re.compile(rf"(?:{BULLETS}|\d{{1,3}}[.)]?)")
_BROKEN = re.compile(r"([^\W\d_]+)-$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page; `block` is its page and the number of what it stands together with."""

    text: str
    size: float
    bold: bool
    left: float
    top: float
    block: tuple[int, int]
    at_edge: bool = False


@dataclass(frozen=True, slots=True)
class Cells:
    """A table of a page, and of the pages after it on which it goes on."""

    rows: tuple[tuple[str, ...], ...]
    page: int
    pages: int = 1

    @property
    def width(self) -> int:
        """The number of its columns."""
        return max(map(len, self.rows), default=0)

    @property
    def last_page(self) -> int:
        """The page on which it ends."""
        return self.page + self.pages - 1

    def continues(self, before: Cells) -> bool:
        """Whether it has the columns of a table that ended on the page before."""
        return self.width == before.width and self.page == before.last_page + 1

    @property
    def text(self) -> str:
        """All its words."""
        return " ".join(cell for row in self.rows for cell in row)

    def html(self) -> str:
        """The table, its first row the header."""
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self.rows)
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


Piece = Line | Cells


def with_marks(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """A bullet or number that stands by itself goes in front of the line it stands beside."""
    lines = [piece for piece in pieces if isinstance(piece, Line)]
    owners: dict[int, str] = {}
    taken: set[int] = set()
    for mark in lines:
        if MARK.fullmatch(mark.text):
            near = (one for one in lines if abs(one.top - mark.top) <= 2 * _SAME_HEIGHT)
            beside = [one for one in near if 0 < one.left - mark.left <= _BESIDE]
            if beside and not MARK.fullmatch((owner := min(beside, key=lambda line: line.left)).text):
                taken.add(id(mark))
                owners[id(owner)] = f"{mark.text.rstrip('.)')}." if mark.text[0].isdigit() else "•"
    for piece in pieces:
        if id(piece) in owners and isinstance(piece, Line):
            yield replace(piece, text=f"{owners[id(piece)]} {piece.text}")
        elif id(piece) not in taken:
            yield piece


def rows_without_rules(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Lines that stand beside each other, each alone in its block, row under row: a table that nobody drew rules in.

    Its first row has to look like a header (no figures); otherwise each row becomes one line, so that what stands
    beside each other stays together.
    """
    given = list(pieces)
    sizes = Counter(piece.block for piece in given if isinstance(piece, Line))
    rows: list[list[Line]] = []
    for piece in given:
        if isinstance(piece, Cells) or sizes[piece.block] > 1:
            yield from _told(rows)
            rows = []
            yield piece
        elif rows and abs(rows[-1][0].top - piece.top) <= _SAME_HEIGHT and rows[-1][-1].left < piece.left:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    yield from _told(rows)


def _told(rows: list[list[Line]]) -> Iterator[Piece]:
    for width, group in groupby(rows, key=len):
        found = list(group)
        header = [line.text for line in found[0]]
        if width > 1 and len(found) > 2 and not re.search(r"\d", "".join(header)):
            yield Cells(tuple(tuple(line.text for line in row) for row in found), found[0][0].block[0])
            continue
        for row in found:
            yield replace(row[0], text=" · ".join(line.text for line in row)) if width > 1 else row[0]


def joined(lines: Sequence[str], known: set[str]) -> str:
    """Lines as one; a word cut in two is whole again where the document has it whole elsewhere."""
    text = lines[0]
    for line in lines[1:]:
        cut = _BROKEN.search(text)
        rest = re.match(r"[^\W\d_]+", line)
        if text.endswith("\u00ad"):
            text = text[:-1] + line
        elif cut and rest and rest[0][0].islower():
            text = (text[:-1] if (cut[1] + rest[0]).lower() in known else text) + line
        else:
            text = f"{text} {line}"
    return text.replace("\u00ad", "")
