"""Whether a sentence says a line of the guide of the wrong role, or gives the question back as an answer."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from advisor.citations.figures import NUMBER_WORDS, figures, others
from advisor.citations.support import SURE
from advisor.vocabulary import english
from advisor.words import stems, tokens

if TYPE_CHECKING:
    from advisor.citations.support import Words
    from advisor.types import Passage

_ANSWERS = {"yes", "no"}
VERBATIM = 0.8
"""Share of a line's content words in a sentence, and the sentence repeats the line: its names count one by one."""


def attributed(words: Words, sentence: str, passage: Passage) -> bool | None:
    """Whether the passage says the sentence's words in one line of the same role; None when no line says them."""
    said, content = _roles(words, sentence), set(words.content(sentence))
    if not said or not content or passage.kind == "row":
        return None
    before = Counter(words.reader.about(passage).roles)
    saying = []
    for line, held in words.lines(passage):
        there = _roles(words, line) or before
        if len(content & held) >= SURE * len(content):
            saying.append(not _of_another(words, sentence, said, line, there))
        if passage.kind == "paragraph":
            before = before | there  # "they" may be any of those named so far
    return any(saying) if saying else None


def _of_another(words: Words, sentence: str, said: Counter[str], line: str, there: Counter[str]) -> bool:
    """Whether the sentence names a role that the line does not, in the place of one that the line does name."""
    if set(said) - set(there):
        return bool(set(there) - set(said))
    held = set(words.content(line))
    verbatim = len(held & set(stems(sentence))) >= VERBATIM * len(held)
    return verbatim and bool(said - there) and bool(there - said)


def _roles(words: Words, text: str) -> Counter[str]:
    """The roles that a text names, and how often."""
    return Counter(m.name for m in words.reader.vocabulary.mentions(text) if m.kind == "roles")


def repeats(sentence: str, question: str) -> bool:
    """Whether a sentence has no word that the question lacks, and most of its words: as an answer it is a yes."""
    own, asked = {*stems(sentence)} - _ANSWERS, {*stems(question)}
    return own <= asked and len(own) >= SURE * len(asked)


def affirmed(words: Words, sentence: str, question: str, passage: Passage) -> bool:
    """Whether a yes to the question can stand on the passage: one line has its words, and a yes is what was asked for.

    Holds for every sentence that is more than the question itself, and for denials, which `contradicts` looks at.
    """
    if not repeats(sentence, question) or tokens(sentence)[:1] == ["no"]:
        return True
    if _begins(question):
        return False
    content = set(words.content(sentence))
    lines = [held for _, held in words.lines(passage)] + [{*stems(heading)} for heading in passage.headings]
    return any(len(content & held) >= SURE * len(content) for held in lines)


def _begins(question: str) -> bool:
    """Whether a question begins with a word that no yes answers: `which`, `who`, `how many`."""
    return bool(set(tokens(question)[:1]) & _question_words())


@cache
def _question_words() -> frozenset[str]:
    return frozenset(english()["question_words"])


def counts(question: str) -> bool:
    """Whether a question is for a number and nothing else."""
    return [word.lower() for word in tokens(question)[:2]] == ["how", "many"]


def numbered(text: str) -> bool:
    """Whether a text, its markers aside, says any number."""
    return bool(figures(text) or others(text) or set(NUMBER_WORDS) & {word.lower() for word in tokens(text)})
