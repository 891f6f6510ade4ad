"""What the product is for: real questions, answered from our guides and from the source guide alone."""

from __future__ import annotations

import json
import re

import pytest

from advisor import Advisor, Answer, Settings, Turn
from tests.conftest import run

REMOTE = "what does a senior ML engineer earn remotely?"


@pytest.fixture(scope="module")
def source(source_guide: Settings) -> Advisor:
    """An advisor that has nothing but the source guide."""
    return Advisor.open(source_guide)


def cells(answer: Answer) -> set[tuple[str, str, str]]:
    """Row, column and quoted value of every cited cell."""
    return {(c.cell.row, c.cell.column, c.quote) for c in answer.citations if c.cell}


def sound(answer: Answer) -> None:
    """Hold an answer to what every answer promises."""
    marks = [int(n) for n in re.findall(r"\[(\d+)\]", answer.text)]
    assert list(dict.fromkeys(marks)) == [c.number for c in answer.citations]
    for citation in answer.citations:
        passage = citation.passage
        held = [value for _, value in passage.cells] if citation.cell else [passage.text, *passage.lines]
        assert any(citation.quote in text for text in held), citation
    if answer.declined:
        assert answer.citations == ()


def test_senior_remote_pay(ours: Advisor) -> None:
    """The first question of all: figure, region, date, and a citation that is a table cell."""
    answer = ours.ask(REMOTE)
    sound(answer)
    assert "$160–220K" in answer.text
    assert ("ML Engineer", "Senior", "$160–220K") in cells(answer)
    assert re.search(r"remote", answer.text, re.IGNORECASE)
    assert "United States" in answer.text
    assert "December 2025" in answer.text
    row = next(c.passage for c in answer.citations if c.cell)
    guide = next(guide for guide in ours.guides if guide.source == row.source)
    assert guide.text.split("\n")[row.first_line - 1].startswith("| ML Engineer |")


def test_phd(ours: Advisor) -> None:
    """A yes-or-no question starts with no, and comes from the section that asks it."""
    answer = ours.ask("do I need a PhD for AI engineering?")
    sound(answer)
    assert answer.text.lower().startswith("no")
    assert any("PhD" in c.passage.headings[-1] for c in answer.citations)


def test_nurse(ours: Advisor) -> None:
    """What the guides do not cover is said so, by name, with nothing cited."""
    answer = ours.ask("how do I become a nurse?")
    sound(answer)
    assert answer.declined
    assert "nurse" in answer.text
    assert "do not cover" in answer.text


@pytest.mark.parametrize(
    "question",
    [
        REMOTE,
        "do I need a PhD for AI engineering?",
        "which pays more, ai engineer or data scientist",
        "what comes after senior data scientist",
        "how long does it take to become an ml engineer",
        "is data science dying",
        "data scientist python skills rating",
        "backend dev, 6 yrs java, like shipping, hate stats, which role",
        "do companies sponsor visas for data scientists",
        "senior ml engineer salary in germany",
        "hi",
        "thanks!",
        "",
        "?!",
        "x" * 5_000,
        "<script>alert(1)</script>",
        "{{7*7}} ${7*7} '; drop table units; --",
        "((((((((((" * 10,
        "[1] [2] [99]",
        "¿cuánto gana un científico de datos?",
        "مرحبا",
        "salary\x00\x07 of\tdata scientist",
        "🍳🍳🍳",
    ],
)
def test_every_answer_is_sound(ours: Advisor, question: str) -> None:
    """Whatever is asked, markers have citations, quotes stand in their passages, refusals cite nothing."""
    answer = ours.ask(question)
    sound(answer)
    assert answer.text.strip()
    assert len(answer.text) < 6_000


@pytest.mark.slow
def test_a_megabyte_is_answered_in_time(source_guide: Settings) -> None:
    """A message of any length, here a million letters of questions, gets its sane answer while somebody still waits."""
    done = run(source_guide, "-m", "advisor", typed="what is it? " * 80_000 + "\n", patience=60)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) < 10_000


