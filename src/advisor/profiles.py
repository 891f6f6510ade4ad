"""From what somebody says of themselves to a ranking of roles, every reason a line of the guides.

The method is plain: each clause of the profile is compared with every criterion ("Choose X if ...") by the cosine of
their vectors; what counts is how far a role's best criterion leads the mean of all roles, for it when the clause says a
like, against it when a dislike; ratings of a skill in the guides' tables count where the clause names that skill. The
constants were chosen on the development split of the golden set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from advisor import parts
from advisor.criteria import Criterion
from advisor.knowledge import section_of
from advisor.types import Draft, Evidence
from advisor.vocabulary import english
from advisor.words import folded, stems
from advisor.writing import Writing, article, listed

if TYPE_CHECKING:
    from advisor.knowledge import Knowledge
    from advisor.question import Question

ALIKE = 0.3
"""Least cosine of a clause and a criterion to count as the same thought."""
DISLIKE = 0.7
"""What a dislike weighs against a like."""
RATING = 0.3
"""What the distance of a rating from the middle weighs against a lead in likeness."""
MAIN = 0.1
"""The lead of the roles that the guides are mainly about over their neighbours."""
TELLING = 0.2
"""Least lead of the best role over the average for a ranking to be given at all."""
TELLING_UNTAUGHT = 0.1
"""The same where no ways of saying the criteria stand beside the guides: what is near is then less near."""
NEAR_TIE = 0.03
STORY = 2.0
"""What the likeness of the whole message to the stories of people whom a role suits weighs against a clause's."""
_NEAREST = 2
_LOOKED_AT = 10
_BLANK = re.compile(r"^(?:i|i'm|im|to|do|doing|the|a|for|now|pls|me|my|it|be|being)\b\s*(?:to |do |the )*")
_CLAUSE = re.compile(r"[.;,!?\n]|\b(?:and|but|though|however|while|plus|also|so)\b")
_MOST_REASONS = 3
_A_SENTENCE = 8
_MOST_TURNING = 2


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


def is_profile(question: Question, knowledge: Knowledge) -> bool:
    """Whether somebody describes themselves and wants a role."""
    if not knowledge.criteria or question.slots.topics and len(question.words) < _A_SENTENCE:
        return False
    tastes = question.says("likes") + question.says("dislikes")
    asked = [knowledge.reader.read(part) for part in parts.questions(question.text, knowledge.reader)]
    if not tastes and len(question.slots.roles) == 2 and question.says("change"):
        return False  # from one role to another: the guides tell of that move
    between = [part for part in asked if len(part.slots.roles) > 1 and not (part.terms or part.slots.topics)]
    if between and tastes and question.says("me") and len(question.words) > len(between[0].words) + _A_SENTENCE:
        return True
    if any(part.says("fit") and not part.slots.topics for part in asked):
        return bool(tastes) or question.says("me") or not question.terms
    if not question.says("me") or len(question.words) < _A_SENTENCE:
        return False
    return bool(tastes) and not any(parts.asks(p.text) for p in asked) or _tells_of_oneself(question, knowledge)


def _tells_of_oneself(question: Question, knowledge: Knowledge) -> bool:
    """Whether most of what is nearest to a message is said of people whom a role suits."""
    lists = {section_of(criterion.passage) for criterion in knowledge.criteria}
    passages, nearest = knowledge.index.passages, knowledge.look_up(question.text).nearest[:_LOOKED_AT]
    near = [section_of(passages[number]) in lists for number, _, _ in nearest if number < len(passages)]
    return sum(near) > _LOOKED_AT // 2


def clauses(text: str) -> list[Clause]:
    """The clauses of a profile with their signs; a dislike holds until the clause ends."""
    found = []
    sorts = english()["sorts"]
    dislikes = re.compile(r"\b(?:" + "|".join(sorts["dislikes"]) + r")(?!\w)")
    fit = re.compile(r"(?<!\w)(?:" + "|".join(sorts["fit"]) + r")(?!\w)")
    tastes = re.compile(r"\s(?=(?:i )?(?:" + "|".join([*sorts["likes"], *sorts["dislikes"]]) + r")(?!\w))")
    for piece in (taste for clause in _CLAUSE.split(folded(text)) for taste in tastes.split(clause)):
        part = fit.sub(" ", piece).strip()
        if re.search(r"[a-z]{2}", part):
            found.append(Clause(dislikes.sub("", part).strip() or part, -1 if dislikes.search(part) else 1))
    return found


def telling(said: Sequence[Clause], knowledge: Knowledge) -> list[Clause]:
    """Clauses that say something; one made of the roles' own words (`into ai and data`) tells no role from another."""
    names = {stem for role in knowledge.vocabulary.roles for stem in stems(role)}
    read = [(clause, knowledge.reader.read(clause.text)) for clause in said]
    return [clause for clause, question in read if set(question.terms) - names and not question.says("unsure")]


