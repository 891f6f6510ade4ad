"""What is evaluated, and how a sample is put to it: its earlier turns first, as a person would."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from advisor.types import Answer, Hit, Passage, Turn
from evals.figures import Names
from evals.samples import Earlier, Sample
from evals.scoring import World


class Words(Protocol):
    """The names of a corpus, canonical to aliases."""

    @property
    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """Roles."""
        ...

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """Levels."""
        ...

    @property
    def regions(self) -> Mapping[str, tuple[str, ...]]:
        """Regions."""
        ...


class Advisable(Protocol):
    """What is evaluated: `advisor.Advisor`, or anything that answers like it."""

    @property
    def vocabulary(self) -> Words:
        """The words of the corpus."""
        ...

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Every passage of the corpus."""
        ...

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that can be compared."""
        ...

    def ask(self, question: str, turns: Sequence[Turn] = ()) -> Answer:
        """Answer a question of a conversation."""
        ...

    def search(self, question: str, limit: int = 10) -> tuple[Hit, ...]:
        """The passages nearest to a question."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What the advisor did with one sample."""

    answer: Answer
    hits: tuple[Hit, ...]
    seconds: float
    turns: tuple[Turn, ...] = ()
    raw: tuple[Answer, tuple[Hit, ...]] | None = None
    """For a follow-up: the same question without its conversation."""
    hand: tuple[Answer, tuple[Hit, ...]] | None = None
    """For a follow-up: the question as a person wrote it out."""


def world(advisor: Advisable) -> World:
    """What the scorers need to know of a corpus."""
    names = advisor.vocabulary
    return World(
        Names({"role": names.roles, "level": names.levels, "region": names.regions}),
        {passage.id: passage for passage in advisor.passages},
        tuple(advisor.roles),
    )


Said = dict[tuple[Earlier, ...], str]
"""The advisor's own answers to earlier turns, so that samples of one conversation ask them once."""


def put(advisor: Advisable, sample: Sample, said: Said | None = None) -> Asked:
    """Ask one sample as a person would, its earlier turns first."""
    turns = _turns(advisor, sample.turns, {} if said is None else said)
    start = time.perf_counter()
    answer = advisor.ask(sample.question, turns)
    seconds = time.perf_counter() - start
    hits = _hits(advisor, answer)
    if sample.kind != "multi-turn" or sample.decline:
        return Asked(answer, hits, seconds, turns)
    raw, hand = advisor.ask(sample.question), advisor.ask(sample.standalone)
    return Asked(answer, hits, seconds, turns, (raw, _hits(advisor, raw)), (hand, _hits(advisor, hand)))


def _turns(advisor: Advisable, earlier: tuple[Earlier, ...], said: Said) -> tuple[Turn, ...]:
    turns: tuple[Turn, ...] = ()
    for number, turn in enumerate(earlier, start=1):
        answer = turn.answer
        if answer is None:
            if earlier[:number] not in said:
                said[earlier[:number]] = advisor.ask(turn.question, turns).text
            answer = said[earlier[:number]]
        turns = (*turns, Turn(turn.question, answer))
    return turns


def _hits(advisor: Advisable, answer: Answer) -> tuple[Hit, ...]:
    return answer.hits if len(answer.hits) >= 10 else advisor.search(answer.question, 10)


def shown(asked: Asked) -> dict[str, Any]:
    """An answer as plain data for logs and the report; hits by place and score only."""
    answer = asked.answer
    return {
        "question": answer.question,
        "text": answer.text,
        "declined": answer.declined,
        "missing": list(answer.missing),
        "notice": answer.notice,
        "citations": [
            {
                "number": c.number,
                "quote": c.quote,
                "source": c.passage.source,
                "heading": c.passage.headings[-1] if c.passage.headings else "",
                "cell": asdict(c.cell) if c.cell else None,
            }
            for c in answer.citations
        ],
        "hits": [
            [h.passage.source, h.passage.headings[-1] if h.passage.headings else "", round(h.score, 4)]
            for h in asked.hits[:5]
        ],
        "usage": dict(answer.usage),
    }
