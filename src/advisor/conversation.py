"""Question and turns in, standalone question out, without a language model.

A follow-up that names nothing but a role, level or region is the earlier question with that slot swapped. Any other
one that leans on the conversation is read in several ways (about the same role, about the same subject, with the
pronoun filled in), and the reading that the guides answer best is taken. A question that stands alone is returned byte
for byte as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from advisor import parts
from advisor.words import stem, without_mark
from advisor.writing import article, listed, lowered

if TYPE_CHECKING:
    from advisor.question import Question, Reader
    from advisor.types import Turn

_KINDS = ("roles", "levels", "regions")
_LESS_LIKELY = 0.015
"""What a reading loses for each likelier one before it."""
_GAIN = 0.03
"""How much nearer to the guides a reading must be than the question as typed, when that has a subject of its own."""
_PRONOUN = re.compile(
    r"\b(?:it|they|them|those|these|this|that|its|their)\b(?: (?:one|ones|role|roles|job|jobs))?", re.I
)
_OPENER = re.compile(
    r"^\W*(?:(?:and|but|ok|okay|so|also|then|or|now|und|y|et)\b[\s,]*)*"
    r"(?:(?:what|how|wbt)(?: about| of)\b|same (?:for|question for))?[\s,]*",
    re.I,
)
_ORDINALS = {"first": 0, "former": 0, "second": 1, "latter": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_ORDINAL = re.compile(
    r"\bthe (first|former|second|latter|third|fourth|fifth|last)(?: (?:one|role|job|option|step)\b|(?=[\s?.!]*$|,))",
    re.I,
)
_SAME_LEVEL = re.compile(r"\b(?:that|this|the same|same) level\b", re.I)
_ONE = re.compile(r"\bones?\b", re.I)
_FILLER = 3
_MOST_ROLES = 3
_SHORT = 6
_AROUND = 9
_OTHER = re.compile(r"\bthe other(?: (?:one|role|job))?\b", re.I)


class Near(Protocol):
    """Says how well the guides answer a text, and how much of the given stems the best passage holds."""

    def __call__(self, text: str, own: Sequence[str]) -> float:
        """A score, higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    """The conversation so far: its last standalone question, the answer to it, and the roles it named."""

    question: str = ""
    answer: str = ""
    roles: tuple[str, ...] = ()


def standalone(text: str, turns: Sequence[Turn], reader: Reader, near: Near) -> str:
    """The question, readable without the conversation; `near` says how well the guides answer a text."""
    state = _State()
    for turn in turns:
        asked = _resolve(turn.question, state, reader, near)
        roles = (*reader.read(asked).slots.roles, *state.roles)
        state = _State(asked, turn.answer, tuple(dict.fromkeys(roles)))
    return _resolve(text, state, reader, near)


def _resolve(text: str, state: _State, reader: Reader, near: Near) -> str:
    if not state.question or not text.strip():
        return text
    pointed = _pointed_at(text, state, reader)
    now, then = reader.read(pointed), reader.read(state.question)
    if pointed != text and (now.slots or _own(now)):
        return pointed
    if _only_slots(now) and (now.says("opener") or now.says("anaphora") or not stands_alone(now)):
        return _swapped(now, then)
    if stands_alone(now) and not _hangs(now, then):
        return text
    readings = _readings(now, then, state, reader)
    if _hangs(now, then):
        readings.append(_swapped(now, then))
    if not readings:
        return pointed
    own = tuple(_own(now))
    scored = [(near(reading, own) - _LESS_LIKELY * at, -at, reading) for at, reading in enumerate(readings)]
    best = max(scored)
    enough = len(own) > 1 and len(now.words) > 3 and not now.says("opener")
    return pointed if enough and near(text, own) + _GAIN > best[0] else best[2]


def stands_alone(question: Question) -> bool:
    """Whether a question needs nothing from the conversation."""
    if question.says("opener") and len(question.words) < 10:
        return False
    if question.says("anaphora") or question.says("why") and len(_own(question)) < 3:
        return False
    if question.says("role_asked") or question.slots.roles:
        return bool(_own(question) or question.slots.topics) or len(question.words) > 4
    return bool(_own(question)) and len(question.words) > 2