@pytest.mark.parametrize("greeting", ["hi", "thanks!", "what can you do?"])
def test_small_talk_is_no_refusal(ours: Advisor, greeting: str) -> None:
    """A greeting gets a sentence and somewhere to start, not a refusal."""
    answer = ours.ask(greeting)
    assert not answer.declined
    assert answer.citations == ()
    assert answer.follow_ups


def test_follow_up_without_a_model(ours: Advisor) -> None:
    """`and remote?` after a question on hubs is the same question about remote pay; a whole question is left alone."""
    first = "what does a senior AI Engineer earn in tech hubs?"
    turn = Turn(first, ours.ask(first).text)
    answer = ours.ask("and remote?", [turn])
    sound(answer)
    assert ("AI Engineer", "Senior", "$180–240K") in cells(answer), answer.text
    assert ours.standalone(REMOTE, [turn]) == REMOTE


def test_a_missing_region_is_named(ours: Advisor) -> None:
    """Where the guides have pay but not for that country, the country is named as missing."""
    answer = ours.ask("senior ml engineer salary in germany")
    assert "Germany" in answer.missing
    assert "Germany" in answer.text


def test_streams_end_in_the_answer(ours: Advisor) -> None:
    """The last of the growing answers is the one that `ask` returns."""
    assert list(ours.stream(REMOTE))[-1] == ours.ask(REMOTE)


def test_suggestions_can_be_answered(ours: Advisor) -> None:
    """What is offered to go on with, and to start with, is answered and not declined."""
    for question in (*ours.starters, *ours.ask(REMOTE).follow_ups):
        assert not ours.ask(question).declined, question


def test_a_runnable_answers(ours: Advisor) -> None:
    """LangChain users get the same answer from a runnable."""
    assert ours.as_runnable().invoke(REMOTE) == ours.ask(REMOTE)


def test_the_source_guide_alone_answers_about_pay(source: Advisor) -> None:
    """The article that all began with needs no preparation: its own table row is cited."""
    answer = source.ask(REMOTE)
    sound(answer)
    assert ("ML Engineer", "Senior", "$160-220K") in cells(answer), answer.text
    assert "December 2025" in answer.text


def test_the_source_guide_alone_answers_about_degrees(source: Advisor) -> None:
    """The FAQ's first words answer the question."""
    answer = source.ask("do I need a PhD for AI engineering?")
    sound(answer)
    assert "rarely see PhD requirements" in answer.text
    assert any(c.passage.headings[-1] == "Do I need a PhD?" for c in answer.citations)


def test_the_source_guide_alone_declines(source: Advisor) -> None:
    """Nursing is not in it."""
    assert source.ask("how do I become a nurse?").declined


def test_the_source_guide_alone_in_the_terminal(source_guide: Settings) -> None:
    """The same through the command line, with ADVISOR_CORPUS set to a folder that holds only that file."""
    done = run(source_guide, "-m", "advisor", "--json", REMOTE)
    assert done.returncode == 0, done.stderr
    assert "$160-220K" in json.loads(done.stdout)["text"]


def test_a_fit_says_what_would_change_it(ours: Advisor) -> None:
    """After the ranking stand reasons for the second role that were not agreed with, each cited."""
    liked = [criterion for criterion in ours.criteria if criterion.role == ours.criteria[0].role][:4]
    answer = ours.fit(liked, [])
    assert "would come closer if these were true of you too:" in answer.text
    said = answer.text.split("true of you too:")[1]
    assert all(criterion.text.rstrip(".") not in said for criterion in liked)


def test_a_fit_of_nothing_names_no_role(ours: Advisor) -> None:
    """Whoever agrees with nothing is asked instead of being given the role that was rejected least."""
    assert "too little" in ours.fit([], list(ours.criteria)).text
