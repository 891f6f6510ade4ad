"""What a model says of the wrong role, or gives back of the question, is shown as not found; honest rewording stays."""

from __future__ import annotations

import pytest
from small_guide import HUBS_ML, REMOTE_ML, VOCABULARY, WORK

from advisor.citations import NOT_FOUND, Binder, Bound
from advisor.passages import parse
from advisor.types import Draft, Evidence, Passage

TEXT = """---
title: Ways in
roles: [AI Engineer, ML Engineer, Data Scientist]
---

# Ways in

## Where to start

A sensible first skill, by background:

- Data Analyst aiming at Data Scientist: statistical inference, then experiments and Python
- ML Engineer aiming at AI Engineer: retrieval, agents and the evaluation of answers

## Frameworks

PyTorch becomes useful when an AI Engineer hosts open models. Training from scratch can wait for them.

An ML Engineer trains models from scratch and serves them, so frameworks and serving come first.

## Talks

- Ask practitioners for a short talk about their job, with questions that you could not look up
"""
PARSED = parse(TEXT, "ways-in.md")[1]
START, HOSTS, TRAINS, TALKS = (
    next(p for p in PARSED if words in p.text) for words in ("aiming", "hosts open", "trains models", "practitioners")
)


def bound(text: str, *passages: Passage, asked: str = "where do I start?", near: tuple[str, ...] = ()) -> Bound:
    """A model's finished text, checked."""
    evidence = tuple(Evidence(p) for p in passages or (START, HOSTS, TRAINS, TALKS))
    return Binder(asked, VOCABULARY, near).bind(Draft(text, evidence, by_model=True))


@pytest.mark.parametrize(
    "text",
    [
        "PyTorch becomes useful when an ML Engineer hosts open models [2].",
        "PyTorch becomes useful when a Data Scientist hosts open models [2].",
        "An AI Engineer trains models from scratch and serves them, so frameworks and serving come first [3].",
        "ML Engineer aiming at Data Scientist: retrieval, agents and the evaluation of answers [1].",
        "ML Engineer aiming at ML Engineer: retrieval, agents and the evaluation of answers [1].",
        "Data Analyst aiming at AI Engineer: statistical inference, then experiments and Python [1].",
        "Statistical inference, then experiments and Python, take an ML Engineer to AI Engineer [1].",
    ],
)
def test_a_line_said_of_another_role_is_not_found(text: str) -> None:
    """Also when some other passage, of that role, shares many of its words."""
    found = bound(text)
    assert found.text.endswith(NOT_FOUND)
    assert found.citations == ()


@pytest.mark.parametrize(
    "text",
    [
        "PyTorch becomes useful when an AI Engineer hosts open models [2].",
        "When it hosts open models, PyTorch becomes useful [2].",
        "For an AI Engineer, training from scratch can wait [2].",
        "An AI Engineer hosts open models with PyTorch, while an ML Engineer trains models from scratch [2][3].",
        "From Data Analyst to Data Scientist: statistical inference, experiments and Python [1].",
        "A Data Scientist starts with statistical inference and experiments [1].",
        "An ML Engineer who becomes an AI Engineer adds retrieval and agents [1].",
        "Ask practitioners for a short talk about their job, with questions that you could not look up [4].",
    ],
)
def test_a_line_said_of_its_own_role_stays(text: str) -> None:
    """In the guide's words, shortened, turned round or joined with another one."""
    assert bound(text).removed == ()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("which AI Engineer hosts open models?", "Yes: which AI Engineer hosts open models [2]."),
        ("who trains models from scratch?", "Yes, who trains models from scratch [3]."),
        ("do talks about jobs pay practitioners?", "Yes, talks about jobs pay practitioners [4]."),
    ],
)
def test_the_question_given_back_is_no_answer(asked: str, text: str) -> None:
    """No yes answers which and who; and a yes needs a line that says all of it."""
    found = bound(text, asked=asked)
    assert NOT_FOUND in found.text
    assert not found.answers


def test_a_yes_that_a_line_says_stays() -> None:
    """The question's own words, and the guide's."""
    found = bound("Yes, training from scratch can wait [2].", asked="can training from scratch wait?")
    assert found.removed == ()
    assert found.answers


def test_a_question_for_a_number_is_answered_with_one() -> None:
    """Something true beside it is no answer to `how many`."""
    text = "PyTorch becomes useful when an AI Engineer hosts open models [2]."
    assert not bound(text, asked="how many open models?").answers
    assert bound("PyTorch hosts open models of two sorts [2].", asked="how many sorts of open models?").answers
    text = "A Senior ML Engineer earns $160–220K remotely [2]."
    assert bound(text, HUBS_ML, REMOTE_ML, asked="how many dollars does a senior ml engineer earn remotely?").answers


def test_passages_known_to_be_near_need_no_words_of_the_question() -> None:
    """What the answer without a model stands on has to do with the question, however that was worded."""
    said, asked = "Agents are built with tools in several steps [1].", "tried all else, what now?"
    assert not bound(said, WORK, asked=asked).answers
    assert bound(said, WORK, asked=asked, near=(WORK.id,)).answers


def test_the_line_that_is_quoted_is_the_one_that_was_said() -> None:
    """Lines that share no more than names and small words with a sentence are told apart by those."""
    lines = parse("# T\n\n## Steps\n\n1. Do each of the three\n2. Ask people about all of them\n", "steps.md")[1]
    (citation,) = bound("Ask people about all of them [1].", *lines, asked="steps?").citations
    assert citation.quote == "Ask people about all of them"
