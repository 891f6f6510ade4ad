"""The advisor: question and turns in, cited answer out, in four steps that can be read below."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from advisor import citations, conversation, embed, index, profiles, refusal, tabular, terms
from advisor.criteria import Criterion
from advisor.errors import IndexUnusable, ModelError
from advisor.extractive import Extractive, small_talk
from advisor.knowledge import Found, Knowledge
from advisor.settings import Settings
from advisor.suggestions import follow_ups, starters
from advisor.together import Together
from advisor.types import Answer, Draft, Guide, Hit, Passage, Turn
from advisor.vocabulary import Vocabulary

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from advisor.search import Mix

OFFLINE = "offline"
LONGEST = 4_000
"""Characters that a question may have."""
MOST_TURNS = 12
"""Earlier turns that a question is read in the light of."""
_FIRST = 2
"""So many of the first hits have to do with the question whatever their words: of the right answers of a model that
speaks by script, 8 % instead of 3 % were replaced without them on the development split."""
NOTHING_CITED = "The model's answer cited nothing that the guides hold, so it is not shown."
OFFLINE_INSTEAD = "This answer was composed from the guides without the model."


@dataclass(frozen=True, slots=True)
class Status:
    """What an advisor works with."""

    guides: tuple[Guide, ...]
    passages: int
    answerer: str
    """`offline`, or the name of the language model."""
    embedder: str
    fingerprint: str


class Advisor:
    """Answers career questions from the guides. `Advisor.open()` is the way in."""

    def __init__(self, settings: Settings, knowledge: Knowledge) -> None:
        self.settings = settings
        self.knowledge = knowledge
        self.extractive = Extractive(knowledge)
        self._swapping = threading.Lock()

    @classmethod
    def open(cls, settings: Settings | None = None, progress: bool = False, mix: Mix | None = None) -> Advisor:
        """An advisor on the index that the settings name; builds the index if there is none.

        Raises:
            AdvisorError: a setting, a guide or the index cannot be used; the message says what to do.
        """
        settings = settings or Settings.read()
        try:
            opened = index.Index.open(settings)
        except IndexUnusable:
            if index.exists(settings):
                raise
            index.first(settings, index.bar() if progress else None)
            opened = index.Index.open(settings)
        vocabulary = Vocabulary.read(settings.corpus, opened.guides, opened.passages)
        embedder = Together(embed.for_questions(settings, opened.model, opened.dimensions, opened.probe))
        return cls(settings, Knowledge(opened, vocabulary, embedder, mix))

    def ask(self, question: str, turns: Sequence[Turn] = ()) -> Answer:
        """The complete answer to a question, understood in the light of the turns before it."""
        *_, last = self.stream(question, turns)
        return last

    def stream(self, question: str, turns: Sequence[Turn] = ()) -> Iterator[Answer]:
        """The answer as it grows; the last one is complete."""
        self._refresh()
        now = copy.copy(self)  # an index that is swapped in meanwhile is for the next question
        now.__dict__["model"] = self.model
        yield from now._answers(question, turns)

    def _answers(self, question: str, turns: Sequence[Turn]) -> Iterator[Answer]:
        if len(question) > LONGEST:
            said = (
                f"That message has {len(question):,} characters; up to {LONGEST:,} are read. Please ask in fewer words."
            )
            yield Answer(question, said, declined=True)
            return
        asked, spent = self._standalone(question, turns)
        found, offline = self.knowledge.look_up(asked), self.extractive.draft(asked)
        binder = citations.Binder(asked, self.vocabulary, _near(offline, found))
        for draft in self._drafts(asked, found, offline, turns, binder):
            answer = self._cited(draft, asked, found, turns, binder)
            yield replace(answer, usage=_sum(spent, answer.usage)) if answer.usage else answer

    def standalone(self, question: str, turns: Sequence[Turn] = ()) -> str:
        """The question, readable without the conversation; byte-identical when it already is."""
        return self._standalone(question, turns)[0]

    def _standalone(self, question: str, turns: Sequence[Turn]) -> tuple[str, dict[str, float]]:
        """The standalone question, and what a model took to write it."""
        if small_talk(self.knowledge.reader.read(question)):
            return question, {}
        turns = [Turn(turn.question[:LONGEST], turn.answer) for turn in turns[-MOST_TURNS:]]
        offline = conversation.standalone(question, turns, self.knowledge.reader, self.knowledge.near)
        if self.model is None or offline == question:
            return offline, {}
        try:
            rewritten = self.model.standalone(question, turns, offline)
        except ModelError:
            return offline, {}
        return str(rewritten.text), rewritten.usage

    def search(self, question: str, limit: int = 10) -> tuple[Hit, ...]:
        """The passages nearest to a standalone question, best first."""
        return self.knowledge.look_up(question, limit).hits

    def _drafts(
        self, asked: str, found: Found, offline: Draft, turns: Sequence[Turn], binder: citations.Binder
    ) -> Iterator[Draft]:
        """The one place that chooses between answering from the guides alone and through a model."""
        if self.model is None or offline.declined or not offline.evidence:
            yield offline
            return
        try:
            for draft in self.model.stream(asked, _handed_over(offline, found), turns, offline.missing):
                if not draft.growing and not draft.declined and not binder.bind(draft).answers:
                    yield replace(
                        offline, notice=f"{draft.notice} {NOTHING_CITED} {OFFLINE_INSTEAD}".strip(), usage=draft.usage
                    )
                    return
                yield refusal.refuse(found, self.knowledge, draft) if draft.declined else draft
        except ModelError as error:
            yield replace(offline, notice=f"{error} {OFFLINE_INSTEAD}")

    def _cited(
        self, draft: Draft, asked: str, found: Found, turns: Sequence[Turn], binder: citations.Binder | None = None
    ) -> Answer:
        """A draft checked and bound to the guides; what closes an answer waits until the text has stopped growing."""
        if draft.declined:
            return self._declined(draft, asked, found, turns)
        bound = (binder or citations.Binder(asked, self.vocabulary)).bind(draft)
        if draft.growing:
            return Answer(asked, bound.text, bound.citations, hits=found.hits, notice=draft.notice)
        text = terms.stated(bound.text, bound.citations, self.vocabulary)
        more = draft.follow_ups or follow_ups(asked, found, self.knowledge, turns)
        return Answer(asked, text, bound.citations, False, draft.missing, more, found.hits, draft.notice, draft.usage)

    def _declined(self, draft: Draft, asked: str, found: Found, turns: Sequence[Turn]) -> Answer:
        """A refusal as it is: nothing in it is from a guide, so there is nothing to check or to cite."""
        more = draft.follow_ups or follow_ups(asked, found, self.knowledge, turns)
        return Answer(asked, draft.text, (), True, draft.missing, more, found.hits, draft.notice, draft.usage)

    @cached_property
    def model(self) -> Any:
        """The answerer through a language model, or None without ADVISOR_LLM_MODEL."""
        if not self.settings.llm_model:
            return None
        from advisor.llm import ModelAnswerer

        return ModelAnswerer(self.settings, self.vocabulary)

    def _refresh(self) -> None:
        """Take up an index that was swapped in since; answers under way keep the one they began with."""
        if not self.knowledge.index.superseded():
            return
        with self._swapping:
            if self.knowledge.index.superseded():
                fresh = Advisor.open(self.settings, mix=self.knowledge.mix)
                self.__dict__.update(knowledge=fresh.knowledge, extractive=fresh.extractive)
                if self.__dict__.get("model"):
                    self.model.vocabulary = fresh.vocabulary

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the corpus."""
        return self.knowledge.vocabulary

    @property
    def guides(self) -> tuple[Guide, ...]:
        """The guides, with their text."""
        return self.knowledge.index.guides

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Every passage, in guide order."""
        return self.knowledge.index.passages

    @property
    def status(self) -> Status:
        """What this advisor works with."""
        held = self.knowledge.index
        return Status(held.guides, len(held.passages), self.settings.llm_model or OFFLINE, held.model, held.fingerprint)

    @property
    def starters(self) -> tuple[str, ...]:
        """Questions to start with, from the corpus."""
        return starters(self.knowledge)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that some table holds and that can be compared."""
        held = {role for table in self.knowledge.finder.tables for role in table.names("roles")}
        return tuple(role for role in self.vocabulary.roles if role in held)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What roles can be compared by."""
        about_roles = {criterion.passage.source for criterion in self.criteria}
        grids = self.knowledge.finder.tables
        chosen = [grid for grid in grids if grid.passages[0].source in about_roles] or grids
        return tuple(tabular.dimensions(chosen))

    def compare(self, roles: Sequence[str], dimensions: Sequence[str] = ()) -> Answer:
        """Roles side by side, every cell cited."""
        asked = f"Compare {' and '.join(roles)}" + (f": {', '.join(dimensions)}" if dimensions else "")
        draft = tabular.comparison(self.knowledge.finder.tables, roles, dimensions)
        return self._cited(draft, asked, self.knowledge.look_up(asked), ())

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The guides' own reasons to choose a role."""
        return self.knowledge.criteria

    def fit(self, agreed: Sequence[Criterion], disagreed: Sequence[Criterion]) -> Answer:
        """The roles ranked by the criteria that somebody agrees and disagrees with."""
        asked = "Which role fits me?"
        draft = profiles.from_criteria(agreed, disagreed, self.knowledge)
        return self._cited(draft, asked, self.knowledge.look_up(asked), ())

    def as_runnable(self) -> Runnable[Any, Answer]:
        """This advisor as a LangChain runnable: a question, or {"question", "turns"}, in; Answer out."""
        from advisor.llm import as_runnable

        return as_runnable(self)


def _sum(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {name: first.get(name, 0.0) + second.get(name, 0.0) for name in {**first, **second}}


def _near(offline: Draft, found: Found) -> set[str]:
    """Ids of the passages that answer the question for all that is known without a model, whatever their words."""
    best = {hit.passage.id for hit in found.hits[:_FIRST]}
    return best | {e.passage.id for e in offline.evidence}


def _handed_over(offline: Draft, found: Found) -> tuple[Hit, ...]:
    """What a model is sent: the passages that the answer without it stands on, then the rest of what was found."""
    scores = {hit.passage.id: hit.score for hit in found.hits}
    best = max(scores.values(), default=0.0)
    first = {e.passage.id: Hit(e.passage, scores.get(e.passage.id, best)) for e in offline.evidence}
    return (*first.values(), *(hit for hit in found.hits if hit.passage.id not in first))