def _hangs(now: Question, then: Question) -> bool:
    """Whether a few words around a role, level or region may be the earlier question with just that changed."""
    named = {at for m in now.mentions if m.kind != "topics" for at in range(m.start, m.end)}
    changed = any(set(getattr(now.slots, kind)) - set(getattr(then.slots, kind)) for kind in _KINDS)
    few = len(_own(now)) < 3 and len(now.words) - len(named) <= _AROUND
    whole = parts.asks(_OPENER.sub("", now.text).rstrip(" ?"))
    return changed and few and not whole and not now.slots.topics and bool(then.slots.topics or _own(then))


def _own(question: Question) -> list[str]:
    """The terms that are no topic: what the question is about by itself."""
    spans = [m for m in question.mentions if m.kind == "topics"]
    of_topic = {stem(question.words[at]) for m in spans for at in range(m.start, m.end)}
    return [term for term in question.terms if term not in of_topic]


def _only_slots(question: Question) -> bool:
    """Whether a question names a role, level or region and says next to nothing else."""
    named = {at for m in question.mentions if m.kind != "topics" for at in range(m.start, m.end)}
    bare = not _own(question) and not question.slots.topics and not question.says("why")
    return bare and bool(named) and len(question.words) - len(named) <= _FILLER and not question.says("differs")


def _readings(now: Question, then: Question, state: _State, reader: Reader) -> list[str]:
    """What the question may mean in the light of the one before it, the likeliest first."""
    core = _OPENER.sub("", now.text.strip())
    if not core.strip(" ?!."):
        return [_next_step(then, state, reader)]
    found: list[str] = [core] if _own(now) and core != now.text else []
    if now.says("why") and len(_own(now)) < 2:
        found.append(f"{core.rstrip('?')} {then.text}")
    core = _SAME_LEVEL.sub(lambda m: f"{listed(then.slots.levels)} level" if then.slots.levels else m[0], core)
    roles = listed([role for role in then.slots.roles if role not in now.slots.roles])
    context = [listed(getattr(then.slots, kind)) for kind in ("levels", "regions") if _carries(kind, now, then)]
    if now.says("role_asked"):
        several = then.slots.roles if len(then.slots.roles) > 1 else state.roles[:_MOST_ROLES]
        named = _PRONOUN.sub(listed(several), core, count=1) if len(several) > 1 else core
        found.append(_joined(named, *(t for t in then.slots.topics if t not in now.slots.topics), *context))
    elif roles and now.slots.roles:
        found.append(_PRONOUN.sub(roles, core, count=1))
    elif roles:
        found.append(_joined(_PRONOUN.sub("", core, count=1), f"for {roles}", *context))
    if now.says("more"):
        return [then.text]
    if not now.says("role_asked"):
        if _own(then) and (_own(now) or now.says("anaphora") or now.says("opener")):
            found += _about(core, then)
        if (name := _leading_name(state.answer)) and _PRONOUN.search(core):
            reading = _PRONOUN.sub(name, core, count=1)
            is_role = bool(reader.read(name).slots.roles)
            found.insert(0 if is_role else len(found), _joined(reading, *(context if is_role else ())))
        if now.slots.roles and roles and _ONE.search(core):
            found.insert(0, _ONE.sub(f"{article(roles)} {roles}", core, count=1))
        if framed := _framed(core, now, then, roles):
            found.insert(0, framed)
    return list(dict.fromkeys(re.sub(r"\bfor for\b", "for", " ".join(reading.split())) for reading in found))


def _about(core: str, then: Question) -> list[str]:
    """Readings that keep the subject of the earlier question."""
    subject = _subject(then)
    if not subject:
        return []
    found = []
    if _PRONOUN.search(core):
        found.append(_PRONOUN.sub(subject, core, count=1))
    first, _, rest = then.text.partition(",")
    return [*found, _joined(core, subject), *([_joined(core, first.strip())] if rest else [])]


def _framed(core: str, now: Question, then: Question, roles: str) -> str:
    """The earlier question's form with the new subject: `how important is X`, `and Y` → `how important is Y`."""
    subject = _subject(then)
    frame = re.sub(r"\bthe$", "", " ".join(then.words[: _span(then)[0]])).strip()
    if not (subject and frame and _own(now)) or not now.says("opener") or len(now.words) > _SHORT:
        return ""
    named = _ONE.sub(subject.split()[-1], core)
    return _joined(f"{frame} {named}", f"for {roles}" if roles and not now.slots.roles else "")


