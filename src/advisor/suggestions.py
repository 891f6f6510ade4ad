"""Questions that the corpus can answer: to start with, and to go on with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.knowledge import section_of, unused

if TYPE_CHECKING:
    from advisor.knowledge import Found, Knowledge
    from advisor.types import Turn

_STARTERS = 6
_FOLLOW_UPS = 3


def starters(knowledge: Knowledge) -> tuple[str, ...]:
    """The questions that the guides name as starters, else the first question each guide answers."""
    return knowledge.starters[:_STARTERS]


def follow_ups(asked: str, found: Found, knowledge: Knowledge, turns: Sequence[Turn]) -> tuple[str, ...]:
    """Questions of the guides near to this one that nobody has asked in the conversation."""
    answered = {section_of(hit.passage) for hit in found.hits[:1]}
    near = [
        hit.passage.headings[-1]
        for hit in found.hits
        if hit.passage.headings[-1].endswith("?") and section_of(hit.passage) not in answered
    ]
    said = [asked, *(turn.question for turn in turns)]
    return tuple(unused(list(dict.fromkeys([*near, *starters(knowledge)])), said)[:_FOLLOW_UPS])
