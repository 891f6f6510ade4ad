"""One answer against one sample: exact ratios, and in words what is wrong. Pure; knows nothing of runs.

Every score is a ratio (numerator, denominator) so that sums over any set of samples are right; a score that does not
apply to a sample is absent, never zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from advisor.types import Answer, Citation, Hit, Passage
from evals.figures import Names, figures, leaks, money_terms
from evals.samples import UNDECIDED, Sample
from evals.support import phantom, supported, supports
from evals.units import units
from evals.wording import MARKER, folded, says, says_any, without_marks

Ratio = tuple[float, float]


@dataclass(frozen=True, slots=True)
class World:
    """What the scorers know besides the sample and the answer."""

    names: Names
    passages: Mapping[str, Passage]
    """By id: a citation of anything else is a phantom."""
    roles: tuple[str, ...] = ()
    """Canonical names of the roles that can be recommended."""


@dataclass(slots=True)
class Scores:
    """Named ratios, and a line in words for each fault."""

    ratios: dict[str, Ratio] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, right: float, of: float, fault: str = "") -> None:
        """Note a ratio; `fault` is kept when the ratio is not perfect and says why."""
        self.ratios[name] = (right, of)
        if fault:
            self.faults.append(f"{name}: {fault}")


Scorer = Callable[[Sample, Answer, World], Scores]


def facts(sample: Sample, answer: Answer, world: World) -> Scores:
    """Vital facts found, vital and okay facts found, and things that must never be said. A refusal finds nothing."""
    scores = Scores()
    text = answer.text
    if sample.facts and not sample.decline:
        found = [not answer.declined and says_any(text, fact.any) for fact in sample.facts]
        vital = [(hit, fact) for hit, fact in zip(found, sample.facts, strict=True) if fact.vital]
        if vital:
            lacking = [fact.any[0] for hit, fact in vital if not hit]
            scores.add(
                "facts_vital",
                sum(hit for hit, _ in vital) / len(vital),
                1,
                "; ".join(lacking) and f"not found: {'; '.join(lacking)}",
            )
            scores.add("facts_complete", not lacking, 1)
        scores.add("facts_all", sum(found) / len(found), 1)
        if not answer.declined and vital:
            scores.add("facts_when_answered", sum(hit for hit, _ in vital) / len(vital), 1)
    if sample.never:
        said = [form for form in sample.never if says(text, form)]
        scores.add("never_said", not said, 1, said and f"says {'; '.join(said)}" or "")
    return scores


def refusals(sample: Sample, answer: Answer, world: World) -> Scores:
    """Both refusal errors, and whether the missing part is named in `missing` and in the text."""
    scores = Scores()
    if sample.decline:
        scores.add(
            "answered_though_absent", not answer.declined, 1, "" if answer.declined else "should have been declined"
        )
    else:
        scores.add("wrongly_refused", answer.declined, 1, "should have been answered" if answer.declined else "")
    if answer.declined:
        scores.add(
            "declined_without_citations", not answer.citations, 1, "declined, and cites" if answer.citations else ""
        )
    if sample.missing:
        said = " | ".join(answer.missing)
        lacking = [forms[0] for forms in sample.missing if not (says_any(said, forms) and says_any(answer.text, forms))]
        scores.add(
            "missing_named",
            len(sample.missing) - len(lacking),
            len(sample.missing),
            lacking and f"not named: {'; '.join(lacking)}" or "",
        )
    if sample.kind == "small-talk":
        human = bool(answer.text.strip()) and not answer.citations and not answer.declined
        scores.add("small_talk", human, 1, "" if human else "should be a human sentence without citations")
    return scores


def retrieval(hits: Sequence[Hit], sample: Sample, prefix: str = "") -> Scores:
    """R@5, MRR@10 and nDCG@5 of hits against labels. A label counts once, at its first hit."""
    scores = Scores()
    if not sample.labels:
        return scores
    ranks = [_rank(hits[:10], places) for places in sample.labels]
    found = [rank for rank in ranks if rank <= 5]
    lacking = [places[0] for rank, places in zip(ranks, sample.labels, strict=True) if rank > 5]
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(5, len(ranks)) + 1))
    # two labels may meet in one hit; each then counts at a rank of its own, or the gain could pass 1
    spread = [max(rank, position) for position, rank in enumerate(sorted(found), start=1)]
    scores.add(
        f"{prefix}recall_5",
        len(found) / len(ranks),
        1,
        lacking and f"not among the first five: {'; '.join(lacking)}" or "",
    )
    scores.add(f"{prefix}mrr_10", max((1 / rank for rank in ranks), default=0.0), 1)
    scores.add(f"{prefix}ndcg_5", sum(1 / math.log2(rank + 1) for rank in spread if rank <= 5) / best, 1)
    return scores


def _rank(hits: Sequence[Hit], places: Iterable[str]) -> float:
    wanted = [(source, folded(heading)) for source, _, heading in (place.partition("#") for place in places)]
    for rank, hit in enumerate(hits, start=1):
        under = {folded(heading) for heading in hit.passage.headings}
        if any(hit.passage.source == source and heading in under for source, heading in wanted):
            return rank
    return math.inf


def citations(sample: Sample, answer: Answer, world: World) -> Scores:
    """Citation recall and precision over the claims of an answer, and phantom citations."""
    scores = Scores()
    cited = {citation.number: citation for citation in answer.citations}
    phantoms = [
        *_unbound(answer, cited),
        *(f"[{c.number}] {why}" for c in answer.citations if (why := phantom(c, world.passages))),
    ]
    scores.add("phantom_citations", len(phantoms), max(1, len(cited)), "; ".join(phantoms))
    if answer.declined:
        return scores
    claims = [unit for unit in units(answer.text) if unit.is_claim]
    unheld = [unit for unit in claims if not supported(unit, cited, world.names, answer.question)]
    if claims:
        shown = "; ".join(without_marks(unit.text).strip() for unit in unheld)
        scores.add("citation_recall", len(claims) - len(unheld), len(claims), shown and f"no citation holds: {shown}")
    pairs = [(unit, number) for unit in claims for number in unit.numbers if number in cited]
    wrong = [f"[{n}] at {without_marks(u.text).strip()!r}" for u, n in pairs if not supports(cited[n], u, world.names)]
    if pairs:
        scores.add("citation_precision", len(pairs) - len(wrong), len(pairs), "; ".join(wrong))
    return scores


def _unbound(answer: Answer, cited: Mapping[int, Citation]) -> list[str]:
    used = {int(found[1]) for found in MARKER.finditer(answer.text)}
    return [f"[{n}] points at nothing" for n in sorted(used - set(cited))] + [
        f"[{n}] is never used" for n in sorted(set(cited) - used)
    ]


def numbers(sample: Sample, answer: Answer, world: World) -> Scores:
    """The number guard (figures no cited passage holds for the same role, level, region) and the terms of money."""
    scores = Scores()
    cited = {citation.number: citation for citation in answer.citations}
    asked = " ".join((*(turn.question for turn in sample.turns), sample.question, answer.question))
    leaked: list[str] = []
    terms: dict[str, list[bool]] = {}
    total = 0
    # what a refusal puts in quotation marks is a name of what is missing ("work under age 18"), not a figure
    text = re.sub("“[^”]*”", "", answer.text) if answer.declined else answer.text
    for unit in units(text):
        total += len(figures(unit.text))
        leaked += [
            f"{figure} in {without_marks(unit.text).strip()!r}"
            for figure in leaks(unit, cited, world.names, answer, asked)
        ]
        for term, named in money_terms(unit, cited, world.names, answer.text):
            terms.setdefault(term, []).append(named)
    if total:
        scores.add("number_leaks", len(leaked), total, "; ".join(leaked))
    if terms:
        every = [named for values in terms.values() for named in values]
        lacking = sorted(term for term, values in terms.items() if not all(values))
        scores.add(
            "money_terms", sum(every), len(every), lacking and f"an amount without its {', '.join(lacking)}" or ""
        )
        for term, values in terms.items():
            scores.add(f"money_{term}", sum(values), len(values))
    return scores


def profile(sample: Sample, answer: Answer, world: World) -> Scores:
    """Whether the expected role is named first, or, where the profile says too little, a question is asked instead."""
    scores = Scores()
    if not sample.role:
        return scores
    if sample.role == (UNDECIDED,):
        asks = "?" in without_marks(answer.text) and not answer.declined
        scores.add("profile_role", asks, 1, "" if asks else "should ask before it picks")
        return scores
    order = first_roles(answer.text, world)
    right = bool(order) and not answer.declined and folded(order[0]) in map(folded, sample.role)
    scores.add(
        "profile_role",
        right,
        1,
        "" if right else f"expected {' or '.join(sample.role)}, named first: {order[0] if order else 'none'}",
    )
    return scores


def first_roles(text: str, world: World) -> tuple[str, ...]:
    """The roles that can be recommended, in the order in which a text names them."""
    return tuple(role for role in world.names.find("role", text) if not world.roles or role in world.roles)


def table(sample: Sample, answer: Answer, world: World) -> Scores:
    """For a generated table question: the exact value is said, and cited at its row and column."""
    scores = Scores()
    if not sample.value:
        return scores
    said = not answer.declined and any(says(answer.text, form) for form in sample.facts[0].any)
    cited = any(
        citation.cell is not None
        and citation.passage.id in sample.passage
        and folded(citation.cell.row) == folded(sample.row)
        and folded(citation.cell.column) == folded(sample.column)
        for citation in answer.citations
    )
    scores.add("table_value", said, 1)
    scores.add("table_cited", cited, 1)
    expected = f"expected {sample.value!r} at row {sample.row!r}, column {sample.column!r}"
    scores.add("table_cell", said and cited, 1, "" if said and cited else expected)
    return scores


def length(sample: Sample, answer: Answer, world: World) -> Scores:
    """How many words the answer has, markers and table rules not counted."""
    scores = Scores()
    if not answer.declined:
        plain = "\n".join(line for line in without_marks(answer.text).splitlines() if set(line) - set("|-: "))
        scores.add("words", len(plain.split()), 1)
    return scores


SCORERS: dict[str, Scorer] = {
    "facts": facts,
    "refusals": refusals,
    "citations": citations,
    "numbers": numbers,
    "profile": profile,
    "table": table,
    "length": length,
}
"""The scorers that need nothing but the answer; `retrieval` needs hits."""

NAMES: dict[str, tuple[str, ...]] = {
    "facts": ("facts_vital", "facts_complete", "facts_all", "facts_when_answered", "never_said"),
    "refusals": (
        "answered_though_absent",
        "wrongly_refused",
        "declined_without_citations",
        "missing_named",
        "small_talk",
    ),
    "citations": ("phantom_citations", "citation_recall", "citation_precision"),
    "numbers": (
        "number_leaks",
        "money_terms",
        "money_role",
        "money_level",
        "money_region",
        "money_currency",
        "money_date",
    ),
    "profile": ("profile_role",),
    "table": ("table_value", "table_cited", "table_cell"),
    "length": ("words",),
}
"""The scores that each scorer can give."""
