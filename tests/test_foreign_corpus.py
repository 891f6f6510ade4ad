"""Another world, the same code: three kitchen jobs with their own names and tables, and no change to Python."""

from __future__ import annotations

import re

import pytest

from advisor import Advisor, Answer, Settings, Turn, index
from tests import kitchen
from tests.conftest import Setup


@pytest.fixture(scope="module")
def settings(setup: Setup) -> Settings:
    """Settings for the kitchen guide, its index made."""
    made = setup(kitchen.CORPUS)
    index.ingest(made)
    return made


@pytest.fixture(scope="module")
def chef(settings: Settings) -> Advisor:
    """An advisor that knows kitchens and nothing else."""
    return Advisor.open(settings)


def after(chef: Advisor, *questions: str) -> Answer:
    """The answer to the last of several questions asked one after another."""
    turns: list[Turn] = []
    for question in questions[:-1]:
        turns.append(Turn(question, chef.ask(question, turns).text))
    return chef.ask(questions[-1], turns)


def cells(answer: Answer) -> set[tuple[str, str, str]]:
    """Row, column and quoted value of every cited cell."""
    return {(c.cell.row, c.cell.column, c.quote) for c in answer.citations if c.cell}


def test_names_come_from_the_guide(chef: Advisor) -> None:
    """Roles, dimensions and starters are the kitchen's."""
    assert chef.roles == ("Sous Chef", "Pastry Chef", "Line Cook")
    assert {"Knife skills", "Sugar work"} <= set(chef.dimensions)
    assert chef.starters[0] == "What does a trained Pastry Chef earn at sea?"
    assert chef.vocabulary.slots("qualified patissier on a ship, wages?").levels == ("Trained",)


@pytest.mark.parametrize(
    ("question", "cell"),
    [
        ("What does a trained Pastry Chef earn at sea?", ("Pastry Chef", "Trained", "£33–37K")),
        ("skilled baker cruise ship wage", ("Pastry Chef", "Trained", "£33–37K")),
        ("apprentice station cook salary in town?", ("Line Cook", "Trainee", "£22–25K")),
        ("how much does a head of station second chef make ashore", ("Sous Chef", "Head of station", "£40–48K")),
        ("when does the shift of a pastry chef start?", ("Pastry Chef", "Start of shift", "4 am")),
        ("how many hours a week does a line cook work?", ("Line Cook", "Hours a week", "48")),
        ("how important are knife skills for a line cook?", ("Knife skills", "Line Cook", "5 of 5")),
        ("sugar work sous chef", ("Sugar work", "Sous Chef", "1 of 5")),
    ],
)
def test_cells(chef: Advisor, question: str, cell: tuple[str, str, str]) -> None:
    """A value of a table is said and cited to its cell, asked for by canonical name or alias."""
    answer = chef.ask(question)
    assert cell in cells(answer), answer.text
    assert cell[2] in answer.text
    assert not answer.declined


def test_money_comes_with_its_terms(chef: Advisor) -> None:
    """A wage says where it holds, in which money and as of when."""
    text = chef.ask("What does a trained Pastry Chef earn at sea?").text
    assert "£33–37K" in text
    assert "May 2026" in text
    assert re.search(r"at sea|cruise", text, re.IGNORECASE)
    assert "pounds" in text


def test_no_wage_of_another_cell_is_said(chef: Advisor) -> None:
    """The answer for one level and place holds no figure of another."""
    text = chef.ask("What does a trained Pastry Chef earn at sea?").text
    assert set(re.findall(r"£[\d–]+K", text)) == {"£33–37K"}


def test_comparison(chef: Advisor) -> None:
    """Two jobs side by side, from the tables, each value cited."""
    answer = chef.ask("pastry chef vs line cook: which needs more speed?")
    assert {("Speed", "Pastry Chef", "2 of 5"), ("Speed", "Line Cook", "5 of 5")} <= cells(answer), answer.text
    side = chef.compare(["Sous Chef", "Line Cook"], ["Knife skills", "Leading people"])
    assert {("Knife skills", "Sous Chef", "4 of 5"), ("Leading people", "Line Cook", "1 of 5")} <= cells(side)


@pytest.mark.parametrize(
    ("question", "best", "value"),
    [
        ("who earns the most at sea when trained?", "Sous Chef", "£39–45K"),
        ("which trained job has the lowest wage in city restaurants?", "Line Cook", "£26–29K"),
        ("which job needs sugar work the most?", "Pastry Chef", "5 of 5"),
        ("which job has the fewest hours a week?", "Pastry Chef", "45"),
    ],
)
def test_superlatives(chef: Advisor, question: str, best: str, value: str) -> None:
    """The highest and lowest of a row or column come first, with their value."""
    answer = chef.ask(question)
    assert value in answer.text, answer.text
    names = [(answer.text.find(name), name) for name in chef.roles if name in answer.text]
    assert min(names)[1] == best, answer.text


