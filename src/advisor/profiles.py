"""From what somebody says of themselves to a ranking of roles, every reason a line of the guides.

The method is plain: each clause of the profile is compared with every criterion ("Choose X if ...") by the cosine of
their vectors; what is liked counts for the criterion's role, what is disliked against it, and ratings of a skill in
the guides' tables count where the clause names that skill.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from advisor.types import Draft, Evidence, Passage
from advisor.vocabulary import Vocabulary, english
from advisor.words import folded
from advisor.writing import Writing, article, listed

if TYPE_CHECKING:
    from advisor.knowledge import Knowledge
    from advisor.question import Question

ALIKE = 0.36
"""Least cosine of a clause and a criterion to count as the same thought."""
TELLING = 0.12
"""Least lead of the best role over the average for a ranking to be given at all."""
NEAR_TIE = 0.08
_CLAUSE = re.compile(r"[.;,!?\n]|\b(?:and|but|though|however|while|plus|also|so)\b")
_MOST_REASONS = 3
_A_SENTENCE = 8


@dataclass(frozen=True, slots=True)
class Criterion:
    """A guide's reason to choose a role."""

    role: str
    text: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a profile, and whether it is liked (+1) or disliked (-1)."""

    text: str
    sign: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a clause speaks for or against a role."""

    role: str
    clause: Clause
    evidence: Evidence
    weight: float


def criteria(passages: Iterable[Passage], vocabulary: Vocabulary) -> tuple[Criterion, ...]:
    """The lines of lists whose heading or intro says that they are about whom one role suits."""
    found: dict[tuple[str, str], Criterion] = {}
    for passage in passages:
        if passage.kind != "list":
            continue
        for said in (passage.headings[-1], passage.intro):
            roles = vocabulary.slots(said).roles or vocabulary.slots(passage.headings[-1]).roles
            if len(roles) == 1 and roles[0] in vocabulary.roles and _criterion_heading().search(folded(said)):
                for line in passage.lines:
                    if line != passage.intro:
                        found.setdefault((roles[0], line), Criterion(roles[0], line, passage))
                break
    return tuple(found.values())


@lru_cache(maxsize=1)
def _criterion_heading() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(english()["criteria"]) + r")\b")


def is_profile(question: Question, knowledge: Knowledge) -> bool:
    """Whether somebody describes themselves and wants a role."""
    if not knowledge.criteria:
        return False
    tastes = question.says("likes") + question.says("dislikes")
    if question.says("fit"):
        return bool(tastes) or question.says("me") or not question.terms
    return tastes > 1 and not question.says("asks") and len(question.words) > _A_SENTENCE


def clauses(text: str) -> list[Clause]:
    """The clauses of a profile with their signs; a dislike holds until the clause ends."""
    found = []
    sorts = english()["sorts"]
    dislikes = re.compile(r"\b(?:" + "|".join(sorts["dislikes"]) + r")(?!\w)")
    fit = re.compile(r"(?<!\w)(?:" + "|".join(sorts["fit"]) + r")(?!\w)")
    for part in _CLAUSE.split(folded(text)):
        part = part.strip()
        if len(part.split()) > 0 and not fit.search(part) and re.search(r"[a-z]{2}", part):
            found.append(Clause(dislikes.sub("", part).strip() or part, -1 if dislikes.search(part) else 1))
    return found


def reasons(said: Sequence[Clause], knowledge: Knowledge, roles: Sequence[str]) -> list[Reason]:
    """Every criterion and rating that a clause touches."""
    if not said:
        return []
    vectors = knowledge.embedder.embed([clause.text for clause in said])
    alike = vectors @ knowledge.criteria_vectors.T
    found = []
    for number, clause in enumerate(said):
        for at in np.argsort(-alike[number])[:12]:
            criterion = knowledge.criteria[int(at)]
            if alike[number, at] >= ALIKE and criterion.role in roles:
                weight = clause.sign * float(alike[number, at])
                found.append(Reason(criterion.role, clause, Evidence(criterion.passage, criterion.text), weight))
        found += _ratings(clause, knowledge, roles)
    return found


def _ratings(clause: Clause, knowledge: Knowledge, roles: Sequence[str]) -> list[Reason]:
    """Rows of tables that rate a skill the clause names, by role; each rating counts by how far it is from the middle."""
    question = knowledge.reader.read(clause.text)
    found = []
    for table in knowledge.finder.tables:
        columns = {role: i for i, label in enumerate(table.columns) for role in label.slots.roles if role in roles}
        for at, label in enumerate(table.rows):
            if len(columns) < 2 or not label.stems or not label.stems & set(question.terms):
                continue
            for role, column in columns.items():
                rated = re.fullmatch(r"(\d+) of (\d+)", table.value(at, column))
                if rated:
                    weight = clause.sign * (int(rated[1]) / int(rated[2]) - 0.6)
                    found.append(Reason(role, clause, table.evidence(at, column), weight))
    return found


