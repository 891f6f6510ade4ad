"""The whole advisor through a scripted endpoint: what a model is handed, and how its refusals end."""

from __future__ import annotations

from advisor import Advisor
from advisor.types import Answer
from evals import liar
from evals.endpoint import Request
from evals.scripted import Sent, sent

PARTLY = "senior ml engineer salary in us tech hubs and in germany"
PROFILE = "i studied statistics, love experiments and want to advise the business, which role suits me"
COVERED = "do i need a phd to become a data scientist?"
TRUE = "A Senior ML Engineer earns $200–260K in US tech hubs"


def spoken(advisor: Advisor, question: str, reply: str) -> tuple[Answer, Request]:
    """The answer through a model that replies so, and what it was sent."""
    seen: list[Request] = []

    def replying(request: Request) -> str:
        seen.append(request)
        return reply

    with liar.speaking(advisor, {"scripted": replying}) as models:
        return models["scripted"].ask(question), seen[-1]


def row_of(got: Sent, *names: str) -> int:
    """The number of the passage whose headings and text hold all the names."""
    found = (n for n, p in enumerate(got.passages, 1) if all(name in " ".join((*p.headings, p.text)) for name in names))
    return next(found)


def test_a_model_is_told_what_the_guides_lack_and_the_reader_too(ours: Advisor) -> None:
    """Both ways of answering name the same part as missing, though this model says nothing of it."""
    offline = ours.ask(PARTLY)
    assert "Germany" in offline.missing
    answer, request = spoken(ours, PARTLY, "Fine.")
    assert request.material.endswith("<lacking>\nGermany\n</lacking>")
    number = row_of(sent(request.material), "Role: ML Engineer", "$200–260K")
    answer, _ = spoken(ours, PARTLY, f"{TRUE} [{number}].")
    assert answer.missing == offline.missing
    assert not answer.declined
    assert "The guides have nothing on “Germany”." in answer.text
    assert answer.text.startswith(TRUE)


def test_a_model_is_handed_what_the_answer_without_it_stands_on(ours: Advisor) -> None:
    """The lines that a profile's ranking is made of come first, then what search found."""
    offline = ours.ask(PROFILE)
    _, request = spoken(ours, PROFILE, "Fine.")
    texts = [passage.text for passage in sent(request.material).passages if passage.kind != "row"]
    cited = [c.passage.text for c in offline.citations if c.passage.kind != "row"]
    assert cited
    assert texts[: len(dict.fromkeys(cited))] == list(dict.fromkeys(cited))
    assert len(request.material.split("</passages>")[0]) > len("".join(dict.fromkeys(cited)))


def test_a_refusal_by_the_model_ends_as_one_by_retrieval_does(ours: Advisor) -> None:
    """Declined, with the names of what is missing, the closest sections, and the tokens that the refusal took."""
    answer, _ = spoken(ours, COVERED, "NOT IN THE GUIDES: phd")
    assert answer.declined
    assert answer.citations == ()
    assert answer.missing == ("phd",)
    assert answer.text.startswith("The guides do not cover that: nothing on “phd”. The closest sections are: ")
    assert answer.usage["output_tokens"] > 0
    unnamed, _ = spoken(ours, COVERED, "NOT IN THE GUIDES")
    assert unnamed.declined
    assert unnamed.text.startswith("The guides do not cover that")
