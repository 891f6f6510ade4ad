"""The answerer that needs no language model: everything it says is a line or a cell of the guides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from advisor import conversation, lacking, ladders, parts, profiles, prose, refusal, tables, tabular
from advisor.types import Draft, Hit, Turn
from advisor.vocabulary import english, stop_words
from advisor.writing import Writing, listed

if TYPE_CHECKING:
    from advisor.knowledge import Found, Knowledge
    from advisor.question import Question

_ASKED_THERE = 0.5
"""A question this near to a section that asks it is answered from there, unless it points at a single cell."""
_SAME_QUESTION = 0.8
"""And one this near is answered from there in any case."""
TOLD_BY_THE_STORY = 0.08
"""How much nearer to the guides than any of its questions a whole message must be to be taken for one question."""
_A_FEW = 4
_SOMETHING = 0.45
"""A message without a subject of its own must be this near to something to be answered."""
_SAID = {
    "greeting": "Hello! Ask me about the roles in these guides: what they do, pay, skills, or which one fits you.",
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
        """One draft, which is complete at once."""
        yield self.draft(question)

    def draft(self, text: str) -> Draft:
        """Answer a standalone question."""
        whole = self.knowledge.reader.read(text)
        if kind := small_talk(whole):
            return Draft(_SAID[kind])
        if cells := self._word_for_word(whole):
            return tabular.answer(cells, whole)
        if profiles.is_profile(whole, self.knowledge):
            return self._with_the_rest(profiles.answer(whole, self.knowledge), whole)
        asked = self._asked(text)
        draft = self._one(self.knowledge.look_up(asked[0])) if len(asked) == 1 else self._several(asked)
        return lacking.completed(draft, self.knowledge.reader.read(" ".join(asked)), self.knowledge)

    def _word_for_word(self, question: Question) -> list[tables.Selection]:
        """Cells whose row and column the question names exactly as the table does."""
        if question.says("yes_no"):
            return []
        found = tabular.answerable(self.knowledge.finder.find(question), question, ())
        return found if found and found[0].verbatim else []

    def _asked(self, text: str) -> list[str]:
        """The questions of a message; the whole of it where that is nearer to the guides than any of its questions."""
        asked = self._resolved(parts.questions(text, self.knowledge.reader), text)
        near = self.knowledge.near
        more = TOLD_BY_THE_STORY * (len(asked) > 1)
        return [text] if asked != [text] and near(text) >= max(map(near, asked)) + more else asked

    def _resolved(self, asked: Sequence[str], text: str) -> list[str]:
        """Each question of a message read in the light of the one before it, the first in that of the story."""
        if list(asked) == [text]:
            return [text]
        story = text[: text.find(asked[0])].strip()
        knowledge = self.knowledge
        before = [Turn(story, "")] if knowledge.vocabulary.slots(story).roles else []
        out: list[str] = []
        for question in asked:
            turns = [*before, *(Turn(earlier, "") for earlier in out[-1:])]
            out.append(conversation.standalone(question, turns, knowledge.reader, knowledge.near))
        return out

    def _with_the_rest(self, profile: Draft, whole: Question) -> Draft:
        """A profile's ranking, and the other questions that came with it."""
        reader = self.knowledge.reader
        more = [q for q in parts.questions(whole.text, reader) if q != whole.text and not reader.read(q).says("fit")]
        more = [question for question in more if question.endswith("?")]
        if not more:
            return profile
        writing = Writing()
        writing.join(profile)
        missing = self._add(writing, self._resolved(more, whole.text))
        return writing.draft(missing)

    def _several(self, asked: Sequence[str]) -> Draft:
        """Each question of a message answered, and those named that the guides do not answer."""
        writing = Writing()
        missing = self._add(writing, asked)
        return writing.draft(missing) if writing.evidence else self._one(self.knowledge.look_up(" ".join(asked)))

    def _add(self, writing: Writing, asked: Sequence[str]) -> list[str]:
        missing: list[str] = []
        drafts = [(question, self._one(self.knowledge.look_up(question))) for question in asked]
        for question, draft in drafts:
            missing += draft.missing
            if draft.declined:
                writing.add(
                    f"The guides do not answer “{question.strip(' ?')}”." if any(d.evidence for _, d in drafts) else ""
                )
            elif draft.missing and writing.evidence:  # what there is instead stands above
                writing.add(f"The guides have nothing for {listed(draft.missing, 'or')}.")
            else:
                writing.join(draft)
        return missing

    def _one(self, found: Found) -> Draft:
        question, knowledge = found.question, self.knowledge
        vague = not (question.terms or question.slots) and (not found.hits or found.hits[0].score < _SOMETHING)
        if vague and found.hits and len(question.words) > _A_FEW:
            return refusal.refuse(found, knowledge)
        if vague or not found.hits:
            return Draft(
                "Type a question in words, for example about pay, skills or which role fits you.", declined=True
            )
        if draft := ladders.answer(question, knowledge.ladders):
            return draft
        if len(question.slots.roles) > 1 and (draft := self._comparison(found)):
            return draft
        near = {hit.passage.id for hit in found.hits}
        selections = tabular.answerable(knowledge.finder.find(question), question, near)
        if place := self._about_place(selections, found):
            return place
        if selections and self._from_tables(selections, found):
            return tabular.answer(selections, question)
        if refusal.refused(found, knowledge):
            return refusal.refuse(found, knowledge)
        return prose.answer(question, found.hits, knowledge)

    def _about_place(self, selections: Sequence[tables.Selection], found: Found) -> Draft | None:
        """What the tables hold with the line of a hit that names the region which they lack."""
        lacking = {name for s in selections[:1] for name in s.lacking}
        places = [name for name in found.question.slots.regions if name in lacking]
        for hit in found.hits if places else ():
            for line in hit.passage.lines:
                if hit.passage.kind != "row" and set(places) & set(self.knowledge.vocabulary.slots(line).regions):
                    writing = Writing()
                    writing.join(tabular.answer(selections, found.question, places))
                    writing.add(writing.quote(hit.passage, line))
                    return writing.draft()
        return None

    def _from_tables(self, selections: Sequence[tables.Selection], found: Found) -> bool:
        """Whether the cells answer better than the text: not where a section asks the very question."""
        told = nearest_heading(found)
        if found.question.says("yes_no") and not (found.question.says("most") or found.question.says("least")):
            return told < _ASKED_THERE and refusal.refused(found, self.knowledge)
        lacking = any(selection.lacking for selection in selections)
        if lacking and found.question.slots.roles and set(selections[0].lacking) & set(found.question.slots.roles):
            return told < _ASKED_THERE
        return told < (_SAME_QUESTION if tabular.exact(selections) else _ASKED_THERE)

    def _comparison(self, found: Found) -> Draft | None:
        """Roles side by side, when nothing but the comparison is asked for."""
        question = found.question
        roles, grids = question.slots.roles, self.knowledge.finder.tables
        if question.terms or not question.says("compare"):
            return None
        if not tabular.compared(grids, roles) and prose.pair(found.hits[0].passage, roles):
            return None
        draft = tabular.comparison(grids, roles)
        return None if draft.declined else draft


def nearest_heading(found: Found) -> float:
    """How near the best hit is, when its section's heading is itself a question; else 0."""
    best = found.hits[0]
    return best.score if best.passage.headings[-1].endswith("?") else 0.0


def small_talk(question: Question) -> str:
    """The kind of small talk a message is; empty when it is a question."""
    said = " ".join(question.words)
    filler = {*english()["small_talk_filler"], *stop_words()}
    for kind, begins in _small_talk().items():
        if (match := begins.match(said)) and not question.slots:
            rest = [word for word in said[match.end() :].split() if word not in filler]
            asks = rest and set(said[match.end() :].split()) & set(english()["question_words"])
            if len(rest) < 2 and not asks and not any(question.says(sort) for sort in ("compare", "fit") if rest):
                return kind
    return ""


@cache
def _small_talk() -> dict[str, re.Pattern[str]]:
    return {
        kind: re.compile(r"(?:" + "|".join(begins) + r")(?!\w)") for kind, begins in english()["small_talk"].items()
    }
