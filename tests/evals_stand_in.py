"""A small advisor over two tables and a paragraph about kitchen jobs, right by construction, and ways to break it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from advisor.types import Answer, Cell, Citation, Hit, Passage, Turn

GUIDE = """# Kitchen jobs

## What kitchen jobs pay ashore

Pay a year by level for Baker and Cook, Scotland:

| Role | Junior | Senior |
| --- | --- | --- |
| Baker | £20–24K | £28–33K |
| Cook | £22–26K | £30–36K |

## What kitchen jobs pay on ships

Pay a year by level for Baker and Cook on ships:

| Role | Junior | Senior |
| --- | --- | --- |
| Baker | £25–29K | £33–38K |
| Cook | £27–31K | £35–41K |

## Do bakers need a diploma?

No: a Baker learns on the job, and a diploma takes 18 months.
"""
ROLES: dict[str, tuple[str, ...]] = {"Baker": ("bakers", "bread maker"), "Cook": ("cooks", "chef")}
LEVELS: dict[str, tuple[str, ...]] = {"Junior": ("jr",), "Senior": ("sr",)}
REGIONS: dict[str, tuple[str, ...]] = {"Scotland": ("ashore",), "Ships": ("on ships", "at sea")}
PAY = {
    ("Scotland", "Baker"): ("£20–24K", "£28–33K"),
    ("Scotland", "Cook"): ("£22–26K", "£30–36K"),
    ("Ships", "Baker"): ("£25–29K", "£33–38K"),
    ("Ships", "Cook"): ("£27–31K", "£35–41K"),
}
_TITLE = {"Scotland": "What kitchen jobs pay ashore", "Ships": "What kitchen jobs pay on ships"}
_INTRO = {
    "Scotland": "Pay a year by level for Baker and Cook, Scotland:",
    "Ships": "Pay a year by level for Baker and Cook on ships:",
}


def _row(region: str, role: str) -> Passage:
    junior, senior = PAY[region, role]
    cells = (("Role", role), ("Junior", junior), ("Senior", senior))
    return Passage(
        id=f"kitchen.md#{region}-{role}",
        text="\n".join(f"{name}: {value}" for name, value in cells),
        source="kitchen.md",
        headings=("Kitchen jobs", _TITLE[region]),
        first_line=1,
        last_line=1,
        as_of="2025-03-01",
        kind="row",
        intro=_INTRO[region],
        cells=cells,
        table=f"kitchen.md#table-{region}",
        region="Scotland",
        currency="GBP",
    )


DIPLOMA = Passage(
    id="kitchen.md#diploma",
    text="No: a Baker learns on the job, and a diploma takes 18 months.",
    source="kitchen.md",
    headings=("Kitchen jobs", "Do bakers need a diploma?"),
    first_line=25,
    last_line=25,
    as_of="2025-03-01",
    region="Scotland",
    currency="GBP",
)
ROWS = {place: _row(*place) for place in PAY}


def _slot(kinds: dict[str, tuple[str, ...]], text: str) -> str:
    lowered = text.lower()
    return next(
        (
            name
            for name, forms in kinds.items()
            if any(re.search(rf"\b{form.lower()}\b", lowered) for form in (name, *forms))
        ),
        "",
    )


@dataclass
class StandIn:
    """Answers pay by role, level and region, and the one about diplomas; refuses the rest."""

    vocabulary = SimpleNamespace(roles=ROLES, levels=LEVELS, regions=REGIONS, topics={})
    passages = (*ROWS.values(), DIPLOMA)
    roles = ("Baker", "Cook")

    def ask(self, question: str, turns: Sequence[Turn] = ()) -> Answer:
        """Answer, with the slots of earlier questions where this one has none."""
        standalone = self.standalone(question, turns)
        return replace(self.compose(standalone), question=standalone, hits=self.search(standalone))

    def standalone(self, question: str, turns: Sequence[Turn] = ()) -> str:
        """The question with the role, level and region of the conversation."""
        if not turns or _slot(ROLES, question) and _slot(LEVELS, question) or "diploma" in question:
            return question
        said = [question, *(turn.question for turn in reversed(turns))]
        found = [next(filter(None, (_slot(kinds, text) for text in said)), "") for kinds in (LEVELS, ROLES, REGIONS)]
        return f"What does a {' '.join(found)} earn?"

    def compose(self, question: str) -> Answer:
        """The answer to a question that stands alone."""
        role, level = _slot(ROLES, question), _slot(LEVELS, question)
        if "diploma" in question.lower():
            return Answer("", f"{DIPLOMA.text} [1]", (Citation(1, DIPLOMA, DIPLOMA.text),))
        if role and level and not re.search(r"visa|holiday", question):
            return pay(role, level, _slot(REGIONS, question) or "Scotland")
        return Answer("", "The guide does not cover this.", declined=True)

    def search(self, question: str, limit: int = 10) -> tuple[Hit, ...]:
        """Passages by the share of the question's words they hold."""
        asked = set(re.findall(r"\w+", question.lower()))

        def score(passage: Passage) -> float:
            held = set(re.findall(r"\w+", " ".join((passage.text, *passage.headings, passage.intro)).lower()))
            return len(asked & held) / max(1, len(asked))

        found = sorted(((score(passage), passage) for passage in self.passages), key=lambda pair: -pair[0])
        return tuple(Hit(passage, share) for share, passage in found[:limit])


