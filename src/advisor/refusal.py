"""Whether the guides answer a question, and what to say when they do not.

Nearness alone is no test: "visa sponsorship for data scientists" is nearer to the guides than "should I learn
Kubernetes". What decides is how much of the question's own subject the found passages hold, weighed with nearness by
a logistic rule whose weights were fitted on the development half of the golden set (`python -m evals.calibrate`).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from advisor.knowledge import section_of
from advisor.types import Draft
from advisor.words import stem
from advisor.writing import listed

if TYPE_CHECKING:
    from advisor.knowledge import Found, Knowledge
    from advisor.question import Question

_LOOKED_AT, _CROWD = 3, 10
_LONG = 6
_LONGEST_WORD = 30
_MOST_PHRASES = 3
_AT_HOME = 3
"""In more passages than these a word is the guides' own."""
_SURE_GAP = 0.6
"""A known gap this near is named."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is measured of a question and its hits."""

    score: float
    """Score of the best hit."""
    nearest: float
    """Cosine of the nearest line."""
    heading: float
    """Cosine of the nearest heading, or way of asking for a section."""
    gap: float
    """Cosine of the nearest known gap."""
    lead: float
    """How much nearer that gap is than the nearest line; negative when it is farther."""
    crowd: float
    """Share of known gaps among the ten nearest lines."""
    agreed: float
    """Share of the ten nearest lines that belong to the same section, the commonest one."""
    peak: float
    """How far the nearest line stands out from the nine after it."""
    together: float
    """Share, by weight, of the question's terms that the best hits hold between them."""
    unknown: float
    """Share of the terms that stand nowhere in the corpus."""
    named: float
    """Share of the terms that the nearest known gap names."""
    length: float
    """Number of terms, up to six, as a share of six: a long question leaves more words uncovered."""


WEIGHTS = (1.71, 0.98, 0.65, -4.3, -5.27, -3.85, -0.13, 1.09, 2.49, -0.49, -1.15, 0.49)
"""Of the signs, in their order."""
BIAS = -1.01
WITHOUT_GAPS = (2.52, 2.59, 1.54, 0.0, 0.0, 0.0, 3.35, 0.44, 3.03, -0.64, 0.0, 1.0)
BIAS_WITHOUT_GAPS = -6.94
THRESHOLD = 0.4
"""Least confidence to answer, from the trade-off of both refusal errors on the development split."""


def signs(found: Found, knowledge: Knowledge) -> Signs:
    """Measure a question against what search found for it."""
    terms, lexicon = found.question.terms, knowledge.lexicon
    weights = {term: lexicon.weight(term) for term in terms}
    total = sum(weights.values())
    hits, crowd = found.hits[:_LOOKED_AT], found.nearest[:_CROWD]
    passages = knowledge.index.passages
    real = [(number, line, cosine) for number, line, cosine in found.nearest if number < len(passages)]
    cosines = [cosine for _, _, cosine in real] or [0.0]
    heading = max((c for n, line, c in real if line and line == passages[n].headings[-1]), default=0.0)
    shares = [held_terms(found.question, knowledge.words_of(hit.passage)) for hit in hits]
    return Signs(
        score=hits[0].score if hits else 0.0,
        nearest=cosines[0],
        heading=heading,
        gap=found.gap_nearness,
        lead=found.gap_nearness - cosines[0],
        crowd=sum(number >= len(passages) for number, _, _ in crowd) / _CROWD,
        agreed=max(Counter(section_of(passages[n]) for n, _, _ in crowd if n < len(passages)).values(), default=0)
        / _CROWD,
        peak=cosines[0] - sum(cosines[1:10]) / max(1, len(cosines[1:10])),
        together=sum(weights[t] for t in set().union(*shares)) / total if shares and total else 1.0,
        unknown=sum(weights[t] for t in terms if not lexicon.knows(t)) / total if total else 0.0,
        named=sum(weights[t] for t in terms if t in knowledge.gap_words.get(found.gap, ())) / total if total else 0.0,
        length=min(len(terms), _LONG) / _LONG,
    )


def held_terms(question: Question, words: frozenset[str]) -> set[str]:
    """The question's terms that a passage has, by their own stem or as another word for its topic."""
    topics = {
        stem(question.words[at]): m.name
        for m in question.mentions
        if m.kind == "topics"
        for at in range(m.start, m.end)
    }
    return {term for term in question.terms if term in words or topics.get(term) in words}


def confidence(measured: Signs) -> float:
    """How likely the guides answer, between 0 and 1; a corpus that names no gaps is judged by the other signs alone."""
    weights, bias = (WEIGHTS, BIAS) if measured.gap else (WITHOUT_GAPS, BIAS_WITHOUT_GAPS)
    total = bias + sum(w * s for w, s in zip(weights, astuple(measured), strict=True))
    return 1 / (1 + math.exp(-total))


def refused(found: Found, knowledge: Knowledge) -> bool:
    """Whether the guides do not answer, as far as can be told."""
    return confidence(signs(found, knowledge)) < THRESHOLD


def refuse(found: Found, knowledge: Knowledge, said: Draft | None = None) -> Draft:
    """Say that the guides do not cover it, what in the question they lack, and where to look nearby.

    A model that refuses has `said` so: what it names as missing, and what its endpoint reports, are kept.
    """
    sure = found.gap_nearness > _SURE_GAP and set(found.question.terms) & knowledge.gap_words.get(
        found.gap, frozenset()
    )
    known = [found.gap] if sure else phrases_not_found(found, knowledge)
    missing = (said and said.missing) or tuple(dict.fromkeys([*_unnamed_slots(found, knowledge), *known]))
    what = f": nothing on {listed([f'“{name}”' for name in missing], 'or')}" if missing else ""
    text = f"The guides do not cover that{what}."
    if found.question.foreign:
        text += " They are in English, and so are the questions I understand best."
    near = list(dict.fromkeys(h.passage.headings[-1] for h in found.hits if h.passage.kind != "note"))[:3]
    if near:
        text += " The closest sections are: " + "; ".join(near) + "."
    made = Draft(text, declined=True, missing=missing)
    return replace(made, notice=said.notice, by_model=True, usage=said.usage) if said else made


def phrases_not_found(found: Found, knowledge: Knowledge) -> list[str]:
    """The words of the question that the best hits do not hold, neighbours joined: `visa sponsorship`."""
    question = found.question
    held = set().union(*(held_terms(question, knowledge.words_of(h.passage)) for h in found.hits[:1]), set())
    phrases: list[str] = []
    before = -2
    for at, word in enumerate(question.words):
        if stem(word) not in question.terms or stem(word) in held or not word.isalpha() or len(word) > _LONGEST_WORD:
            continue
        if knowledge.lexicon.stands_in(stem(word)) > _AT_HOME:
            continue
        if at == before + 1:
            phrases[-1] += f" {word}"
        else:
            phrases.append(word)
        before = at
    return phrases[:_MOST_PHRASES]


def _unnamed_slots(found: Found, knowledge: Knowledge) -> list[str]:
    return [name for name in found.question.slots.regions if name not in knowledge.finder.regions]
