"""A model that speaks the truth and ones that lie in known ways, made from whatever passages there are.

Each liar takes a true sentence and spoils one thing, so that it is known what has to be caught.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from advisor.citations import figures
from advisor.citations.figures import same
from advisor.types import Passage
from advisor.vocabulary import Slots, Vocabulary

AROUND = 7
"""How many other passages stand in the prompt, so that a lie may lean on one of them."""
_NUMBER = re.compile(r"(?<![A-Za-z\d.,-])\d+(?![\d.]*\d)")
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"


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
        for claim in claims(passage):
            yield Sentence(f"{claim} [1].", given)


def claims(passage: Passage) -> list[str]:
    """What a passage says: its lines without their full stop, its cells by row and column."""
    if passage.kind != "row":
        return [line.rstrip(".") for line in passage.lines if line != passage.intro]
    return [f"{passage.cells[0][1]}, {column}: {value}" for column, value in passage.cells[1:]]


def wrong_figures(passages: Sequence[Passage], chance: random.Random) -> Iterator[Sentence]:
    """One figure of a true sentence is another number, which stands nowhere in the prompt."""
    return _misnumbered(passages, chance, dates=False)


def wrong_dates(passages: Sequence[Passage], chance: random.Random) -> Iterator[Sentence]:
    """The year or the day of a date is another one, which stands nowhere in the prompt."""
    return _misnumbered(passages, chance, dates=True)


def _misnumbered(passages: Sequence[Passage], chance: random.Random, dates: bool) -> Iterator[Sentence]:
    """Whatever is written in digits, so that no number is spared because the guard does not take it for a figure."""
    for sentence in true(passages):
        body = sentence.text.removesuffix(" [1].")
        found = [n for n in _NUMBER.finditer(body) if _in_date(n, body) == dates]
        if not found:
            continue
        number = chance.choice(found)
        new = str(int(number.group()) + chance.choice([3, 7, 11, 23]))
        known = " ".join(" ".join((*p.headings, p.intro, p.text, p.as_of)) for p in sentence.passages)
        if not said(new, known):
            yield Sentence(body[: number.start()] + new + body[number.end() :] + " [1].", sentence.passages, lie=new)


def _in_date(number: re.Match[str], text: str) -> bool:
    before, after = text[: number.start()], text[number.end() :]
    is_year = re.fullmatch(r"(?:19|20)\d\d", number.group()) is not None
    return is_year or bool(re.search(rf"{_MONTH} $", before) or re.match(rf" {_MONTH}", after))


def said(lie: str, text: str) -> bool:
    """Whether a text says it, markers aside; a number only as a whole one."""
    return re.search(rf"(?<![\d.]){re.escape(lie)}(?!\d)", re.sub(r"\[\d+\]", "", text)) is not None


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


@dataclass(frozen=True, slots=True)
class Amount:
    """Money that the guides give, and for whom; a kind without names holds for all."""

    value: str
    roles: tuple[str, ...]
    levels: tuple[str, ...]
    regions: tuple[str, ...]

    def may_be(self, value: str, who: Mapping[str, Sequence[str]]) -> bool:
        """Whether this makes the value true of them."""
        held = {"roles": self.roles, "levels": self.levels, "regions": self.regions}
        meets = all(not held[kind] or not names or set(held[kind]) & set(names) for kind, names in who.items())
        return meets and any(same(f, g) for f in figures(value) for g in figures(self.value))


def amounts(passages: Sequence[Passage], vocabulary: Vocabulary) -> tuple[Amount, ...]:
    """Every cell with money, and whom its row, column, heading and intro name."""
    found = []
    for passage in passages:
        for column, value in passage.cells[1:] if passage.kind == "row" else ():
            if any(f.sort == "money" for f in figures(value)):
                own = vocabulary.slots(f"{passage.cells[0][1]} , {column}")
                here = _slots(passage, column, vocabulary)
                regions = tuple(name for name in here.regions if name != "United States")
                found.append(Amount(value, own.roles, own.levels, regions))
    return tuple(found)


def _slots(passage: Passage, column: str, vocabulary: Vocabulary) -> Slots:
    return vocabulary.slots(" , ".join([passage.cells[0][1], column, passage.headings[-1], passage.intro]))


def wrong_names(
    passages: Sequence[Passage], vocabulary: Vocabulary, kind: str, elsewhere: Sequence[Amount] = ()
) -> Iterator[Sentence]:
    """Right money of another role, level or region: the name is swapped, the value is not, nor true `elsewhere`."""
    names = [name for name in getattr(vocabulary, kind) if name != "United States"]
    for passage in passages:
        for column, value in passage.cells[1:] if passage.kind == "row" else ():
            if not any(f.sort == "money" for f in figures(value)):
                continue
            here = _slots(passage, column, vocabulary)
            named = {k: list(getattr(here, k))[:1] for k in ("levels", "roles", "regions")}
            for other in names if named["roles"] and getattr(here, kind) else ():
                who = {**named, kind: [other]}
                if other not in getattr(here, kind) and not any(held.may_be(value, who) for held in elsewhere):
                    name = " ".join([*who["levels"], *who["roles"], *(f"({r})" for r in who["regions"])])
                    yield Sentence(f"{name}: {value} [1].", (passage,), lie=value)


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
        yield Sentence(f"{claim}{role} [1].", given, lie=claim)


UNCOVERED = (
    "do employers sponsor visas?", "is there parental leave?", "do I need a driving licence?", "what about pensions?",
    "are there night shifts?", "must I wear a suit?", "is there a union?", "how good is the canteen?",
)  # fmt: skip


def off_question(passages: Sequence[Passage]) -> Iterator[Sentence]:
    """The question is not covered; the model answers it with something true about something else."""
    for at, sentence in enumerate(true(passages)):
        if at % 9 == 0:
            yield Sentence(sentence.text, sentence.passages[:1], question=UNCOVERED[at // 9 % len(UNCOVERED)])


def misattributed(passages: Sequence[Passage], roles: Sequence[str]) -> Iterator[Sentence]:
    """A sentence without figures that names one role, said of another one."""
    for sentence in true(passages):
        passage, body = sentence.passages[0], sentence.text.removesuffix(" [1].")
        named = [role for role in roles if role in body]
        if passage.kind == "row" or len(named) != 1 or re.search(r"\d", body):
            continue
        known = " ".join(" ".join((*p.headings, p.intro, p.text)) for p in sentence.passages[:1])
        for other in roles:
            if other not in known:
                lie = body.replace(named[0], other)
                yield Sentence(f"{lie} [1].", sentence.passages, lie=lie)