def reasons(said: Sequence[Clause], knowledge: Knowledge, roles: Sequence[str]) -> list[Reason]:
    """For each clause and role the criterion that is most like the clause, weighed by its lead over the roles' mean."""
    if not said:
        return []
    of_role: dict[str, list[int]] = {role: [] for role in roles}
    for i, criterion in enumerate(knowledge.criteria):
        of_role.get(criterion.role, []).append(i)
    alike = _alike([clause.text for clause in said], knowledge)
    found = []
    for number, clause in enumerate(said):
        best = {role: max(at, key=lambda i: alike[number, i]) for role, at in of_role.items() if at}
        values = {role: float(alike[number, i]) for role, i in best.items()}
        if max(values.values(), default=0.0) >= ALIKE:
            mean = float(np.mean(list(values.values())))
            sign = clause.sign if clause.sign > 0 else clause.sign * DISLIKE
            found += [
                Reason(role, clause, _evidence(knowledge.criteria[i]), sign * (values[role] - mean))
                for role, i in best.items()
            ]
        found += _ratings(clause, knowledge, roles)
    return found


def _alike(texts: Sequence[str], knowledge: Knowledge) -> np.ndarray:
    """How near each text is to each criterion or a way of saying it, shape (texts, criteria)."""
    near = knowledge.heard(texts) @ knowledge.voices.lines.T
    best = np.full((len(knowledge.criteria), len(texts)), -1.0, dtype=np.float32)
    np.maximum.at(best, knowledge.voices.criteria, near.T)
    return best.T


def as_a_whole(text: str, knowledge: Knowledge, roles: Sequence[str]) -> dict[str, float]:
    """How far a role's nearest stories of people whom it suits lead those of the other roles, for a whole message."""
    voices = knowledge.voices
    if not voices.roles:
        return dict.fromkeys(roles, 0.0)
    near = knowledge.heard([text])[0] @ voices.stories.T
    best = {
        role: float(np.sort([s for r, s in zip(voices.roles, near, strict=True) if r == role])[-_NEAREST:].mean())
        for role in roles
        if role in voices.roles
    }
    mean = float(np.mean(list(best.values()))) if best else 0.0
    return {role: STORY * (best[role] - mean) if role in best else 0.0 for role in roles}


def _evidence(criterion: Criterion) -> Evidence:
    return Evidence(criterion.passage, criterion.text)


def _ratings(clause: Clause, knowledge: Knowledge, roles: Sequence[str]) -> list[Reason]:
    """Rows of tables that rate a skill the clause names, by role; a rating counts by how far it is from the middle."""
    question = knowledge.reader.read(clause.text)
    found = []
    for table in knowledge.finder.side_by_side:
        columns = {role: i for i, label in enumerate(table.columns) for role in label.slots.roles if role in roles}
        for at, label in enumerate(table.rows):
            if len(columns) < 2 or not label.stems or not label.stems & set(question.terms):
                continue
            for role, column in columns.items():
                rated = re.fullmatch(r"(\d+) of (\d+)", table.value(at, column))
                if rated:
                    weight = clause.sign * RATING * (int(rated[1]) / int(rated[2]) - 0.6)
                    found.append(Reason(role, clause, table.evidence(at, column), weight))
    return found


def scores(found: Sequence[Reason], roles: Sequence[str], lead: Mapping[str, float] | None = None) -> dict[str, float]:
    """For each role the sum of its reasons, with what it leads by from the start; best role first."""
    totals = {role: (lead or {}).get(role, 0.0) for role in roles}
    for reason in found:
        totals[reason.role] += reason.weight
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def answer(question: Question, knowledge: Knowledge) -> Draft:
    """A ranking with cited reasons, near-ties named; a question back where the profile says too little."""
    pool = tuple(dict.fromkeys(criterion.role for criterion in knowledge.criteria))
    main = _main_roles(knowledge)
    asked = [role for role in question.slots.roles if role in pool]
    roles = asked if len(asked) > 1 else list(pool)
    found = reasons(telling(clauses(question.text), knowledge), knowledge, roles)
    said = found if len(asked) > 1 else _says_enough(scores(found, roles), knowledge)
    if not said:  # between roles that somebody names, what is near is a near-tie
        return ask_back(knowledge, asked if len(asked) > 1 else main)
    whole = as_a_whole(question.text, knowledge, roles)
    lead = {role: whole[role] + (MAIN if role in main and found else 0.0) for role in roles}
    return ranked(scores(found, roles, lead), found)


def _main_roles(knowledge: Knowledge) -> tuple[str, ...]:
    """The roles of the first guide that gives criteria."""
    first = knowledge.criteria[0].passage.source if knowledge.criteria else ""
    return tuple(dict.fromkeys(c.role for c in knowledge.criteria if c.passage.source == first))


