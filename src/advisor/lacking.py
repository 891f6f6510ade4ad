"""What a question names and its answer does not speak of: it is said, so that nobody reads it as included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.refusal import held_terms
from advisor.types import Draft
from advisor.words import stem, tokens
from advisor.writing import listed

if TYPE_CHECKING:
    from advisor.knowledge import Knowledge
    from advisor.question import Question

_SHORTEST = 4


def completed(draft: Draft, question: Question, knowledge: Knowledge) -> Draft:
    """The draft with a last sentence for what the question names and nothing in it is about."""
    if draft.declined or not draft.evidence:
        return draft
    unsaid = [name for name in names(draft, question, knowledge) if name not in draft.missing]
    if not unsaid:
        return draft
    said = f"The guides say nothing about {listed(unsaid, 'or')} in particular."
    return replace(draft, text=f"{draft.text}\n\n{said}", missing=(*draft.missing, *unsaid))


def names(draft: Draft, question: Question, knowledge: Knowledge) -> list[str]:
    """The roles, regions and other names of a question that neither the draft nor what it cites holds."""
    held = " . ".join([draft.text, *_cited(draft)])
    slots, words = knowledge.vocabulary.slots(held), frozenset(tokens(held))
    places = {evidence.passage.region for evidence in draft.evidence}
    found = [role for role in question.slots.roles if role not in slots.roles]
    found += [place for place in question.slots.regions if place not in slots.regions and place not in places]
    found = [name for name in found if not _is_told(name, question, knowledge)]
    strange = () if question.foreign else question.words
    found += [word for word in strange if _is_strange(word, knowledge) and word not in words]
    named = [word for word in question.words if word in knowledge.proper]
    if any(word in words for word in named):  # one of several: whatever stands beside it was asked about as well
        found += [knowledge.proper[word][0] for word in named if word not in words and knowledge.proper[word][1]]
    return list(dict.fromkeys(found))


def _is_told(name: str, question: Question, knowledge: Knowledge) -> bool:
    """Whether some passage names a role or region and has all the question's terms: then the guides speak of it."""
    asked = set(question.terms)
    return any(held_terms(question, knowledge.words_of(passage)) >= asked for passage in knowledge.naming.get(name, ()))


def _cited(draft: Draft) -> Iterable[str]:
    for evidence in draft.evidence:
        passage = evidence.passage
        yield " . ".join([*passage.headings, passage.intro, passage.text])


def _is_strange(word: str, knowledge: Knowledge) -> bool:
    """Whether a word stands nowhere in the corpus, is no English word and no typing error of one: a name, then."""
    known = knowledge.lexicon.knows(stem(word)) or knowledge.reader.is_word(word)
    return len(word) >= _SHORTEST and word.isalpha() and not known