def scores(found: Sequence[Reason], roles: Sequence[str]) -> dict[str, float]:
    """For each role the sum over clauses of its strongest reason, best role first."""
    totals = dict.fromkeys(roles, 0.0)
    for role in roles:
        best: dict[tuple[str, bool], float] = {}
        for reason in found:
            key = (reason.clause.text, reason.evidence.cell is not None)
            if reason.role == role and abs(reason.weight) > abs(best.get(key, 0.0)):
                best[key] = reason.weight
        totals[role] = sum(best.values())
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def answer(question: Question, knowledge: Knowledge) -> Draft:
    """A ranking with cited reasons, near-ties named; a question back where the profile says too little."""
    pool = tuple(dict.fromkeys(criterion.role for criterion in knowledge.criteria))
    main = _main_roles(knowledge, pool)
    roles = [role for role in question.slots.roles if role in pool] if len(question.slots.roles) > 1 else list(main)
    found = reasons(clauses(question.text), knowledge, roles)
    ranking = scores(found, roles)
    return ranked(ranking, found) if _says_enough(ranking) else ask_back(knowledge, roles)


def _main_roles(knowledge: Knowledge, pool: Sequence[str]) -> tuple[str, ...]:
    """The roles of the first guide that gives criteria; other guides' roles are asked for by name."""
    first = knowledge.criteria[0].passage.source if knowledge.criteria else ""
    return tuple(dict.fromkeys(c.role for c in knowledge.criteria if c.passage.source == first)) or tuple(pool)


def _says_enough(ranking: dict[str, float]) -> bool:
    values = list(ranking.values())
    return bool(values) and values[0] - float(np.mean(values)) >= TELLING


def ranked(ranking: dict[str, float], found: Sequence[Reason]) -> Draft:
    """The ranking as a draft."""
    writing = Writing()
    order = list(ranking)
    near = [role for role in order[1:] if ranking[order[0]] - ranking[role] < NEAR_TIE]
    if near:
        writing.add(f"It is close between **{listed([order[0], *near])}** for you.")
    else:
        writing.add(f"**{order[0]}** fits you best, by the guide's own criteria.")
    for role in [order[0], *near]:
        writing.add(f"Why {role}:\n" + "\n".join(_lines(role, found, writing)))
    rest = [role for role in order if role not in (order[0], *near)]
    if rest:
        writing.add(f"After {'them' if near else 'it'}: {listed(rest)}.")
    return writing.draft()


def _lines(role: str, found: Sequence[Reason], writing: Writing) -> list[str]:
    lines: list[str] = []
    used: set[str] = set()
    for reason in sorted((r for r in found if r.role == role), key=lambda r: -r.weight):
        if reason.weight <= 0 or reason.clause.text in used or len(lines) == _MOST_REASONS:
            continue
        used.add(reason.clause.text)
        said = f"you said “{reason.clause.text}”" if reason.clause.sign > 0 else f"you would rather avoid “{reason.clause.text}”"
        evidence = reason.evidence
        said = "" if any(c.isdigit() for c in said) else f" ({said})"  # a figure of yours is no figure of the guide
        words = f"{evidence.cell.row}: {evidence.quote} for {article(role)}" if evidence.cell else evidence.quote.rstrip(".")
        lines.append(f"- {words} {writing.cite(evidence)}{said}")
    return lines


def ask_back(knowledge: Knowledge, roles: Sequence[str]) -> Draft:
    """One question that would decide most, when a profile says too little."""
    writing = Writing()
    writing.add("That says too little about you for an honest pick. Which of these sounds most like you?")
    for role in roles:
        own = [c for c in knowledge.criteria if c.role == role]
        if own:
            writing.add(f"- {own[0].text.rstrip('.')} {writing.cite(Evidence(own[0].passage, own[0].text))} → {role}")
    text = "\n".join(writing.blocks[1:])
    writing.blocks = [writing.blocks[0], text]
    writing.add("Tell me what you have done so far, what you enjoy and what you would rather avoid.")
    return writing.draft()


def from_criteria(agreed: Sequence[Criterion], disagreed: Sequence[Criterion], knowledge: Knowledge) -> Draft:
    """The ranking that follows from criteria somebody agreed and disagreed with."""
    roles = tuple(dict.fromkeys(c.role for c in (*agreed, *disagreed))) or _main_roles(knowledge, ())
    found = [
        Reason(c.role, Clause(c.text, sign), Evidence(c.passage, c.text), float(sign))
        for sign, some in ((1, agreed), (-1, disagreed))
        for c in some
    ]
    ranking = scores(found, roles)
    return ranked(ranking, found) if _says_enough(ranking) else ask_back(knowledge, roles)
