"""PDF → HTML: lines in reading order, tables by their rules, headings by the size of their letters.

A PDF says where letters stand, not what they are. What is guessed here is only what a reader guesses in the same way;
a table whose cells do not hold all of its words is kept as lines.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from advisor.errors import CorpusError
from advisor.formats.layout import BULLETS, Cells, Line, Piece, joined, rows_without_rules, with_marks

if TYPE_CHECKING:
    from pdfminer.layout import LTPage
    from pdfplumber.page import Page

_LAYOUT = {"char_margin": 1.2}
"""Words further apart than this many letters stand in different columns."""
_LARGER = 1.15
"""A heading's letters are larger than the text's by this factor."""
_BULLET = re.compile(rf"^(?:{BULLETS})\s+(?=\S)")
_NUMBER = re.compile(r"^(\d{1,3})[.)]\s+(?=\S)")
_NO_LETTER = re.compile(r"\(cid:\d+\)|[\ufffd\ue000-\uf8ff]")
_MARGIN = 0.08
"""Of a page's height: what is said there again and again is its header or footer."""


def html(raw: bytes, source: str) -> str:
    """A document's HTML.

    Raises:
        CorpusError: the file is no PDF, is broken or protected by a password, or holds no text; names the file.
    """
    pieces = _pieces(raw, source)
    words = "".join(piece.text for piece in pieces)
    if not re.search(r"\w", words):
        raise CorpusError(f"{source}:1: holds no text, only pictures; run text recognition (OCR) over it first.")
    if len(_NO_LETTER.findall(words)) > len(words) // 20:
        raise CorpusError(f"{source}:1: its fonts do not say which letters they show; make it anew, or use OCR.")
    return "\n".join(_blocks(_within_tables(_without_edges(pieces))))


def _pieces(raw: bytes, source: str) -> list[Piece]:
    import pdfplumber
    from pdfminer.pdfdocument import PDFPasswordIncorrect

    try:
        with pdfplumber.open(io.BytesIO(raw), laparams=_LAYOUT) as document:
            found: list[Piece] = []
            for number, page in enumerate(document.pages):
                found += rows_without_rules(with_marks(list(_page(page, number))))
                page.close()
            return found
    except Exception as error:
        if isinstance(error, PDFPasswordIncorrect) or any(isinstance(a, PDFPasswordIncorrect) for a in error.args):
            raise CorpusError(f"{source}:1: protected by a password; save it without one.") from error
        raise CorpusError(f"{source}:1: not a PDF that can be read ({type(error).__name__}).") from error


def _page(page: Page, number: int) -> Iterator[Piece]:
    """The lines of a page in reading order, with each ruled table where its first line stood."""
    lines = list(_lines(page.layout, number))
    tables = [(table.bbox, _cells(table.extract(), number)) for table in page.find_tables()]
    inside: dict[int, list[Line]] = {}
    for line in lines:
        for at, ((left, top, right, bottom), _) in enumerate(tables):
            if left - 1 <= line.left <= right and top - 1 <= line.top <= bottom:
                inside.setdefault(at, []).append(line)
                break
    whole = {at for at, within in inside.items() if _holds(tables[at][1], within)}
    owner = {id(line): at for at, within in inside.items() if at in whole for line in within}
    told: set[int] = set()
    for line in lines:
        at = owner.get(id(line), -1)
        if at < 0:
            yield line
        elif at not in told:
            told.add(at)
            yield tables[at][1]


def _lines(layout: LTPage, number: int) -> Iterator[Line]:
    from pdfminer.layout import LTChar, LTTextBox, LTTextLine

    for block, box in enumerate(one for one in layout if isinstance(one, LTTextBox | LTTextLine)):
        for line in [box] if isinstance(box, LTTextLine) else [one for one in box if isinstance(one, LTTextLine)]:
            letters = [one for one in line if isinstance(one, LTChar)]
            text = " ".join(line.get_text().split())
            if not text:
                continue
            size = Counter(round(2 * one.size) / 2 for one in letters).most_common(1)[0][0]
            bold = all(re.search("bold|black|heavy", one.fontname, re.IGNORECASE) for one in letters)
            top = layout.y1 - line.y1
            edge = not _MARGIN < top / layout.height < 1 - _MARGIN
            yield Line(text, size, bold, line.x0, top, (number, block), edge)


def _cells(table: list[list[str | None]], page: int) -> Cells:
    rows = tuple(tuple(" ".join((cell or "").split()) for cell in row) for row in table)
    return Cells(tuple(row for row in rows if any(row)), page)


