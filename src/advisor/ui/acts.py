"""The page's quick acts: open a source, search, rate, edit, restore, export. What a client sends is checked here."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from advisor.errors import AdvisorError
from advisor.types import Cell, Guide, Passage
from advisor.ui import feedback, sources
from advisor.ui.answering import Answering, View
from advisor.ui.keeping import (
    LONGEST_RECORD,
    Conversation,
    Exchange,
    as_markdown,
    read_record,
    record,
)

MOST_FOUND = 12
LONGEST_QUERY = 200

log = logging.getLogger(__name__)

Fields = Mapping[str, Any]
"""What the browser sent with an act: nothing in it is trusted."""


class Acts:
    """Acts by name, as the page's script sends them."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._acts: dict[str, Callable[[Conversation, str, Fields], View]] = {
            "cite": self._cite,
            "open": self._open,
            "sources": self._sources,
            "rate": self._rate,
            "reason": self._reason,
            "edit": self._edit,
            "restore": self._restore,
            "export": self._export,
            "fresh": self._fresh,
        }

    def act(self, conversation: Conversation, session: str, fields: Fields) -> View:
        """Do what the browser asks for; an unknown or malformed act changes nothing and says so."""
        act = self._acts.get(str(fields.get("action")))
        if act is None:
            return View(message={"hint": "The page did not understand that. Reload it and try again."})
        try:
            return act(conversation, session, fields)
        except AdvisorError as error:
            return View(message={"hint": str(error)})

    def _exchange(self, conversation: Conversation, fields: Fields) -> tuple[int, Exchange] | None:
        turn = fields.get("turn")
        known = isinstance(turn, int) and 0 < turn <= len(conversation.exchanges)
        return (int(turn or 0), conversation.exchanges[int(turn or 0) - 1]) if known else None

    def _guide(self, source: str) -> Guide | None:
        guides = self._answering.loading.wait().guides
        return next((guide for guide in guides if guide.source in (source, source.removeprefix("./"))), None)

    def _cite(self, conversation: Conversation, session: str, fields: Fields) -> View:
        _, exchange = self._exchange(conversation, fields) or (0, None)
        cited = exchange.answer.citations if exchange else ()
        citation = next((c for c in cited if c.number == fields.get("number")), None)
        guide = self._guide(citation.passage.source) if citation else None
        if citation is None or guide is None:
            return View(message={"hint": "The guide of this source is not there any more."})
        return _opened(guide, citation.passage, citation.quote, citation.cell)

    def _open(self, conversation: Conversation, session: str, fields: Fields) -> View:
        advisor = self._answering.loading.wait()
        wanted = str(fields.get("passage", ""))
        passage = next((p for p in advisor.passages if p.id == wanted), None)
        if passage and (guide := self._guide(passage.source)):
            return _opened(guide, passage, passage.text)
        guide = self._guide(str(fields.get("source", ""))) or self._same(fields)
        if guide is None:
            return View(message={"hint": "There is no such guide."})
        return _opened(guide, anchor=str(fields.get("anchor", "")))

    def _same(self, fields: Fields) -> Guide | None:
        """The guide that is open already, for a link within it."""
        return self._guide(str(fields.get("within", ""))) if fields.get("anchor") else None

    def _sources(self, conversation: Conversation, session: str, fields: Fields) -> View:
        return View(panel=self.panel(conversation))

    def panel(self, conversation: Conversation) -> str:
        """What stands beside the chat when no guide is open."""
        if conversation.exchanges:
            return sources.cited(conversation.exchanges[-1], len(conversation.exchanges))
        loading = self._answering.loading
        return sources.shelf(loading.wait().guides if loading.well else ())

    def search(self, conversation: Conversation, query: str) -> View:
        """Passages with these very words first, then what the search finds near them."""
        words = " ".join(query.split())[:LONGEST_QUERY]
        if not words:
            return View(panel=self.panel(conversation))
        advisor = self._answering.loading.wait()
        exact = [p for p in advisor.passages if words.lower() in " ".join(p.text.split()).lower()]
        near = [hit.passage for hit in advisor.search(words, limit=MOST_FOUND)]
        passages: dict[str, Passage] = {p.id: p for p in [*exact[:MOST_FOUND], *near]}
        return View(panel=sources.found(words, list(passages.values())[:MOST_FOUND]))

    def _rate(self, conversation: Conversation, session: str, fields: Fields) -> View:
        rating = fields.get("rating")
        if rating not in ("up", "down"):
            return View()
        return self._rated(conversation, fields, str(rating), keep=rating == "up")

    def _reason(self, conversation: Conversation, session: str, fields: Fields) -> View:
        return self._rated(conversation, fields, "sent", keep=True)

    def _rated(self, conversation: Conversation, fields: Fields, rated: str, keep: bool) -> View:
        path, found = self._answering.settings.feedback, self._exchange(conversation, fields)
        if path is None or found is None or found[1].imported or found[1].rated in (rated, "sent"):
            return View()
        turn, exchange = found
        if keep:
            rating = "up" if rated == "up" else "down"
            feedback.keep(
                path,
                rating,
                exchange,
                conversation.turns[: turn - 1],
                self._answering.loading.wait().status.fingerprint,
                str(fields.get("reason", "")),
                str(fields.get("comment", "")),
            )
        exchanges = list(conversation.exchanges)
        exchanges[turn - 1] = replace(exchange, rated=rated)
        changed = replace(conversation, exchanges=tuple(exchanges))
        return View(conversation=changed, transcript=self._answering.shown(changed))

    def _edit(self, conversation: Conversation, session: str, fields: Fields) -> View:
        if not conversation.exchanges:
            return View()
        return View(typed=conversation.exchanges[-1].asked, editing=True, message={"focus": "question"})

    def _restore(self, conversation: Conversation, session: str, fields: Fields) -> View:
        restored = self.restored(str(fields.get("record", "")))
        if fields.get("imported"):
            restored = replace(restored, id=Conversation().id)
        self._answering.stopping.stop(session)
        kept = {"keep": record(restored, self._answering.seal)} if fields.get("imported") else {}
        message = {**kept, "current": restored.id, "show": "Chat", "announce": "Conversation opened."}
        return self._turned_to(restored, message)

    def arrived(self, current: str) -> View:
        """The page as a tab left it, as it says in JSON: the conversation it kept, a question that was cut off."""
        try:
            fields = json.loads(current or "{}")
            conversation = self.restored(fields["record"]) if fields.get("record") else Conversation()
            asking = str(fields.get("asking", ""))
        except (ValueError, AttributeError, AdvisorError) as error:
            return self._turned_to(Conversation(), {"hint": f"What this tab kept cannot be read. {error}"})
        view = self._turned_to(conversation, {"current": conversation.id})
        if not asking:
            return view
        hint = "The last answer was cut off. Your question is back in the box."
        return replace(view, typed=asking, message={"current": conversation.id, "hint": hint})

    def restored(self, text: str) -> Conversation:
        """The conversation in a record from the browser."""
        advisor = self._answering.loading
        passages = advisor.wait().passages if len(text) <= LONGEST_RECORD else ()
        return read_record(text, self._answering.seal, passages)

    def _turned_to(self, conversation: Conversation, message: Mapping[str, Any]) -> View:
        return View(
            conversation=conversation,
            transcript=self._answering.shown(conversation),
            panel=self.panel(conversation),
            busy=False,
            editing=False,
            message=message,
        )

    def _export(self, conversation: Conversation, session: str, fields: Fields) -> View:
        kept = self.restored(str(fields.get("record", "")))
        name = " ".join(str(fields.get("name", "")).split())[:80] or "Conversation"
        return View(message={"download": {"name": f"{name}.md", "text": as_markdown(name, kept)}})

    def _fresh(self, conversation: Conversation, session: str, fields: Fields) -> View:
        self._answering.stopping.stop(session)
        fresh = Conversation()
        return replace(self._turned_to(fresh, {"current": fresh.id, "show": "Chat", "focus": "question"}), typed="")


def _opened(
    guide: Guide, passage: Passage | None = None, quote: str = "", cell: Cell | None = None, anchor: str = ""
) -> View:
    return View(panel=sources.opened(guide, passage, quote, cell, anchor), message={"panel": guide.title})