def pay(role: str, level: str, region: str) -> Answer:
    """A pay answer with its terms, cited to its cell."""
    value = PAY[region, role][0 if level == "Junior" else 1]
    where = "on ships" if region == "Ships" else "in Scotland"
    text = f"A {level} {role} earns **{value}** a year {where} (GBP, figures of March 2025) [1]."
    return Answer("", text, (Citation(1, ROWS[region, role], value, Cell(role, level)),))


class WrongPassage(StandIn):
    """Says the right thing and cites the row of the other role."""

    def compose(self, question: str) -> Answer:
        """The honest answer with another row's citation."""
        answer = super().compose(question)
        return replace(answer, citations=tuple(map(self._other, answer.citations)))

    def _other(self, citation: Citation) -> Citation:
        if citation.cell is None:
            return replace(citation, passage=ROWS["Ships", "Cook"], quote="£27–31K", cell=Cell("Cook", "Junior"))
        other = next(row for row in ROWS.values() if row.cells[0][1] != citation.cell.row)
        return Citation(
            citation.number,
            other,
            dict(other.cells)[citation.cell.column],
            Cell(other.cells[0][1], citation.cell.column),
        )


class DropsRegion(StandIn):
    """Leaves out where a figure holds."""

    def compose(self, question: str) -> Answer:
        """The honest answer without its region."""
        answer = super().compose(question)
        return replace(answer, text=answer.text.replace(" in Scotland", "").replace(" on ships", ""))


class AnswersEverything(StandIn):
    """Never refuses: what it does not know, it answers with the first row."""

    def compose(self, question: str) -> Answer:
        """An answer at any price."""
        answer = super().compose(question)
        return pay("Baker", "Junior", "Scotland") if answer.declined else answer


class RefusesEverything(StandIn):
    """Never answers."""

    def compose(self, question: str) -> Answer:
        """A refusal."""
        return Answer("", "The guide does not cover this.", declined=True)


class Inflates(StandIn):
    """Adds a figure that stands nowhere."""

    def compose(self, question: str) -> Answer:
        """The honest answer and an invented raise."""
        answer = super().compose(question)
        return answer if answer.declined else replace(answer, text=f"{answer.text[:-1]}, and pay grows 7% a year [1].")


class OtherLevel(StandIn):
    """Gives the other level's figure under the level that was asked for, with a true citation of the wrong cell."""

    def compose(self, question: str) -> Answer:
        """The figure of the wrong column."""
        answer = super().compose(question)
        if not answer.citations or answer.citations[0].cell is None:
            return answer
        citation = answer.citations[0]
        column = "Senior" if citation.cell and citation.cell.column == "Junior" else "Junior"
        value = dict(citation.passage.cells)[column]
        return replace(
            answer,
            text=answer.text.replace(citation.quote, value),
            citations=(replace(citation, quote=value, cell=Cell(citation.passage.cells[0][1], column)),),
        )


class PhantomMarker(StandIn):
    """Points at a citation that is not there."""

    def compose(self, question: str) -> Answer:
        """The honest answer with a second marker."""
        answer = super().compose(question)
        return answer if answer.declined else replace(answer, text=answer.text.replace("[1]", "[1][2]"))


class Glues(StandIn):
    """Answers follow-ups as if nothing had been said before, and rewrites what stands alone."""

    def standalone(self, question: str, turns: Sequence[Turn] = ()) -> str:
        """The question, cut off from its conversation."""
        return f"{question} please" if turns else question


class Crashes(StandIn):
    """Raises on one question."""

    def compose(self, question: str) -> Answer:
        """An error in the middle of a run."""
        if "diploma" in question:
            raise RuntimeError("the diploma is lost")
        return super().compose(question)


GOLDEN: list[dict[str, Any]] = [
    {
        "id": "pay-1.1",
        "kind": "direct",
        "question": "what does a senior baker earn?",
        "facts": [{"vital": True, "any": ["£28-33K"]}, {"any": ["Scotland"]}],
        "labels": ["kitchen.md#What kitchen jobs pay ashore"],
    },
    {
        "id": "pay-1.2",
        "kind": "paraphrase",
        "question": "sr bread maker wages",
        "facts": [{"vital": True, "any": ["£28K to £33K"]}],
        "labels": [["kitchen.md#What kitchen jobs pay ashore", "kitchen.md#What kitchen jobs pay on ships"]],
    },
    {
        "id": "pay-2.1",
        "kind": "fragment",
        "question": "jr cook pay at sea",
        "facts": [{"vital": True, "any": ["£27,000–31,000"]}],
        "labels": ["kitchen.md#What kitchen jobs pay on ships"],
    },
    {
        "id": "pay-3.2",
        "kind": "multi-turn",
        "sort": "region",
        "turns": ["senior cook pay?"],
        "question": "and at sea?",
        "standalone": "What does a senior cook earn on ships?",
        "facts": [{"vital": True, "any": ["£35–41K"]}],
        "never": ["£30–36K"],
        "labels": ["kitchen.md#What kitchen jobs pay on ships"],
    },
    {
        "id": "pay-4.2",
        "kind": "multi-turn",
        "sort": "self-contained",
        "turns": [{"question": "senior cook pay?", "answer": "£30–36K"}],
        "question": "do bakers need a diploma",
        "standalone": "do bakers need a diploma",
        "facts": [{"vital": True, "any": ["no"]}],
        "labels": ["kitchen.md#Do bakers need a diploma?"],
    },
    {"id": "gone-1.1", "kind": "near-miss", "question": "how many holiday weeks has a senior baker", "decline": True},
    {"id": "gone-2.1", "kind": "near-miss", "question": "visa for a junior cook", "decline": True},
    {"id": "gone-3.1", "kind": "off-topic", "question": "who won the cup", "decline": True},
]
