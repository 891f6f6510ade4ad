"""Question and turns in, standalone question out, without a language model.

A follow-up is understood by its slots: the role, level, region and topic of the conversation stay, the one that the
new question names is swapped. A question that stands alone is returned byte for byte as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.vocabulary import stop_words
from advisor.words import stem, tokens
from advisor.writing import listed

if TYPE_CHECKING:
    from advisor.question import Question, Reader
    from advisor.types import Turn

_KINDS = ("roles", "levels", "regions", "topics")


def standalone(text: str, turns: Sequence[Turn], reader: Reader) -> str:
    """The question, readable without the conversation."""
    before = ""
    answer = ""
    for turn in turns:
        before = _resolve(turn.question, before, answer, reader)
        answer = turn.answer
    return _resolve(text, before, answer, reader)


def _resolve(text: str, before: str, answer: str, reader: Reader) -> str:
    if not before or not text.strip():
        return text
    now, then = reader.read(text), reader.read(before)
    if stands_alone(now):
        return text
    return _merge(now, then, answer, reader)


def stands_alone(question: Question) -> bool:
    """Whether a question needs nothing from the conversation."""
    own = [term for term in question.terms if not _of_topic(term, question)]
    if question.says("opener") and len(question.words) < 8:
        return False
    if question.says("anaphora") and not question.slots.roles:
        return False
    if question.says("role_asked") and not question.says("anaphora") and (own or question.slots.topics):
        return True
    if question.slots.roles:
        return bool(own or question.slots.topics) or len(question.words) > 5
    return bool(own) and len(question.words) > 2


def _of_topic(term: str, question: Question) -> bool:
    spans = [m for m in question.mentions if m.kind == "topics"]
    return any(term == stem(question.words[at]) for m in spans for at in range(m.start, m.end))


def _merge(now: Question, then: Question, answer: str, reader: Reader) -> str:
    """The earlier question with what the new one names put in its place."""
    own = [term for term in now.terms if not _of_topic(term, now)]
    if own or now.slots.topics:
        return _with_context(now, then, answer, reader)
    return _swapped(now, then)


def _with_context(now: Question, then: Question, answer: str, reader: Reader) -> str:
    """A new subject about the same role: the role, level and region of the conversation are put behind it."""
    roles = then.slots.roles or reader.vocabulary.slots(answer).roles
    carried = []
    if not now.slots.roles and roles:
        carried.append("for " + listed(roles))
    if not now.slots.levels and then.slots.levels:
        carried.append(listed(then.slots.levels))
    core = re.sub(r"^(?:and|but|ok|okay|so|also|then|what about|how about)\b[\s,]*", "", now.text.strip(), flags=re.IGNORECASE)
    mark = "?" if core.endswith("?") else ""
    return f"{core.rstrip('?').strip()} {' '.join(carried)}{mark}".strip() if carried else now.text


def _swapped(now: Question, then: Question) -> str:
    """The earlier question with each slot that the new one names swapped, or added when it had none."""
    words = list(then.words)
    added: list[str] = []
    for kind in _KINDS:
        new = getattr(now.slots, kind)
        if not new:
            continue
        spans = [m for m in then.mentions if m.kind == kind]
        if spans:
            for position, m in enumerate(spans):
                words[m.start : m.end] = [listed(new) if position == 0 else ""] + [""] * (m.end - m.start - 1)
        else:
            added.append(listed(new))
    if not any(getattr(now.slots, kind) for kind in _KINDS):
        return _about_before(now, then)
    return " ".join(word for word in [*words, *added] if word)


def _about_before(now: Question, then: Question) -> str:
    """A bare `why` or `which one`: said before the earlier question."""
    kept = [word for word in tokens(now.text) if word not in stop_words() or now.says("why")]
    return " ".join([*kept, then.text]) if kept else then.text
