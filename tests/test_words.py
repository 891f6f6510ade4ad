"""Plain operations on words: what a reader sees as one word, one sentence, one list item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.words import folded, sentences, slug, stem, stems, tokens, without_mark


def test_texts_that_read_alike_fold_alike() -> None:
    """Dashes, quotes, width and case of a text do not matter for comparing it."""
    assert folded("  $160–220K  A Ｄegree’s\tWorth ") == folded("$160-220k a degree's worth")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C++ and C# or R?", ["c++", "and", "c#", "or", "r"]),
        ("don't panic", ["don't", "panic"]),
        ("a scientist's pay", ["a", "scientist", "pay"]),
        ("R&D in the U.S.", ["r", "d", "in", "the", "u", "s"]),
        ("$160–220K", ["160", "220k"]),
        ("naïve Straße", ["naïve", "strasse"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    """Words and numbers come out in order, and names of languages stay whole."""
    assert tokens(text) == expected


def test_stems_join_forms_of_a_word() -> None:
    """A plural and its singular, a verb and its participle have the same stem; short words are left alone."""
    assert stems("models training") == stems("model trained")
    assert stem("aws") == "aws"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It depends. Most do not.", ("It depends.", "Most do not.")),
        ("Tools, e.g. Docker, help. Try them!", ("Tools, e.g. Docker, help.", "Try them!")),
        ("AI vs. ML is hard. Really?", ("AI vs. ML is hard.", "Really?")),
        ("He said “yes.” Then he left.", ("He said “yes.”", "Then he left.")),
        ("Pay is $1.5M. $2M is rare.", ("Pay is $1.5M.", "$2M is rare.")),
        ("", ()),
    ],
)
def test_sentences(text: str, expected: tuple[str, ...]) -> None:
    """A short form ends no sentence, a figure may begin one."""
    assert sentences(text) == expected


@given(st.text(max_size=300))
def test_sentences_lose_nothing(text: str) -> None:
    """Cut into sentences and put together again, a text has all its letters."""
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize("line", ["- a thing", "  * a thing", "12. a thing", "3) a thing", "• a thing", "a thing"])
def test_without_mark(line: str) -> None:
    """The bullet or number of a list item goes, its words stay."""
    assert without_mark(line) == "a thing"


def test_a_year_at_the_start_is_no_list_mark() -> None:
    """A line that begins with a year keeps it."""
    assert without_mark("2025. A year.") == "2025. A year."


def test_slug_is_the_anchor_that_readers_know() -> None:
    """Links to a heading work as they do on a code host."""
    assert slug("What is an AI Engineer? (2026)") == "what-is-an-ai-engineer-2026"
