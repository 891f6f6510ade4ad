"""A draft cut into blocks, cells and sentences, so that what is not changed stays byte-identical."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Sort = Literal["prose", "heading", "item", "row", "rule", "fence", "other"]

_FENCE = re.compile(r"^\s*(?:```+[^`]*|~~~+.*)$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+")
_ITEM = re.compile(r"^\s*(?:>\s*)*(?:[-*+•]|\d{1,3}[.)])\s+")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_ROW = re.compile(r"^\s*\|")
_RULE = re.compile(r"^\s*\|?[\s|:-]*-[\s|:-]*$")
MARKER = re.compile(
    r"\\?[\[【［〔](?:\^|(?:passages?|sources?|refs?|cite|citation)\s*:?\s*)?\s*"
    r"(\d{1,4}(?:\s*(?:,|;|–|-|and|&)\s*(?:passage\s*)?\d{1,4})*)\s*\\?[\]】］〕]",
    re.IGNORECASE,
)
_MARKERS = rf"(?:\s*{MARKER.pattern})*"
# A marker after the full stop still belongs to the sentence before it.
_END = re.compile(rf"[.!?…]+[\"'”’)*_]*{_MARKERS}[.\"'”’)*_]*\s+(?!{MARKER.pattern})(?=\S)", re.IGNORECASE)
_SHORT = re.compile(
    r"(?:\b(?:vs|etc|e\.g|i\.e|approx|no|dr|mr|ms|st|inc|ltd|u\.s|u\.k|jr|sr|incl|est|yrs?|mos?)|\b[A-Z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together: a paragraph, a heading, a list item, a row of a table."""

    sort: Sort
    prefix: str
    """The mark before the words: `- `, `2. `, `## `, `> `."""
    body: str
    """The words, with the line ends that follow them."""


def blocks(text: str) -> list[Block]:
    """The blocks of a Markdown text; joined together they are the text."""
    found: list[Block] = []
    fenced = False
    for line in text.splitlines(keepends=True):
        if _FENCE.match(line.rstrip("\n")):
            fenced = not fenced
            found.append(Block("fence", line, ""))
        elif fenced:
            found.append(_marked("item", line, re.match(r"\s*(?:\d{1,3}[.)]\s+)?", line)))
        else:
            _add(found, line)
    return found


def _add(found: list[Block], line: str) -> None:
    if not line.strip():
        found.append(Block("other", line, ""))
    elif _RULE.match(line) and ("|" in line or set(line.strip()) <= set("-_* ")):
        found.append(Block("rule", line, ""))
    elif _ROW.match(line):
        found.append(Block("row", "", line))
    elif mark := _HEADING.match(line):
        found.append(_marked("heading", line, mark))
    elif mark := _ITEM.match(line):
        found.append(_marked("item", line, mark))
    elif found and found[-1].sort in ("prose", "item") and found[-1].body.endswith("\n") and not _QUOTE.match(line):
        found[-1] = Block(found[-1].sort, found[-1].prefix, found[-1].body + line)
    else:
        found.append(_marked("prose", line, _QUOTE.match(line)))


def _marked(sort: Sort, line: str, mark: re.Match[str] | None) -> Block:
    width = mark.end() if mark else 0
    return Block(sort, line[:width], line[width:])


def pieces(body: str) -> list[str]:
    """The sentences of a block, each with the markers and the space that follow it."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(body):
        if end.end() <= start:
            continue
        following = body[end.end()]
        stop = end.group().rstrip()
        opens = not following.islower() or "\n" in end.group()
        if opens and not (stop.endswith(".") and _SHORT.search(body[start : end.start() + 1])):
            found.append(body[start : end.end()])
            start = end.end()
    return [*found, body[start:]]


def cells(row: str) -> list[str]:
    """A table row cut at its bars, bars kept; joined together the pieces are the row."""
    return [piece for piece in re.split(r"((?<!\\)\|)", row) if piece]


def markers(text: str) -> Iterator[tuple[re.Match[str], tuple[int, ...]]]:
    """Each marker of a text with the numbers it gives; `[1, 3]` and `[1-3]` give several."""
    for match in MARKER.finditer(text):
        yield match, _numbers(match.group(1))


def _numbers(written: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in re.split(r"\s*(?:,|;|and|&)\s*", written, flags=re.IGNORECASE):
        ends = [int(n) for n in re.findall(r"\d+", part)]
        if len(ends) == 2 and ends[0] <= ends[1] <= ends[0] + 20:
            found.extend(range(ends[0], ends[1] + 1))
        else:
            found.extend(ends)
    return tuple(dict.fromkeys(found))


def unmarked(text: str) -> str:
    """The text with its markers blanked out, every other sign in its place."""
    return MARKER.sub(lambda match: " " * len(match.group()), text)
