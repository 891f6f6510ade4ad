"""A model that speaks the truth and ones that lie in known ways, made from whatever passages there are.

Each liar takes a true sentence and spoils one thing, so that it is known what has to be caught.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from advisor.citations import figures
from advisor.citations.figures import same
from advisor.types import Passage
from advisor.vocabulary import Vocabulary

AROUND = 7
"""How many other passages stand in the prompt, so that a lie may lean on one of them."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a model says, which passages it had, and what in it is a lie."""

    text: str
    passages: tuple[Passage, ...]
    question: str = "tell me"
    lie: str = ""


def true(passages: Sequence[Passage]) -> Iterator[Sentence]:
    """Every line and every cell, said as a sentence and cited to its passage."""
    for at, passage in enumerate(passages):
        if passage.kind == "note":
            continue
        before = passages[max(0, at - AROUND // 2) : at]
        given = (passage, *before, *passages[at + 1 : at + 1 + AROUND - len(before)])
        for said in _said(passage):
            yield Sentence(f"{said} [1].", given)


def _said(passage: Passage) -> list[str]:
    if passage.kind != "row":
        return [line.rstrip(".") for line in passage.lines if line != passage.intro]
    return [f"{passage.cells[0][1]}, {column}: {value}" for column, value in passage.cells[1:]]


def wrong_figures(passages: Sequence[Passage], chance: random.Random) -> Iterator[Sentence]:
    """One figure of a true sentence is another number, which stands nowhere in the prompt."""
    for sentence in true(passages):
        found = [f for f in figures(sentence.text.removesuffix(" [1].")) if f.sort != "year"]
        known = " ".join(p.text for p in sentence.passages)
        if not found:
            continue
        figure = chance.choice(found)
        old = sentence.text[figure.start : figure.end]
        new = re.sub(r"\d+", lambda m: str(int(m.group()) + chance.choice([3, 7, 11, 23])), old, count=1)
        if new != old and not re.search(rf"(?<!\d){re.search(r'[0-9]+', new).group()}(?!\d)", known):  # type: ignore[union-attr]
            text = sentence.text[: figure.start] + new + sentence.text[figure.end :]
            yield Sentence(text, sentence.passages, lie=new)


def borrowed_figures(passages: Sequence[Passage]) -> Iterator[Sentence]:
    """The value of another row or another column of the same table."""
    for passage in passages:
        if passage.kind != "row":
            continue
        table = [p for p in passages if p.table == passage.table]
        if sum(p.cells[0] == passage.cells[0] for p in table) > 1:
            continue
        for column, value in passage.cells[1:]:
            if not any(f.sort in ("money", "percent", "rating", "duration") for f in figures(value)):
                continue
            for text, other in _borrowed(passage, column, table):
                if not _true_there(other, value):
                    given = (passage, *(p for p in table if p is not passage))[: AROUND + 1]
                    yield Sentence(text, given, lie=other)


def _true_there(other: str, value: str) -> bool:
    """Whether the other value says nothing that can be wrong here: no quantity, or one that the cell gives too."""
    said = [f for f in figures(other) if f.sort not in ("year", "count")]
    return not said or all(any(same(f, g) for g in figures(value)) for f in said)


def _borrowed(passage: Passage, column: str, table: Sequence[Passage]) -> Iterator[tuple[str, str]]:
    place = f"{passage.cells[0][1]}, {column}"
    rows = [dict(p.cells).get(column, "") for p in table if p is not passage]
    columns = [v for c, v in passage.cells[1:] if c != column]
    for other in dict.fromkeys([*rows, *columns]):
        yield f"{place}: {other} [1].", other


def wrong_names(passages: Sequence[Passage], vocabulary: Vocabulary, kind: str) -> Iterator[Sentence]:
    """Right money of another role, level or region: the name is swapped, the value is not."""
    names = [name for name in getattr(vocabulary, kind) if name != "United States"]
    for passage in passages:
        for column, value in passage.cells[1:] if passage.kind == "row" else ():
            if not any(f.sort == "money" for f in figures(value)):
                continue
            here = vocabulary.slots(" , ".join([passage.cells[0][1], column, passage.headings[-1], passage.intro]))
            named = {k: list(getattr(here, k))[:1] for k in ("levels", "roles", "regions")}
            for other in names if named["roles"] and getattr(here, kind) else ():
                if other not in getattr(here, kind):
                    who = {**named, kind: [other]}
                    said = " ".join([*who["levels"], *who["roles"], *(f"({r})" for r in who["regions"])])
                    yield Sentence(f"{said}: {value} [1].", (passage,), lie=value)


def phantoms(passages: Sequence[Passage]) -> Iterator[Sentence]:
    """A true sentence cited to a passage that is not there."""
    for at, sentence in enumerate(true(passages)):
        yield Sentence(sentence.text.replace("[1].", f"[{20 + at % 70}]."), sentence.passages, lie=f"[{20 + at % 70}]")


INVENTED = (
    "Most employers sponsor work visas for newcomers",
    "Union membership protects against dismissal",
    "Employers reimburse kindergarten fees",
    "Applicants must pass a drug test",
    "Parental leave lasts longer than elsewhere",
    "Night shifts and weekend duty are common",
    "A driving licence is mandatory",
    "Wearing a suit impresses recruiters at conferences",
    "Retirement savings are matched by employers",
    "Astrology helps to predict promotions",
    "Companies pay for gym membership and lunches",
    "Left-handed candidates receive preference",
    "The military recruits heavily among them",
    "Relocation to Antarctica is encouraged",
    "Background music raises productivity enormously",
)


def unsupported(passages: Sequence[Passage], roles: Sequence[str]) -> Iterator[Sentence]:
    """Something plausible that stands in no guide, with and without a role, cited to whatever was found."""
    for at, claim in enumerate(INVENTED * 8):
        role = f" for a {roles[at % len(roles)]}" if at % 2 else ""
        given = tuple(passages[at * 5 % len(passages) :][: AROUND + 1]) or tuple(passages[: AROUND + 1])
        yield Sentence(f"{claim}{role} [{at % len(given) + 1}].", given, lie=claim)


UNCOVERED = (
    "do employers sponsor visas?", "is there parental leave?", "do I need a driving licence?", "what about pensions?",
    "are there night shifts?", "must I wear a suit?", "is there a union?", "how good is the canteen?",
)  # fmt: skip


def off_question(passages: Sequence[Passage]) -> Iterator[Sentence]:
    """The question is not covered; the model answers it with something true about something else."""
    for at, sentence in enumerate(true(passages)):
        if at % 9 == 0:
            yield Sentence(sentence.text, sentence.passages[:1], question=UNCOVERED[at // 9 % len(UNCOVERED)])
