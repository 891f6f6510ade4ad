"""The answerer that needs no language model: everything it says is a line or a cell of the guides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from advisor import ladders, profiles, prose, refusal, tabular
from advisor.types import Draft, Hit, Turn
from advisor.vocabulary import english
from advisor.words import tokens
from advisor.writing import Writing

if TYPE_CHECKING:
    from advisor.knowledge import Found, Knowledge
    from advisor.question import Question

_MOST_PARTS = 3
_ASKED_THERE = 0.6
"""A question this near to a section that asks it is answered from there, unless it points at a single cell."""
_SAME_QUESTION = 0.8
"""And one this near is answered from there in any case."""
_SAID = {
    "greeting": "Hello! Ask me about the roles in these guides: what they do, pay, skills, degrees, or which one fits you.",
    "thanks": "You are welcome. Anything else you would like to know?",
    "goodbye": "Goodbye, and good luck.",
    "praise": "Glad that helps. Ask on whenever you like.",
    "about": "I answer career questions from the guides I was given, and show the line each answer comes from. "
    "When the guides do not say, I tell you.",
}


class Extractive:
    """Composes answers from the guides alone."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    def stream(self, question: str, hits: Sequence[Hit], turns: Sequence[Turn]) -> Iterator[Draft]:
        """One draft, which is complete at once; the hits given are those of the whole question."""
        yield self.draft(question)

    def draft(self, text: str) -> Draft:
        """Answer a standalone question."""
        if kind := small_talk(text):
            return Draft(_SAID[kind])
        parts = questions_in(text)
        if len(parts) > 1 and not profiles.is_profile(self.knowledge.reader.read(text), self.knowledge):
            return self._several(parts)
        return self._one(self.knowledge.look_up(text))

    def _several(self, parts: Sequence[str]) -> Draft:
        """Each question of a longer message answered under its own words."""
        writing = Writing()
        drafts = [(part, self._one(self.knowledge.look_up(part))) for part in parts[-_MOST_PARTS:]]
        for part, draft in drafts:
            writing.add(f"**{part}**")
            writing.join(draft)
        missing = [name for _, draft in drafts for name in draft.missing]
        return writing.draft(missing, declined=all(draft.declined for _, draft in drafts))

    def _one(self, found: Found) -> Draft:
        question, knowledge = found.question, self.knowledge
        if not any(c.isalpha() for c in question.text) or not found.hits:
            return Draft("Type a question in words, for example about pay, skills or which role fits you.", declined=True)
        if profiles.is_profile(question, knowledge):
            return profiles.answer(question, knowledge)
        if draft := ladders.answer(question, knowledge.ladders):
            return draft
        if len(question.slots.roles) > 1 and (draft := self._comparison(question)):
            return draft
        selections = tabular.answerable(knowledge.finder.find(question), question)
        told = nearest_heading(found)
        if selections and (tabular.exact(selections) and told < _SAME_QUESTION or told < _ASKED_THERE):
            return tabular.answer(selections, question)
        if refusal.confidence(refusal.signs(found, knowledge)) < refusal.THRESHOLD:
            return refusal.refuse(found, knowledge)
        return prose.answer(question, found.hits, knowledge)

    def _comparison(self, question: Question) -> Draft | None:
        """Roles side by side, when nothing but the comparison is asked for."""
        if question.terms or not question.says("compare"):
            return None
        draft = tabular.comparison(self.knowledge.finder.tables, question.slots.roles)
        return None if draft.declined else draft


def nearest_heading(found: Found) -> float:
    """How near the best hit is, when its section's heading is itself a question; else 0."""
    best = found.hits[0]
    return best.score if best.passage.headings[-1].endswith("?") else 0.0


def small_talk(text: str) -> str:
    """The kind of small talk a message is; empty when it is a question."""
    said = " ".join(tokens(text))
    for kind, phrases in english()["small_talk"].items():
        if said in {" ".join(tokens(phrase)) for phrase in phrases}:
            return str(kind)
    return ""


def questions_in(text: str) -> list[str]:
    """The questions of a message that asks several."""
    found = [part.strip() for part in re.findall(r"[^.!?\n]*\?", text)]
    return [part for part in found if len(part.split()) > 2]