def test_follow_ups_swap_what_changed(chef: Advisor) -> None:
    """Place, job and level of the conversation stay, the one that is named is swapped."""
    first = "what does a trained pastry chef earn in city restaurants?"
    assert ("Pastry Chef", "Trained", "£29–34K") in cells(chef.ask(first))
    at_sea = after(chef, first, "and at sea?")
    assert ("Pastry Chef", "Trained", "£33–37K") in cells(at_sea), at_sea.text
    cook = after(chef, first, "and at sea?", "what about a line cook?")
    assert ("Line Cook", "Trained", "£25–28K") in cells(cook), cook.text
    commis = after(chef, first, "as an apprentice?")
    assert ("Pastry Chef", "Trainee", "£24–27K") in cells(commis), commis.text


def test_a_question_that_stands_alone_is_left_alone(chef: Advisor) -> None:
    """After a question about pay, another complete question is searched byte for byte as it was typed."""
    asked = "Do I need a diploma to work in a kitchen?"
    answer = after(chef, "what does a trained pastry chef earn at sea?", asked)
    assert answer.question == asked
    assert "No, you do not need a diploma" in answer.text


def test_a_ladder_comes_back_in_order(chef: Advisor) -> None:
    """What comes after a rung is the next rung, with the whole ladder."""
    answer = chef.ask("what comes after trained pastry chef?")
    assert "Head of station Pastry Chef" in answer.text, answer.text
    quotes = [c.quote for c in answer.citations]
    assert any("4-8 years" in quote for quote in quotes)
    whole = chef.ask("career ladder of a pastry chef")
    rungs = [whole.text.find(rung) for rung in ("Trainee Pastry", "Trained Pastry", "Head of station", "Executive")]
    assert -1 not in rungs
    assert rungs == sorted(rungs), whole.text


def test_a_list_comes_back_whole(chef: Advisor) -> None:
    """What a job does all day is its list, under its intro, each item cited."""
    answer = chef.ask("what does a sous chef do all day?")
    for item in ("Rota", "Ordering", "Tasting"):
        assert item in answer.text, answer.text


@pytest.mark.parametrize(
    ("profile", "best"),
    [
        ("I love baking and chocolate, like to work alone with precision, hate shouting. which job?", "Pastry Chef"),
        ("i'm good at leading people and planning, stay calm. which kitchen job fits me?", "Sous Chef"),
        ("never worked in a kitchen, want to start at once, like speed and pressure, which one is for me", "Line Cook"),
    ],
)
def test_profiles(chef: Advisor, profile: str, best: str) -> None:
    """Somebody's likes and dislikes are matched with the guide's own criteria, each reason cited."""
    answer = chef.ask(profile)
    names = [(answer.text.find(f"**{name}**"), name) for name in chef.roles if f"**{name}**" in answer.text]
    assert names, answer.text
    assert min(names)[1] == best, answer.text
    assert answer.citations


def test_criteria_are_the_guide_s(chef: Advisor) -> None:
    """The lines under `Choose ... if` are what a fit is made of."""
    assert len(chef.criteria) == 9
    liked = [c for c in chef.criteria if c.role == "Pastry Chef"]
    assert "Pastry Chef" in chef.fit(liked, []).text.split("\n")[0]


@pytest.mark.parametrize(
    "question",
    [
        "how do I become a nurse?",
        "what does a senior ML engineer earn remotely?",
        "do pastry chefs get free housing?",
        "which visa does a line cook need for canada",
        "who won the world cup",
    ],
)
def test_what_the_guide_does_not_say_is_declined(chef: Advisor, question: str) -> None:
    """Another subject, and a subject near to the guide's, are both refused, with nothing cited."""
    answer = chef.ask(question)
    assert answer.declined, answer.text
    assert answer.citations == ()


def test_a_place_that_is_missing_is_named(chef: Advisor) -> None:
    """The part there is is answered or offered, the part there is not is named."""
    answer = chef.ask("trained pastry chef wage in France")
    assert "France" in answer.missing, answer.text
    assert "France" in answer.text
    sea = chef.ask("what does a head of station pastry chef earn at sea?")
    assert "Head of station" in sea.missing, sea.text


def test_the_corpus_needs_no_vocabulary_file(setup: Setup) -> None:
    """With front matter alone, roles, tables and plain words for levels work; aliases are what one loses."""
    made = setup({"kitchen.md": kitchen.GUIDE})
    index.ingest(made)
    chef = Advisor.open(made)
    assert chef.roles == ("Sous Chef", "Pastry Chef", "Line Cook")
    assert ("Pastry Chef", "Trained", "£33–37K") in cells(chef.ask("what does a trained pastry chef earn at sea?"))
