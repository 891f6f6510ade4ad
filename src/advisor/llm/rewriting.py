"""Whether a rewritten question may be searched: it says all that the question said, and nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.types import Turn
from advisor.vocabulary import stop_words
from advisor.words import stem, tokens

if TYPE_CHECKING:
    from advisor.vocabulary import Vocabulary

_LONGEST = 300
_KINDS = ("roles", "levels", "regions")
_REFERS = frozenset(("that", "this", "those", "these", "it", "its", "they", "them", "one", "ones", "there", "same"))
_NEGATIONS = frozenset(("not", "no", "never", "without", "except", "don't", "isn't", "can't", "won't", "hate", "nor"))


def tidy(text: str) -> str:
    """A reply without quotes, labels and thoughts around the question."""
    text = re.sub(r"<think>.*?(?:</think>|$)", "", text, flags=re.DOTALL).strip()
    text = re.sub(r"^(?:standalone |rewritten )?question:\s*", "", text, flags=re.IGNORECASE)
    return text.strip("\"'“”` \n")


def acceptable(rewritten: str, question: str, turns: Sequence[Turn], vocabulary: Vocabulary, offline: str = "") -> bool:
    """Whether no constraint of the question is dropped, and every added word is one of the conversation."""
    if not rewritten or len(rewritten) > _LONGEST or "\n" in rewritten:
        return False
    said, asked = _content(rewritten), _content(question)
    if offline != question and said <= asked:
        return False  # an echo: the question refers to what was said before, and nothing of that was added
    if not asked - _REFERS <= said or not _negated(question) <= _negated(rewritten):
        return False
    known = asked.union(*(_content(t.question) | _content(t.answer) for t in turns), _content(offline))
    if not said <= known:
        return False
    return _same_slots(rewritten, question, vocabulary) and _keeps_role(rewritten, offline, vocabulary)


def _content(text: str) -> set[str]:
    """Stems that carry meaning, numbers among them."""
    return {stem(word) for word in tokens(text) if word not in stop_words()}


def _negated(text: str) -> frozenset[str]:
    return _NEGATIONS.intersection(tokens(text))


def _same_slots(rewritten: str, question: str, vocabulary: Vocabulary) -> bool:
    """What the question names itself is not widened: "and remote?" is not about hubs too."""
    then, now = vocabulary.slots(question), vocabulary.slots(rewritten)
    return all(not getattr(then, kind) or set(getattr(now, kind)) == set(getattr(then, kind)) for kind in _KINDS)


def _keeps_role(rewritten: str, offline: str, vocabulary: Vocabulary) -> bool:
    """A role that the conversation is about is not lost."""
    return not vocabulary.slots(offline).roles or bool(vocabulary.slots(rewritten).roles)
