"""The whole advisor through a scripted endpoint: what a model is handed, and how its refusals end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from advisor import Advisor, Settings, Turn
from advisor.chat import NOTHING_CITED, OFFLINE_INSTEAD
from advisor.llm import Breaker, GuideRetriever
from advisor.types import Answer
from evals import liar
from evals.endpoint import KEY, Request, Script, serving
from evals.scripted import Sent, sent
from tests.conftest import run

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


PAY = "What does a Senior ML Engineer earn remotely?"
MORE = "What would you like to hear next about the work of these roles, or about their pay?"


@pytest.fixture
def script() -> Script:
    """What the endpoint is going to do: say the remote pay, cited to the row that holds it."""
    made = Script()
    made.says(lambda request: f"A Senior ML Engineer earns $160–220K remotely [{paying(request)}]. {MORE}")
    return made


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    """The running endpoint."""
    with serving(script) as address:
        yield address


def paying(request: Request) -> int:
    """The number of the row with that pay; 1 where no passages were sent."""
    got = sent(request.material)
    return row_of(got, "Role: ML Engineer", "$160–220K") if got.passages else 1


def through(advisor: Advisor, model: str, url: str, **given: Any) -> Advisor:
    """The same advisor speaking through a model, impatient so that tests are quick."""
    named = {"llm_model": model, "openai_base_url": url, "llm_timeout": 0.4, "llm_retries": 0, **given}
    return Advisor(advisor.settings.model_copy(update=named), advisor.knowledge)


def test_without_the_dial_nothing_is_sent(
    advisor: Advisor, url: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key and an address that lie in the environment send no user's words anywhere."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert through(advisor, "", url).ask(PAY).citations
    assert script.requests == []


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("status-401", "refused the key"),
        ("status-500", "fault of its own"),
        ("silent", "sent nothing for 0.4 s"),
        ("empty", "empty answer"),
        ("malformed", "sent something that is no answer"),
    ],
)
def test_a_fault_is_told_and_the_guides_answer_in_its_place(advisor: Advisor, url: str, model: str, says: str) -> None:
    """The whole answer without the model, labelled as such; of a stream that broke, the words that came instead."""
    offline, answer = advisor.ask(PAY), through(advisor, model, url).ask(PAY)
    assert says in answer.notice
    if model == "malformed":
        assert answer.notice.startswith("The model's answer broke off: ")
        assert answer.text.startswith("A Senior ML Engineer")
    else:
        assert answer.notice.endswith(OFFLINE_INSTEAD)
        assert (answer.text, answer.citations) == (offline.text, offline.citations)


def test_an_answer_that_cites_nothing_is_not_shown(advisor: Advisor, url: str, script: Script) -> None:
    """Fluent, and held by nothing: the answer without the model stands in its place, labelled."""
    script.says("Pay depends on many things, and remote work is a matter of trust.")
    answer = through(advisor, "scripted", url).ask(PAY)
    assert (answer.text, answer.citations) == (advisor.ask(PAY).text, advisor.ask(PAY).citations)
    assert answer.notice == f"{NOTHING_CITED} {OFFLINE_INSTEAD}"
    assert answer.usage["input_tokens"] == 321


def test_an_endpoint_that_failed_three_times_is_left_alone_and_the_reader_told(
    advisor: Advisor, url: str, script: Script
) -> None:
    """The fourth answer comes from the guides at once and says when the model is asked again."""
    failing, now = through(advisor, "status-500", url), [0.0]
    failing.model.breaker = Breaker(clock=lambda: now[0])
    notices = [failing.ask(PAY).notice for _ in range(4)]
    assert len(script.requests) == 3
    assert "3 times in a row (server); it is asked again in 60 s" in notices[-1]
    assert notices[-1].endswith(OFFLINE_INSTEAD)


def test_a_follow_up_is_written_out_by_the_model_and_counted(advisor: Advisor, url: str, script: Script) -> None:
    """One short call more, whose tokens are part of what the answer took; a question that stands alone makes none."""
    turns = [Turn("What does a Senior AI Engineer earn remotely?", "$180–240K [1]")]
    script.says(lambda request: PAY if "<turns>" in request.material else f"It is $160–220K [{paying(request)}].")
    model = through(advisor, "scripted", url)
    answer = model.ask("and ML Engineer?", turns)
    assert len(script.requests) == 2
    assert "ML Engineer" in answer.question
    assert answer.usage == {"input_tokens": 642.0, "output_tokens": 90.0, "cost": 0.0042}
    script.requests.clear()
    assert model.ask(PAY, turns).question == PAY
    assert len(script.requests) == 1


def test_langchain_users_get_the_whole_advisor(advisor: Advisor, url: str) -> None:
    """`as_runnable` invokes, streams and batches through the model, and the retriever finds what search finds."""
    model = through(advisor, "scripted", url, llm_timeout=5)
    chain = model.as_runnable()
    whole = model.ask(PAY)
    assert chain.invoke(PAY).text == whole.text
    grown = list(chain.stream({"question": PAY, "turns": []}))
    assert len(grown) > 3
    assert grown[-1].text == whole.text
    assert [answer.text for answer in chain.batch([PAY, PAY])] == [whole.text] * 2
    documents = GuideRetriever(advisor=model, limit=3).invoke(PAY)
    assert [document.id for document in documents] == [hit.passage.id for hit in model.search(PAY, 3)]


def test_the_terminal_says_what_an_answer_took(small: Settings, url: str) -> None:
    """Tokens and cost below the passages when the endpoint reports them; no line without a model."""
    named = {"ADVISOR_LLM_MODEL": "scripted", "OPENAI_BASE_URL": url}
    done = run(small, "-m", "advisor", PAY, **named)
    assert done.stdout.rstrip().endswith("(model: 321 tokens read, 45 written, cost 0.0021)"), done.stderr
    assert '"cost": 0.0021' in run(small, "-m", "advisor", "--json", PAY, **named).stdout
    assert "tokens" not in run(small, "-m", "advisor", PAY).stdout