def _holds(cells: Cells, lines: Iterable[Line]) -> bool:
    """Whether it is a table (two rows, two columns) and has every letter of its lines in a cell."""
    if len(cells.rows) < 2 or cells.width < 2:
        return False
    return _letters("".join(line.text for line in lines)) <= _letters(cells.text)


def _letters(text: str) -> Counter[str]:
    return Counter("".join(text.split()))


def _without_edges(pieces: list[Piece]) -> list[Piece]:
    """The pages' headers and footers go: what stands at the edge of three pages and more, but for its numbers."""
    edges = [piece for piece in pieces if isinstance(piece, Line) and piece.at_edge]
    pages: dict[str, set[int]] = {}
    for line in edges:
        pages.setdefault(re.sub(r"\d+", "#", line.text), set()).add(line.block[0])
    often = {text for text, on in pages.items() if len(on) > 2}
    seen: set[str] = set()
    kept: list[Piece] = []
    for piece in pieces:
        key = re.sub(r"\d+", "#", piece.text) if isinstance(piece, Line) and piece.at_edge else ""
        if key in often and (key in seen or not re.search(r"[^\W\d_]{2}", piece.text)):
            continue
        seen.add(key)
        kept.append(piece)
    return kept


def _within_tables(pieces: list[Piece]) -> list[Piece]:
    """A table that goes on at the top of the next page is one table, its header said once."""
    kept: list[Piece] = []
    for piece in pieces:
        before = kept[-1] if kept else None
        if isinstance(piece, Cells) and isinstance(before, Cells) and piece.continues(before):
            rows = piece.rows[1:] if piece.rows[0] == before.rows[0] else piece.rows
            kept[-1] = replace(before, rows=before.rows + rows, pages=before.pages + 1)
        else:
            kept.append(piece)
    return kept


def _blocks(pieces: list[Piece]) -> Iterator[str]:
    """Headings, paragraphs, lists and tables as HTML."""
    lines = [piece for piece in pieces if isinstance(piece, Line)]
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    usual = sizes.most_common(1)[0][0] if sizes else 0.0
    levels = sorted((size for size in sizes if size >= usual * _LARGER), reverse=True)
    known = set(re.findall(r"\w+", " ".join(line.text for line in lines).lower()))
    title = _title(lines, levels)
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if isinstance(piece, Cells):
            yield piece.html()
            at += 1
            continue
        level = _level(piece, levels, pieces[at + 1] if at + 1 < len(pieces) else None)
        end = at + 1
        while end < len(pieces) and _goes_on(piece, level, pieces[end], levels):
            end += 1
        text = escape(joined([one.text for one in pieces[at:end]], known))
        yield _tagged(text, piece, min(level + (title is not None and piece is not title), 6) if level else 0)
        at = end


def _title(lines: list[Line], levels: list[float]) -> Line | None:
    """The first line, when it is set as large as any other: the headings that are as large stand below it."""
    if not lines or not levels or lines[0].size != levels[0]:
        return None
    return lines[0] if sum(line.size == levels[0] and line.block != lines[0].block for line in lines) else None


def _level(line: Line, levels: list[float], after: Piece | None) -> int:
    if not re.search(r"[^\W\d_]{2}", line.text):
        return 0
    if line.size in levels and len(line.text) <= 200:
        return levels.index(line.size) + 1
    alone = not isinstance(after, Line) or after.block != line.block or not after.bold
    if line.bold and alone and len(line.text) <= 100 and line.text[-1] not in ".,;:" and not _BULLET.match(line.text):
        return len(levels) + 1
    return 0


def _goes_on(first: Line, level: int, line: Piece, levels: list[float]) -> bool:
    """Whether a line belongs to the heading, paragraph or item that `first` begins."""
    if not isinstance(line, Line) or line.block != first.block or line.size != first.size:
        return False
    if level:
        return line.bold == first.bold and first.size in levels
    return not (_BULLET.match(line.text) or _NUMBER.match(line.text) or (line.bold and not first.bold))


def _tagged(text: str, line: Line, level: int) -> str:
    if level:
        return f"<h{level}>{text}</h{level}>"
    if _BULLET.match(line.text):
        return f"<ul><li>{_BULLET.sub('', text)}</li></ul>"
    if number := _NUMBER.match(line.text):
        return f'<ol start="{number[1]}"><li>{_NUMBER.sub("", text)}</li></ol>'
    return f"<p>{text}</p>"
