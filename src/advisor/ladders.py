"""Ladders of a guide: which rung comes after which, and after how many years."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.types import Draft, Evidence, Passage
from advisor.vocabulary import Slots, Vocabulary
from advisor.words import stem
from advisor.writing import Writing, plain

if TYPE_CHECKING:
    from advisor.question import Question


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ordered steps of which at least two name a level of the same role."""

    role: str
    passage: Passage
    rungs: tuple[str, ...]
    levels: tuple[Slots, ...]
    topics: tuple[str, ...]
    """Topics of its heading."""


def read(passages: Iterable[Passage], vocabulary: Vocabulary) -> tuple[Ladder, ...]:
    """Every ladder of the corpus, in guide order."""
    found = []
    for passage in passages:
        if passage.kind != "steps":
            continue
        rungs = tuple(line for line in passage.lines if line != passage.intro)
        slots = tuple(vocabulary.slots(rung) for rung in rungs)
        roles = [role for s in slots for role in s.roles]
        if roles and sum(bool(s.levels) for s in slots) > 1 and roles.count(roles[0]) > len(rungs) // 2:
            found.append(Ladder(roles[0], passage, rungs, slots, vocabulary.slots(passage.headings[-1]).topics))
    return tuple(found)


def answer(question: Question, ladders: Sequence[Ladder]) -> Draft | None:
    """The rung that a question asks for with the whole ladder below it; None when it asks for no rung."""
    asked = question.slots
    next_one, how_far = question.says("next_step"), question.says("before_step")
    of_ladders = bool({*asked.topics} & {topic for ladder in ladders for topic in ladder.topics})
    years = of_ladders and question.says("years") and not question.says("whole_ladder")
    wanted = asked.levels and (next_one or how_far or years) or of_ladders and (next_one or how_far)
    if len(asked.roles) != 1 or len(asked.levels) > 1 or not wanted or set(question.terms) - _ladder_terms(question):
        return None
    for ladder in ladders:
        if ladder.role != asked.roles[0]:
            continue
        at = _rung(ladder, asked.levels)
        if at is None or (next_one and at + 1 >= len(ladder.rungs)):
            return None
        return _say(ladder, at, next_one, whole=next_one or how_far)
    return None


def _ladder_terms(question: Question) -> set[str]:
    """Terms that belong to a topic or to the asking itself."""
    spans = [m for m in question.mentions if m.kind == "topics"]
    asking = {stem(word) for word in question.words if question.says("next_step") or question.says("before_step")}
    of_topic = {stem(question.words[at]) for m in spans for at in range(m.start, m.end)}
    return of_topic | (asking & {"year", "reach", "promot", "step", "come", "beyond", "becom"})


def _rung(ladder: Ladder, levels: tuple[str, ...]) -> int | None:
    """The rung with that level; without a level, the one that names the role alone."""
    for at, slots in enumerate(ladder.levels):
        if (levels and set(levels) & set(slots.levels)) or (not levels and not slots.levels):
            return at
    return next((at for at, slots in enumerate(ladder.levels) if levels and not slots.levels), None)


def _say(ladder: Ladder, at: int, next_one: bool, whole: bool) -> Draft:
    writing = Writing()
    rung = plain(ladder.rungs[at])
    marker = writing.cite(Evidence(ladder.passage, ladder.rungs[at]))
    if next_one:
        following = ladder.rungs[at + 1]
        more = writing.cite(Evidence(ladder.passage, following))
        writing.add(f"After {rung} {marker} comes **{plain(following)}** {more}.")
    else:
        writing.add(f"**{rung}** {marker}.")
    if not whole:
        return writing.draft()
    steps = [f"{n}. {writing.quote(ladder.passage, rung)}" for n, rung in enumerate(ladder.rungs, 1)]
    writing.add("\n".join([ladder.passage.intro or f"{ladder.passage.headings[-1]}:", "", *steps]))
    return writing.draft()
