"""Answers from text: the lines of the best section that answer, whole lists and ladders, nothing that stands alone badly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.knowledge import section_of
from advisor.types import Draft, Evidence, Hit, Passage
from advisor.words import stems
from advisor.writing import Writing

if TYPE_CHECKING:
    from advisor.knowledge import Knowledge
    from advisor.question import Question

ROOM = 90
"""Words that an answer may take before nothing is added to it."""
NEAR_THE_BEST = 0.86
"""Least share of the best hit's score for a second section to add a line."""


def answer(question: Question, hits: Sequence[Hit], knowledge: Knowledge) -> Draft:
    """What the best section says, and a line of the next best where there is room."""
    writing = Writing()
    best = hits[0]
    _section(best, question, knowledge, writing)
    seen = {section_of(best.passage)}
    for hit in hits[1:4]:
        if _words(writing) >= ROOM or hit.score < best.score * NEAR_THE_BEST:
            break
        if section_of(hit.passage) not in seen and hit.passage.kind in ("paragraph", "list"):
            seen.add(section_of(hit.passage))
            line = _line(hit, question)
            if line and not line.endswith(":"):
                writing.add(writing.quote(hit.passage, line))
    return writing.draft()


def _section(hit: Hit, question: Question, knowledge: Knowledge, writing: Writing) -> None:
    """The section's opening when the hit stands in a section that answers one question, else the hit itself."""
    section = [p for p in knowledge.sections[section_of(hit.passage)] if p.kind != "note"]
    opening = section[0]
    asks = opening.headings[-1].endswith("?")
    if asks and hit.passage is not opening and opening.kind == "paragraph":
        writing.add(_lines(opening, opening.lines[:1], writing))
    _passage(hit.passage, hit, question, writing)
    if asks:
        at = section.index(hit.passage)
        for following in section[at + 1 : at + 3]:
            if _words(writing) + len(following.text.split()) <= ROOM and following.kind != "row":
                _passage(following, Hit(following, 0.0), question, writing)


def _passage(passage: Passage, hit: Hit, question: Question, writing: Writing) -> None:
    if passage.kind in ("list", "steps"):
        writing.add(_list(passage, writing))
    elif passage.kind == "row":
        writing.add(_row(passage, writing))
    elif passage.kind == "code":
        writing.add(f"```\n{passage.text}\n```\n{writing.cite(Evidence(passage, passage.text))}")
    else:
        writing.add(_lines(passage, passage.lines, writing))


def _lines(passage: Passage, lines: Sequence[str], writing: Writing) -> str:
    return " ".join(writing.quote(passage, line) for line in lines)


def _list(passage: Passage, writing: Writing) -> str:
    items = [line for line in passage.lines if line != passage.intro]
    marks = (f"{n}." if passage.kind == "steps" else "-" for n in range(1, len(items) + 1))
    said = [f"{mark} {writing.quote(passage, item)}" for mark, item in zip(marks, items, strict=True)]
    intro = passage.intro or f"{passage.headings[-1].rstrip(':')}:"
    return "\n".join([intro, "", *said])


def _row(passage: Passage, writing: Writing) -> str:
    from advisor.types import Cell

    name = passage.cells[0][1]
    parts = [
        f"{header}: {value} {writing.cite(Evidence(passage, value, Cell(name, header)))}"
        for header, value in passage.cells[1:]
        if value
    ]
    return f"**{name}**\n\n" + "\n".join(f"- {part}" for part in parts)


def _line(hit: Hit, question: Question) -> str:
    """The hit's line that shares most with the question."""
    if hit.line and hit.line in hit.passage.lines:
        return hit.line
    asked = set(stems(question.clear))
    lines = [line for line in hit.passage.lines if line != hit.passage.intro] or [hit.passage.text]
    return max(lines, key=lambda line: len(asked & set(stems(line))))


def _words(writing: Writing) -> int:
    return sum(len(block.split()) for block in writing.blocks)
