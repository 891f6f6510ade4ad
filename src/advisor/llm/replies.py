"""What a model's reply means: an answer, a refusal, what it says is missing; and what of it must not be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from advisor.llm.prompts import MISSING, NOT_COVERED, QUESTION, REWRITE, RULES
from advisor.words import stems, tokens

_RUN = 6
"""So many words in a row that stand in the rules: they are being repeated."""
_HELD = 3
"""So many at the end of a growing reply: it may be going to."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_MARKER = re.compile(r"\[\d+\]")
_THOUGHT = re.compile(r"\s*<think(?:ing)?>.*?(?:</think(?:ing)?>\s*|$)", re.DOTALL)
_REFUSAL = re.compile(rf"\W*{NOT_COVERED}\b[\s:.*_]*(?P<missing>[^\n]*)", re.IGNORECASE)
_LACKING = re.compile(rf"(?:^|\n)[\s*_]*{MISSING}[*_]*\s*:[\s*_]*(?P<missing>[^\n]*)\s*", re.IGNORECASE)
_MOST_MISSING = 5


@dataclass(frozen=True, slots=True)
class Read:
    """A reply as it is understood."""

    text: str
    declined: bool = False
    missing: tuple[str, ...] = ()


def read(reply: str, question: str, growing: bool = False) -> Read:
    """Take a reply apart; of a growing one, what may become a refusal or a list of what is missing is held back."""
    text = _THOUGHT.sub("", reply, count=1).lstrip()
    if growing and "<think".startswith(text[:6]) and text[:6]:
        return Read("")
    if refusal := _REFUSAL.match(text):
        return Read("", True, _names(refusal["missing"], question))
    lacking = _LACKING.search(text)
    missing = _names(lacking["missing"], question) if lacking else ()
    if lacking:
        text = text[: lacking.start()]
    elif growing:
        text = _without_start_of_label(text)
    return Read(_unrepeated(text, growing), False, missing)


def refused(missing: Sequence[str]) -> str:
    """The refusal in the product's words, whatever the model's were."""
    what = f" ({_listed(missing)})" if missing else ""
    return f"The guides do not cover that{what}."


def with_missing(text: str, missing: Sequence[str]) -> str:
    """The answer with a last line about what is missing, as far as its own words do not name it."""
    said = set(stems(text))
    unsaid = [name for name in missing if not set(stems(name)) <= said]
    return f"{text}\n\nThe guides have nothing on {_listed(unsaid)}." if text and unsaid else text


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _names(written: str, question: str) -> tuple[str, ...]:
    """What is missing, as far as the question itself said it: a name from elsewhere would be a message smuggled in."""
    asked = set(stems(question))
    names = (name.strip(" .*_\"'“”[]") for name in re.split(r"[;,]", written))
    return tuple(n for n in dict.fromkeys(names) if n and set(stems(n)) <= asked)[:_MOST_MISSING]


def _without_start_of_label(text: str) -> str:
    line = text.rpartition("\n")[2].lstrip("*_ \t").upper()
    begun = bool(line) and (f"{MISSING}:".startswith(line) or ("\n" not in text and NOT_COVERED.startswith(line)))
    return text[: len(text) - len(text.rpartition("\n")[2])] if begun else text


@cache
def _rules() -> frozenset[tuple[str, ...]]:
    """Every run of words of the prompts, as long as one that is held or removed."""
    found = set()
    for prompt in (RULES, REWRITE, QUESTION):
        words = [word.lower() for word in _WORD.findall(prompt)]
        found |= {tuple(words[at : at + size]) for size in (_HELD, _RUN) for at in range(len(words) - size + 1)}
    return frozenset(found)


def _unrepeated(text: str, growing: bool) -> str:
    """The text without the runs of words that repeat the rules."""
    found, words = _words(text)
    spans: list[tuple[int, int]] = []
    for at in range(len(words) - _RUN + 1):
        if tuple(words[at : at + _RUN]) in _rules():
            start = spans.pop()[0] if spans and spans[-1][1] >= at else at
            spans.append((start, at + _RUN))
    for start, end in reversed(spans):
        text = text[: found[start].start()].rstrip() + " … " + text[found[end - 1].end() :].lstrip()
    return _before_repetition(text) if growing else text


def _words(text: str) -> tuple[list[re.Match[str]], list[str]]:
    """The words and where they are; markers between them are none."""
    found = list(_WORD.finditer(_MARKER.sub(lambda m: " " * len(m.group()), text)))
    return found, [match.group().lower() for match in found]


def _before_repetition(text: str) -> str:
    found, words = _words(text)
    if found and found[-1].end() == len(text):
        words = words[:-1]  # half a word says nothing yet
    start = len(words)
    while start >= _HELD and tuple(words[start - _HELD : start]) in _rules():
        start -= 1
    if start == len(words):
        return text
    return text[: found[max(0, start - _HELD + 1)].start()]


def overlap(text: str) -> int:
    """How many words in a row of the rules a text repeats at most; for those who check."""
    words, longest = [w.lower() for w in tokens(text)], 0
    rules = " " + " ".join(w.lower() for w in _WORD.findall(RULES)) + " "
    for at in range(len(words)):
        while f" {' '.join(words[at : at + longest + 1])} " in rules and at + longest < len(words):
            longest += 1
    return longest