def _says_enough(ranking: dict[str, float], knowledge: Knowledge) -> bool:
    values = list(ranking.values())
    least = TELLING if knowledge.voices.roles else TELLING_UNTAUGHT
    return bool(values) and values[0] - float(np.mean(values)) >= least


def ranked(ranking: dict[str, float], found: Sequence[Reason]) -> Draft:
    """The ranking as a draft; a role for which nothing speaks is never named first."""
    writing = Writing()
    speaking = {r.role for r in found if r.weight > 0 and (r.clause.sign > 0 or r.evidence.cell)}
    order = [role for role in ranking if role in speaking] or list(ranking)
    near = [role for role in order[1:3] if ranking[order[0]] - ranking[role] < NEAR_TIE]
    if near:
        writing.add(f"It is close between **{listed([order[0], *near])}** for you.")
    else:
        writing.add(f"**{order[0]}** fits you best, by the guide's own criteria.")
    for role in [order[0], *near]:
        writing.add(f"Why {role}:\n\n" + "\n".join(_lines(role, found, writing)))
    liked = {reason.role for reason in found if reason.weight > 0 and reason.clause.sign > 0}
    rest = [role for role in order if role not in (order[0], *near) and role in liked][:2]
    if rest:
        writing.add("Next for you:\n\n" + "\n".join(f"- {role}: {_strongest(role, found, writing)}" for role in rest))
    return writing.draft()


def _strongest(role: str, found: Sequence[Reason], writing: Writing) -> str:
    """A role's strongest reason in the words of the guide."""
    best = max((r for r in found if r.role == role and r.clause.sign > 0), key=lambda r: r.weight).evidence
    words = f"{best.cell.row}, {best.quote}" if best.cell else best.quote.rstrip(".")
    return f"{words} {writing.cite(best)}"


def _lines(role: str, found: Sequence[Reason], writing: Writing) -> list[str]:
    """A role's reasons, the strongest first, each once with all that was said which it is a reason for."""
    of: dict[Evidence, list[Reason]] = {}
    used: set[str] = set()
    for reason in sorted((r for r in found if r.role == role), key=lambda r: -r.weight):
        shown = reason.clause.sign > 0 or reason.evidence.cell  # that one dislikes the opposite is no reason to quote
        if reason.weight > 0 and shown and reason.clause.text not in used:
            used.add(reason.clause.text)
            of.setdefault(reason.evidence, []).append(reason)
    return [_line(role, evidence, reasons, writing) for evidence, reasons in list(of.items())[:_MOST_REASONS]]


def _line(role: str, evidence: Evidence, reasons: Sequence[Reason], writing: Writing) -> str:
    cell = evidence.cell
    words = f"{cell.row}: {evidence.quote} for {article(role)}" if cell else evidence.quote.rstrip(".")
    told = {sign: [_told(r) for r in reasons if r.clause.sign == sign and _told(r)] for sign in (1, -1)}
    said = [f"you said {listed(told[1])}"] * bool(told[1]) + [f"you would rather avoid {listed(told[-1])}"] * bool(
        told[-1]
    )
    return f"- {words} {writing.cite(evidence)}" + (f" ({', '.join(said)})" if said else "")


def _told(reason: Reason) -> str:
    """What was said, in quotes; not where the guide says the same, nor a figure, which would be none of the guide's."""
    words = _BLANK.sub("", reason.clause.text).strip()
    same = words.casefold() in reason.evidence.quote.casefold()
    return "" if same or any(c.isdigit() for c in words) else f"“{words}”"


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
    roles = tuple(dict.fromkeys((*_main_roles(knowledge), *(c.role for c in (*agreed, *disagreed)))))
    found = [
        Reason(c.role, Clause(c.text, sign), Evidence(c.passage, c.text), float(sign))
        for sign, some in ((1, agreed), (-1, disagreed))
        for c in some
    ]
    ranking = scores(found, roles)
    if not agreed or not _says_enough(ranking, knowledge):
        return ask_back(knowledge, _main_roles(knowledge))
    writing = Writing()
    writing.join(ranked(ranking, found))
    writing.add(_turning(ranking, knowledge, {c.text for c in agreed}, writing))
    return writing.draft()


def _turning(ranking: dict[str, float], knowledge: Knowledge, agreed: set[str], writing: Writing) -> str:
    """What would change the ranking: reasons for the second role that were not agreed with."""
    second = list(ranking)[1:2]
    open_reasons = [c for c in knowledge.criteria if c.role in second and c.text not in agreed]
    lines = [f"- {c.text.rstrip('.')} {writing.cite(_evidence(c))}" for c in open_reasons[:_MOST_TURNING]]
    return "\n".join([f"{second[0]} would come closer if these were true of you too:", "", *lines]) if lines else ""
