"""Answers from text: the section that answers, its first sentences and its list, nothing that stands alone badly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.knowledge import section_of
from advisor.types import Cell, Draft, Evidence, Hit, Passage
from advisor.words import stems
from advisor.writing import Writing, listed, table

if TYPE_CHECKING:
    from advisor.knowledge import Knowledge
    from advisor.question import Question

ROOM = 110
"""Words that an answer may take before nothing more is added to it."""
LONGEST = 170
"""Words that an answer may take with the list or table that belongs to it."""
NEAR_THE_BEST = 0.85
"""Least share of the best hit's score for a second section to add a line."""
ALL_ROLES = 0.75
"""Least share of the best hit's score for a hit that names all the roles asked about to go before it."""
OTHER_ROLE = 0.85
"""Least share of the best hit's score for a hit about the role asked about to go before one headed by another."""
_MOST_ROWS = 8


def answer(question: Question, hits: Sequence[Hit], knowledge: Knowledge) -> Draft:
    """What the best section says, and a line of the next best where there is room."""
    writing = Writing()
    best = _of_all_roles(question, hits, knowledge)
    elsewhere = [place for place in question.slots.regions if not knowledge.holds_for(place, best.passage)]
    if elsewhere:
        writing.add(f"The guides say nothing about {listed(elsewhere, 'or')} in particular.")
    section = [p for p in knowledge.sections[section_of(best.passage)] if p.kind != "note"]
    if best.passage.headings[-1].endswith("?") or best.passage.kind == "row" and not _names_row(best.passage, question):
        _opening(section, best.passage, writing)
    else:
        _say(best.passage, question, writing)
        _with_pair(best.passage, section, question, writing)
    seen = {section_of(best.passage)}
    for hit in [hit for hit in hits[:4] if hit is not best]:
        if _words(writing) >= ROOM * 2 // 3 or hit.score < best.score * NEAR_THE_BEST:
            break
        if section_of(hit.passage) not in seen and hit.passage.kind == "paragraph":
            seen.add(section_of(hit.passage))
            writing.add(writing.quote(hit.passage, _line(hit, question)))
    return writing.draft(missing=elsewhere)


def _of_all_roles(question: Question, hits: Sequence[Hit], knowledge: Knowledge) -> Hit:
    """The best hit; of a question about two roles or more, the best that names them all, if it is near enough."""
    roles = set(question.slots.roles)

    def whole(hit: Hit) -> bool:
        return roles <= set(knowledge.vocabulary.slots(f"{hit.passage.headings[-1]} . {hit.passage.text}").roles)

    near = [hit for hit in hits if hit.score >= hits[0].score * (ALL_ROLES if len(roles) > 1 else OTHER_ROLE)]
    headed = set(knowledge.vocabulary.slots(hits[0].passage.headings[-1]).roles)
    return next((hit for hit in near if whole(hit)), hits[0]) if len(roles) > 1 or headed else hits[0]


def _opening(section: Sequence[Passage], found: Passage, writing: Writing) -> None:
    """A section that answers a question is said from its start; its list or table goes before further paragraphs."""
    told = [p for p in section if p.kind != "row"]
    first = told[0] if told and section[0].kind == "row" else section[0]
    rest = [p for p in section if p is not first]
    block = next((p for p in rest if p.kind in ("list", "steps", "row")), None)
    if first.kind == "paragraph" and block and found is not first and found.kind in ("list", "steps", "row"):
        block = found
    _whole(first, writing) if first.kind != "row" else _rows(section, first, writing)
    if block and _words(writing) + _size(block, section) <= LONGEST:
        _rows(section, block, writing) if block.kind == "row" else _whole(block, writing)
    elif found not in (first, block):
        _whole(found, writing)
    for passage in rest:
        if passage.kind == "paragraph" and passage is not found and _words(writing) + _size(passage, section) <= ROOM:
            _whole(passage, writing)


def _names_row(row: Passage, question: Question) -> bool:
    """Whether a question is about this row of a table rather than about the whole."""
    named = set(stems(row.cells[0][1]))
    return named <= set(stems(question.clear))


def _with_pair(passage: Passage, section: Sequence[Passage], question: Question, writing: Writing) -> None:
    """A list found without its opening paragraph, or the other way round, is completed when there is room."""
    at = section.index(passage)
    for other in section[at + 1 : at + 2]:
        if other.kind != "row" and _words(writing) + _size(other, section) <= ROOM:
            _whole(other, writing)


def _say(passage: Passage, question: Question, writing: Writing) -> None:
    """One passage; of a list whose items each compare a pair, the item that names both comes alone."""
    line = pair(passage, question.slots.roles)
    if line:
        writing.add(writing.quote(passage, line))
    else:
        _whole(passage, writing)


def pair(passage: Passage, roles: Sequence[str]) -> str:
    """The item of a list that compares just these roles; empty when there is none, or more than one."""
    if passage.kind != "list" or len(set(roles)) < 2:
        return ""
    lines = [line for line in passage.lines if line != passage.intro]
    named = [line for line in lines if all(role.casefold() in line.casefold() for role in roles)]
    return named[0] if len(named) == 1 else ""


def _whole(passage: Passage, writing: Writing) -> None:
    if passage.kind in ("list", "steps"):
        writing.add(_list(passage, writing))
    elif passage.kind == "row":
        writing.add(_row(passage, writing))
    elif passage.kind == "code":
        writing.add(f"```\n{passage.text}\n```\n{writing.cite(Evidence(passage, passage.text))}")
    else:
        writing.add(" ".join(writing.quote(passage, line) for line in passage.lines))


def _list(passage: Passage, writing: Writing) -> str:
    items = [line for line in passage.lines if line != passage.intro]
    marks = (f"{n}." if passage.kind == "steps" else "-" for n in range(1, len(items) + 1))
    said = [f"{mark} {writing.quote(passage, item)}" for mark, item in zip(marks, items, strict=True)]
    intro = passage.intro or f"{passage.headings[-1].rstrip(':?')}:"
    return "\n".join([intro, "", *said])


def _rows(section: Sequence[Passage], first: Passage, writing: Writing) -> None:
    """A whole table of a section, each value cited to its cell."""
    rows = [p for p in section if p.table == first.table][:_MOST_ROWS]
    writing.add(table([header for header, _ in first.cells], [_cited(row, writing) for row in rows]))


def _cited(row: Passage, writing: Writing) -> list[str]:
    name = row.cells[0][1]
    return [name, *(f"{v} {writing.cite(Evidence(row, v, Cell(name, h)))}" if v else "" for h, v in row.cells[1:])]


def _row(passage: Passage, writing: Writing) -> str:
    name, *values = _cited(passage, writing)
    parts = [f"- {header}: {value}" for (header, _), value in zip(passage.cells[1:], values, strict=True) if value]
    return "\n".join([f"**{name}**", "", *parts])


def _line(hit: Hit, question: Question) -> str:
    """The hit's line that was found, or that shares most with the question."""
    if hit.line and hit.line in hit.passage.lines:
        return hit.line
    asked = set(stems(question.clear))
    return max(hit.passage.lines, key=lambda line: len(asked & set(stems(line))))


def _size(passage: Passage, section: Sequence[Passage]) -> int:
    if passage.kind == "row":
        return sum(len(p.text.split()) for p in section if p.table == passage.table)
    return len(passage.text.split())


def _words(writing: Writing) -> int:
    return sum(len(block.split()) for block in writing.blocks)
