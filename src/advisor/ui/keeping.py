"""A conversation as the page keeps it, and as the browser stores it: sealed, so that nobody forges the advisor's words.

The browser is handed JSON with a seal for every exchange. What comes back with a good seal is the advisor's own; the
rest is read strictly, shown as imported, keeps only quotes that stand in the guides, and is never given to the
answerer as something the advisor said.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from advisor.errors import AdvisorError
from advisor.types import Answer, Cell, Citation, Hit, Passage, Turn

LONGEST_RECORD = 1_000_000
"""Characters of a stored conversation that are read at most."""
MOST_EXCHANGES = 200
LONGEST_TEXT = 20_000


class RecordError(AdvisorError):
    """A stored conversation cannot be read."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question as it was typed, and the advisor's answer to it."""

    asked: str
    answer: Answer
    stopped: bool = False
    imported: bool = False
    """Came from a file or a browser without the seal of this advisor."""
    tool: bool = False
    """Asked by a tool beside the chat: there is no typed question to edit or to ask again."""
    rated: str = ""
    """`up`, `down` (a reason is being asked for) or `sent`; not stored."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The exchanges of one tab, oldest first."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    exchanges: tuple[Exchange, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What the answerer may know of the conversation; an imported answer is not the advisor's word."""
        return tuple(Turn(e.asked, "" if e.imported else e.answer.text) for e in self.exchanges)

    def with_exchange(self, exchange: Exchange) -> Conversation:
        """The conversation, one exchange longer."""
        return replace(self, exchanges=(*self.exchanges, exchange))

    def without_last(self) -> Conversation:
        """The conversation without its last exchange."""
        return replace(self, exchanges=self.exchanges[:-1])