def _leading_name(answer: str) -> str:
    """The name that an answer begins with: `Elements of AI needs no coding` → `Elements of AI`."""
    found = re.match(r"\W*((?:[A-Z][\w.+-]*)(?: (?:(?:of|for|and|the|in) )?[A-Z][\w.+-]*)*)", answer)
    name = found[1] if found else ""
    return name if " " in name else ""


def _next_step(then: Question, state: _State, reader: Reader) -> str:
    """`And then?` after a step of a ladder asks for the step after that; else the earlier question again."""
    levels = reader.vocabulary.slots(state.answer).levels
    if not then.says("next_step") or not levels or not then.slots.levels:
        return then.text
    spans = [m for m in then.mentions if m.kind == "levels"]
    words = list(then.words)
    words[spans[0].start : spans[0].end] = [levels[-1]]
    return " ".join(words)


def _carries(kind: str, now: Question, then: Question) -> bool:
    """Levels and regions stay while the talk is of the same topic; a new one starts without them."""
    return (
        not getattr(now.slots, kind) and bool(getattr(then.slots, kind)) and {*now.slots.topics} <= {*then.slots.topics}
    )


def _joined(text: str, *more: str) -> str:
    mark = "?" if text.rstrip().endswith("?") else ""
    return " ".join([text.rstrip(" ?"), *more]) + mark


def _span(question: Question) -> tuple[int, int]:
    """The positions of the first word that carries the question's subject, and of the word after the last."""
    at = [i for i, word in enumerate(question.words) if stem(word) in question.terms]
    at += [i for m in question.mentions for i in range(m.start, m.end)]
    return (min(at), max(at) + 1) if at else (0, 0)


def _subject(question: Question) -> str:
    """The words of a question from the first to the last that carry its subject."""
    first, end = _span(question)
    return " ".join(question.words[first:end])


def _swapped(now: Question, then: Question) -> str:
    """The earlier question with each slot that the new one names swapped, or added when it had none."""
    words = list(then.words)
    added: list[str] = []
    for kind in _KINDS:
        new = getattr(now.slots, kind)
        spans = [m for m in then.mentions if m.kind == kind] if new else []
        for before, after in pairwise(spans):  # `A and B` becomes one name, without the word between
            if after.start - before.end == 1:
                words[before.end] = ""
        for position, m in enumerate(spans):
            words[m.start : m.end] = [_inside(kind, new) if position == 0 else ""] + [""] * (m.end - m.start - 1)
        if new and not spans:
            added.append(_inside(kind, new))
    return " ".join(word for word in [*words, *added] if word)


def _inside(kind: str, names: Sequence[str]) -> str:
    """Names as they stand inside a sentence: levels are no proper names."""
    return listed([lowered(name) for name in names] if kind == "levels" else list(names))


def _pointed_at(text: str, state: _State, reader: Reader) -> str:
    """The text with `the third one` or `the other one` replaced by what it points at."""
    if ordinal := _ORDINAL.search(text):
        named = _choices(state, reader)
        place = _ORDINALS[ordinal[1].lower()]
        if named and -len(named) <= place < len(named):
            return text[: ordinal.start()] + named[place] + text[ordinal.end() :]
    if _OTHER.search(text):
        now = reader.read(state.question).slots.roles
        others = [role for role in state.roles if role not in now]
        if others:
            return _OTHER.sub(others[0], text)
    return text


def _choices(state: _State, reader: Reader) -> list[str]:
    """What the last answer listed: its items, else the roles that it or its question names."""
    plain = re.sub(r"\s*\[\d+\]|\*\*", "", state.answer)
    items = [without_mark(line) for line in plain.splitlines() if re.match(r"\s*(?:[-*]|\d+[.)])\s", line)]
    if len(items) > 1:
        return [re.split(r":|,| \(", item)[0] for item in items]
    asked = reader.vocabulary.slots(state.question).roles
    if len(asked) > 1:
        return list(asked)
    told = reader.vocabulary.slots(plain).roles
    return list(told) if len(told) > 1 else _enumerated(plain)


def _enumerated(text: str) -> list[str]:
    """The members of a sentence's enumeration: `San Francisco, New York and Dallas are ...`."""
    found = re.match(
        r"((?:[A-Z][\w.]*(?: [A-Z][\w.]*)*, )+[A-Z][\w.]*(?: [A-Z][\w.]*)*,? (?:and|or) [A-Z][\w.]*(?: [A-Z][\w.]*)*)",
        text,
    )
    return re.split(r", | and | or ", found[1]) if found else []
