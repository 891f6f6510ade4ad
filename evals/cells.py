"""The generated set: every cell of every table of the corpus, asked in three phrasings. Names no role and no table."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from advisor.types import Passage
from evals.samples import Fact, Sample
from evals.wording import folded, without_marks

KIND = "table"
"""The kind of a generated sample."""
_MARKS_ONLY = re.compile(r"(?:\s*\[\^[^\]]+\][\s,;]*)+")


@dataclass(frozen=True, slots=True)
class _Question:
    """A cell, seen as an attribute of a subject; the subject is the role where either header is one."""

    passages: tuple[Passage, ...]
    row: str
    column: str
    value: str
    subject: str
    attribute: str


def generate(passages: Iterable[Passage], roles: Collection[str]) -> tuple[Sample, ...]:
    """Three samples for each cell of each table, a table's cells in guide order."""
    questions = list(_questions(passages, roles))
    ids = _ids(questions)
    alone = Counter((folded(asked.subject), folded(asked.attribute)) for asked in questions)
    topics = _topics(questions)
    return tuple(
        _sample(asked, f"{name}.{wording}", phrase)
        for name, asked in zip(ids, questions, strict=True)
        for wording, phrase in enumerate(
            _phrasings(
                asked,
                topics[asked.passages[0].source, asked.passages[0].table],
                alone[folded(asked.subject), folded(asked.attribute)] == 1 and not _says_nothing(asked, questions),
            ),
            start=1,
        )
    )


def _questions(passages: Iterable[Passage], roles: Collection[str]) -> Iterator[_Question]:
    known = {folded(role) for role in roles}
    rows: dict[tuple[str, str, str], list[Passage]] = defaultdict(list)
    for passage in passages:
        if passage.kind == "row" and len(passage.cells) > 1:
            rows[passage.source, passage.table, folded(passage.cells[0][1])].append(passage)
    for same in rows.values():
        row = _clean(same[0].cells[0][1])
        for column, value in same[0].cells[1:]:
            if not value.strip() or _MARKS_ONLY.fullmatch(value):
                continue
            header = _clean(column)
            by_column = folded(header) in known and folded(row) not in known
            subject, attribute = (header, row) if by_column else (row, header)
            yield _Question(tuple(same), row, header, _clean(value), subject, attribute)


def _clean(text: str) -> str:
    return " ".join(without_marks(text).split())


def _topics(questions: Sequence[_Question]) -> dict[tuple[str, str], str]:
    """What tells a table from the others: its heading, or its intro where a heading holds several tables."""
    first = {(asked.passages[0].source, asked.passages[0].table): asked.passages[0] for asked in questions}
    held = Counter((passage.source, passage.headings[-1:]) for passage in first.values())
    return {
        table: _clean(
            passage.intro.rstrip(": ")
            if (held[passage.source, passage.headings[-1:]] > 1 and passage.intro) or not passage.headings
            else passage.headings[-1]
        )
        for table, passage in first.items()
    }


def _says_nothing(asked: _Question, questions: Sequence[_Question]) -> bool:
    """A header that many tables share ("Senior", "Date") asks for nothing without its table."""
    tables = {q.passages[0].table for q in questions if folded(q.attribute) == folded(asked.attribute)}
    return len(tables) > 1 or len(asked.attribute) < 4


def _phrasings(asked: _Question, topic: str, alone: bool) -> tuple[str, str, str]:
    subject, attribute = asked.subject, asked.attribute
    about = topic.rstrip("?.: ")
    return (
        f"What is the {attribute} for {subject}?" if alone else f"{about}: what is the {attribute} for {subject}?",
        f"{subject} {attribute} {about}".lower(),
        f"in the table about {about}, what does it say under {attribute} for {subject}",
    )


def _ids(questions: Sequence[_Question]) -> list[str]:
    """Names that stay when other tables come and go, so that a cell is compared with itself."""
    seen: Counter[str] = Counter()
    names = []
    for asked in questions:
        first = asked.passages[0]
        key = "|".join((first.source, *first.headings, first.intro, asked.row, asked.column))
        name = f"table-{first.source.removesuffix('.md')}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _sample(asked: _Question, name: str, question: str) -> Sample:
    first = asked.passages[0]
    cells = [cell for passage in asked.passages for cell in passage.cells]
    values = tuple(dict.fromkeys(_clean(value) for header, value in cells if _clean(header) == asked.column))
    return Sample(
        id=name,
        kind=KIND,
        question=question,
        facts=(Fact(values, vital=True),),
        labels=((f"{first.source}#{first.headings[-1] if first.headings else ''}",),),
        value=asked.value,
        row=asked.row,
        column=asked.column,
        passage=tuple(passage.id for passage in asked.passages),
    )