class Seal:
    """Signs what the browser keeps. The key stays beside the index, so that what was kept outlives a restart."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def beside(cls, folder: Path) -> Seal:
        """The seal whose key is stored in `folder` (mode 0600), made there if need be; else one for this run."""
        path = folder / "page.key"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes() or secrets.token_bytes(32))
        except OSError:
            return cls(secrets.token_bytes(32))
        with os.fdopen(handle, "wb") as file:
            key = secrets.token_bytes(32)
            file.write(key)
        return cls(key)

    def of(self, content: Mapping[str, Any]) -> str:
        """The seal of a stored exchange."""
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def fits(self, content: Mapping[str, Any], seal: object) -> bool:
        """Whether `seal` is the one of this content."""
        return isinstance(seal, str) and seal.isascii() and hmac.compare_digest(self.of(content), seal)


def record(conversation: Conversation, seal: Seal) -> dict[str, Any]:
    """A conversation as JSON for the browser."""
    exchanges = [_stored(exchange) for exchange in conversation.exchanges]
    return {
        "kind": "career-advisor conversation",
        "version": 1,
        "id": conversation.id,
        "exchanges": [
            {**stored, "seal": "" if exchange.imported else seal.of(stored)}
            for stored, exchange in zip(exchanges, conversation.exchanges, strict=True)
        ],
    }


def _stored(exchange: Exchange) -> dict[str, Any]:
    answer = exchange.answer
    return {
        "asked": exchange.asked,
        "question": answer.question,
        "text": answer.text,
        "citations": [_stored_citation(citation) for citation in answer.citations],
        "declined": answer.declined,
        "missing": list(answer.missing),
        "follow_ups": list(answer.follow_ups),
        "closest": [hit.passage.id for hit in answer.hits[:3]] if answer.declined else [],
        "notice": answer.notice,
        # As text: a browser writes 321.0 as 321, and the seal would not fit any more.
        "usage": {name: f"{amount:.10g}" for name, amount in answer.usage.items()},
        "stopped": exchange.stopped,
        "tool": exchange.tool,
    }


def _stored_citation(citation: Citation) -> dict[str, Any]:
    passage = citation.passage
    return {
        "number": citation.number,
        "quote": citation.quote,
        "cell": [citation.cell.row, citation.cell.column] if citation.cell else [],
        "passage": passage.id,
        "source": passage.source,
        "headings": list(passage.headings),
        "lines": [passage.first_line, passage.last_line],
        "as_of": passage.as_of,
        "region": passage.region,
        "cells": [list(pair) for pair in passage.cells],
    }


def read_record(text: str, seal: Seal, passages: Sequence[Passage]) -> Conversation:
    """The conversation in a record that a client sent.

    Raises:
        RecordError: it is too long, or not such a record; the message says what is wrong.
    """
    if len(text) > LONGEST_RECORD:
        raise RecordError(
            f"This conversation has {len(text):,} characters; {LONGEST_RECORD:,} is the most that can be read."
        )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise RecordError("This file is not a conversation: it is not JSON.") from None
    exchanges = content.get("exchanges") if isinstance(content, dict) and content.get("version") == 1 else None
    if not isinstance(exchanges, list) or len(exchanges) > MOST_EXCHANGES:
        raise RecordError(f"This file is not a conversation of this advisor with at most {MOST_EXCHANGES} questions.")
    known = {passage.id: passage for passage in passages}
    read = tuple(_exchange(entry, seal, known) for entry in exchanges)
    name = content.get("id")
    good = isinstance(name, str) and 0 < len(name) <= 40 and name.replace("-", "").replace("_", "").isalnum()
    return Conversation(str(name), read) if good else Conversation(exchanges=read)


def _exchange(entry: object, seal: Seal, known: Mapping[str, Passage]) -> Exchange:
    fields = entry if isinstance(entry, dict) else {}
    content = {name: value for name, value in fields.items() if name != "seal"}
    ours = seal.fits(content, fields.get("seal"))
    citations = [found for stored in _list(fields, "citations") if (found := _citation(stored, known, ours))]
    closest = [known[i] for i in _list(fields, "closest") if isinstance(i, str) and i in known]
    answer = Answer(
        question=_words(fields, "question"),
        text=_words(fields, "text"),
        citations=tuple(citations),
        declined=fields.get("declined") is True,
        missing=_strings(fields, "missing"),
        follow_ups=_strings(fields, "follow_ups")[:3],
        hits=tuple(Hit(passage, 0.0) for passage in closest[:3]),
        notice=_words(fields, "notice") if ours else "",
        usage=_amounts(fields, "usage") if ours else {},
    )
    return Exchange(
        _words(fields, "asked"),
        answer,
        stopped=fields.get("stopped") is True,
        imported=not ours,
        tool=fields.get("tool") is True,
    )


def _citation(stored: object, known: Mapping[str, Passage], ours: bool) -> Citation | None:
    fields = stored if isinstance(stored, dict) else {}
    number, quote, cell = fields.get("number"), _words(fields, "quote"), _strings(fields, "cell")
    passage = known.get(str(fields.get("passage")))
    if passage is None and ours:
        passage = _as_it_was(fields)
    if passage is None or not isinstance(number, int) or not 0 < number < 1000:
        return None
    if not ours and quote not in passage.text and quote not in dict(passage.cells).values():
        return None
    return Citation(number, passage, quote, Cell(*cell) if len(cell) == 2 else None)


def _as_it_was(sealed: Mapping[str, Any]) -> Passage:
    """The passage of a sealed citation that the guides no longer hold, or that is not read yet."""
    try:
        first, last = sealed["lines"]
        return Passage(
            id=sealed["passage"],
            text=sealed["quote"],
            source=sealed["source"],
            headings=tuple(sealed["headings"]),
            first_line=first,
            last_line=last,
            as_of=sealed["as_of"],
            region=sealed["region"],
            cells=tuple((header, value) for header, value in sealed["cells"]),
        )
    except (KeyError, TypeError, ValueError):
        raise RecordError("This conversation was kept by another version of the advisor and cannot be read.") from None


def _list(fields: Mapping[str, Any], name: str) -> list[object]:
    value = fields.get(name)
    return value[:100] if isinstance(value, list) else []


def _amounts(fields: Mapping[str, Any], name: str) -> dict[str, float]:
    value = fields.get(name)
    return {str(key): float(amount) for key, amount in value.items()} if isinstance(value, dict) else {}


def _words(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise RecordError(
            f"This file is not a conversation of this advisor: “{name}” is not a text of readable length."
        )
    return value


def _strings(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(value[:300] for value in _list(fields, name) if isinstance(value, str))


def as_markdown(name: str, conversation: Conversation) -> str:
    """A conversation to keep or send on: questions, answers, and the quoted words under each."""
    parts = [f"# {name}"]
    for exchange in conversation.exchanges:
        answer = exchange.answer
        parts.append(f"## {' '.join(exchange.asked.split())}")
        if answer.question != exchange.asked:
            parts.append(f"*Understood as: {answer.question}*")
        parts.append(answer.text)
        parts += [_quoted(citation) for citation in answer.citations]
        if exchange.imported:
            parts.append("*Imported: not checked by this advisor.*")
    return "\n\n".join(parts) + "\n"


def _quoted(citation: Citation) -> str:
    passage, cell = citation.passage, citation.cell
    words = f"{cell.row} · {cell.column}: {citation.quote}" if cell else " ".join(citation.quote.split())
    dated = f", as of {passage.as_of}" if passage.as_of else ""
    where = f"{passage.source}, line {passage.first_line}{dated}"
    return f"> [{citation.number}] “{words}”  \n> {' › '.join(passage.headings)} ({where})"
