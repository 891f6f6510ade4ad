"""What the page does when somebody acts: questions, follow-ups, stops, citations, feedback. Knows nothing of Gradio."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor.settings import Settings
from advisor.types import Answer
from advisor.ui import sources
from advisor.ui.keeping import Conversation, Exchange, Seal, record
from advisor.ui.loading import Loading, explain
from advisor.ui.logs import Journal
from advisor.ui.transcript import transcript, welcome

if TYPE_CHECKING:
    from advisor.chat import Advisor

LONGEST_QUESTION = 2_000
"""Characters of a question that are accepted at most."""
FRAME = 0.06
"""Seconds between two pictures of a growing answer."""


@dataclass(frozen=True, slots=True)
class View:
    """What changes on the page; what is None stays."""

    conversation: Conversation | None = None
    transcript: str | None = None
    panel: str | None = None
    typed: str | None = None
    busy: bool | None = None
    editing: bool | None = None
    message: Mapping[str, Any] | None = None
    """For the page's script: what to keep in the browser, to download, to announce, to show."""


class Stopping:
    """Which session is being answered, and whether it was told to stop; a later start ends an earlier one."""

    def __init__(self) -> None:
        self._running: dict[str, threading.Event] = {}
        self._asked: set[str] = set()

    def begin(self, session: str) -> threading.Event:
        """A flag for a new answer; the one before it is stopped."""
        self.stop(session)
        self._asked.add(session)
        flag = self._running[session] = threading.Event()
        return flag

    def stop(self, session: str) -> None:
        """Tell the session's answer to stop, where one is running."""
        if flag := self._running.pop(session, None):
            flag.set()

    def asked(self, session: str) -> bool:
        """Whether anything was asked in this session."""
        return session in self._asked

    def end(self, session: str, flag: threading.Event) -> None:
        """Forget an answer that is complete."""
        if self._running.get(session) is flag:
            del self._running[session]

    def forget(self, session: str) -> None:
        """Stop and forget a session whose page was closed."""
        self.stop(session)
        self._asked.discard(session)


class Answering:
    """The page's acts for one Advisor and all its visitors; each conversation is passed in and handed back."""

    def __init__(self, loading: Loading, settings: Settings, seal: Seal, journal: Journal) -> None:
        self.loading = loading
        self.settings = settings
        self.seal = seal
        self.journal = journal
        self.stopping = Stopping()

    def ask(
        self, conversation: Conversation, asked: str, session: str, again: bool = False, request: str = ""
    ) -> Iterator[View]:
        """Answer a question as it grows; `again` puts it in place of the last one, `request` is the request's id."""
        asked = asked.encode("utf-8", "replace").decode().strip()  # half a character cannot be sent back
        earlier = conversation.without_last() if again else conversation
        if problem := _refused(asked):
            yield View(transcript=self.shown(conversation, problem=problem), busy=False)
            return
        flag = self.stopping.begin(session)
        growing = Exchange(asked, Answer(question=asked, text=""))
        waiting = "Looking in the guides…" if self.loading.done else "Your question waits until the guides are read…"
        yield View(transcript=transcript(earlier, growing, waiting), typed="", busy=True, editing=False)
        with self.journal.question(asked, "page", request) as entry:
            try:
                exchange = yield from self._grow(growing, earlier, flag, waiting)
                entry.answer, entry.stopped = exchange.answer, exchange.stopped
                yield self._complete(earlier, exchange)
            except Exception as error:  # noqa: BLE001 (told to the visitor, and written by the journal)
                entry.error = error
                problem = f"{explain(error, request)}\nYour question is back in the box below."
                shown = self.shown(earlier, problem=problem)
                yield View(conversation=earlier, transcript=shown, typed=asked, busy=False)
            finally:
                self.stopping.end(session, flag)

    def _grow(
        self, growing: Exchange, earlier: Conversation, flag: threading.Event, waiting: str
    ) -> Generator[View, None, Exchange]:
        """Show an answer while it grows, each piece as it comes, and hand over what it came to.

        Without a model it is complete at once, and not shown twice.
        """
        advisor = self._advisor(flag)
        if advisor is None:
            return replace(growing, stopped=True)
        shown = 0.0
        answers: Any = advisor.stream(growing.asked, earlier.turns)
        with closing(answers):
            for answer in answers:
                growing = replace(growing, answer=answer)
                if flag.is_set():
                    return replace(growing, stopped=True)
                if advisor.settings.llm_model and answer.text and time.monotonic() - shown > FRAME:
                    shown = time.monotonic()
                    yield View(transcript=transcript(earlier, growing, waiting), panel=self._beside(growing, earlier))
        return growing

    def _advisor(self, flag: threading.Event) -> Advisor | None:
        while not flag.is_set():
            if self.loading.settled(0.2):
                return self.loading.wait()
        return None

    def _complete(self, earlier: Conversation, exchange: Exchange) -> View:
        if exchange.stopped and not exchange.answer.text:
            return View(conversation=earlier, transcript=self.shown(earlier), typed=exchange.asked, busy=False)
        return self.added(earlier, exchange)

    def added(self, earlier: Conversation, exchange: Exchange) -> View:
        """The page after one more exchange, kept in the browser and read out."""
        conversation = earlier.with_exchange(exchange)
        return View(
            conversation=conversation,
            transcript=self.shown(conversation),
            panel=self._beside(exchange, earlier),
            busy=False,
            editing=False,
            message={"keep": record(conversation, self.seal), "announce": f"Answer: {exchange.answer.text}"},
        )

    def shown(self, conversation: Conversation, problem: str = "") -> str:
        """The transcript, or the welcome when nothing was asked yet."""
        if conversation.exchanges:
            return transcript(conversation, problem=problem, feedback=self.settings.feedback is not None)
        return welcome(
            self._starters(),
            waiting="" if self.loading.done else self.loading.progress,
            problem=problem or self.loading.problem,
        )

    def _starters(self) -> tuple[str, ...]:
        return self.loading.wait().starters if self.loading.well else ()

    def _beside(self, exchange: Exchange, earlier: Conversation) -> str:
        return sources.cited(exchange, len(earlier.exchanges) + 1)

    def compare(self, conversation: Conversation, roles: Sequence[str], dimensions: Sequence[str]) -> View:
        """Put a comparison of the picked roles into the chat."""
        advisor = self.loading.wait()
        picked = [role for role in advisor.roles if role in roles]
        by = [dimension for dimension in advisor.dimensions if dimension in dimensions]
        if len(picked) < 2:
            return View(message={"hint": "Choose at least two roles."})
        asked = f"Compare {', '.join(picked[:-1])} and {picked[-1]}" + (f" by {', '.join(by)}" if by else "")
        return self.brought(conversation, asked, advisor.compare(picked, by))

    def brought(self, conversation: Conversation, asked: str, answer: Answer) -> View:
        """The chat after one of the tools beside it has put an answer there."""
        view = self.added(conversation, Exchange(asked, replace(answer, question=asked), tool=True))
        return replace(view, message={**(view.message or {}), "show": "Chat"})


def _refused(asked: str) -> str:
    if not asked:
        return "There is no question yet: type one in the box below."
    if len(asked) > LONGEST_QUESTION:
        return (
            f"This question has {len(asked):,} characters; {LONGEST_QUESTION:,} is the most. Shorten it and ask again."
        )
    return ""
