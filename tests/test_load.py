"""Many visitors at once on the real process: nobody fails, conversations do not mix, memory is flat, the queue ends."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import Browser, expect

from advisor import Advisor, Settings
from evals import endpoint, load
from evals.visitors import Busy, Door, Script, Seen, _compare, scripts, visitors
from tests.browsing import Served, opened, serving, visiting
from tests.test_api import ready

pytest_plugins = ["tests.browsing"]
pytestmark = pytest.mark.slow
VISITORS = 60
SECONDS = 45
BUSY = re.compile("busy", re.IGNORECASE)


@pytest.fixture(scope="module")
def here(corpus: Path, index: Path) -> Advisor:
    """An advisor on the guide that the page serves: what it says is what visitors must be told."""
    return Advisor.open(Settings.read(corpus=corpus, index=index, llm_model=""))


def test_many_visitors_at_once(here: Advisor) -> None:
    """Sixty visitors in conversations of their own, through the page's own HTTP: no fault of any kind."""
    with ThreadPoolExecutor(1) as aside:  # a browser of an earlier test may have an event loop in this thread
        outcome = aside.submit(load.measured, here, VISITORS, SECONDS, think=(1, 5), warm=SECONDS // 2).result()
    print(load.report(outcome))
    assert outcome.faults == []
    assert len(outcome.seen.seconds) > VISITORS
    assert len(outcome.seen.conversations) >= VISITORS / 2
    assert outcome.most.seconds
    assert len(outcome.memory) > SECONDS / 2


def test_mixing_would_be_seen(here: Advisor) -> None:
    """The conversations tell visitors apart, and a foreign exchange in one of them is a fault."""
    plan = scripts(here)
    assert len(plan) >= 6
    assert len({script.questions[0] for script in plan}) == len({script.answers[0] for script in plan}) == len(plan)
    mine, other = plan[:2]
    kept = [{"asked": q, "text": a} for q, a in zip(mine.questions, mine.answers, strict=True)]
    seen = Seen()
    _compare({"exchanges": kept[:2]}, mine, 2, seen)
    assert seen.errors == []
    for wrong in (
        [kept[0], {"asked": other.questions[1], "text": other.answers[1]}],
        [{"asked": mine.questions[0], "text": other.answers[0]}, kept[1]],
        kept[:1],
        kept[:3],
    ):
        before = len(seen.errors)
        _compare({"exchanges": wrong}, mine, 2, seen)
        assert len(seen.errors) == before + 1


def test_beyond_the_queue_visitors_are_asked_to_come_back(
    here: Advisor, tmp_path: Path, corpus: Path, index: Path
) -> None:
    """Forty visitors at a queue of four: some are sent away politely, all are answered in the end, none fails."""
    plan = [Script(script.questions[:2], script.answers[:2]) for script in scripts(here)]

    async def crowd(address: str) -> tuple[Seen, list[Busy]]:
        turned: list[Busy] = []
        async with Door(address) as door:

            async def once(script: Script) -> None:
                try:
                    async with door.tab() as session:
                        await door.event("ask", [script.questions[0], None, None], session)
                except Busy as busy:
                    turned.append(busy)

            await asyncio.gather(*(once(plan[number % len(plan)]) for number in range(40)))
            return await visitors(door, plan, 24, (0.0, 0.1), 8), turned

    with serving(tmp_path, corpus, index, ADVISOR_QUEUE="4") as narrow:
        with httpx.Client(base_url=narrow.address, timeout=60) as client:
            ready(client)
        with ThreadPoolExecutor(1) as aside:
            seen, turned = aside.submit(asyncio.run, crowd(narrow.address)).result()
        assert turned
        assert all(busy.after > 0 for busy in turned)
        assert seen.errors == []
        assert seen.seconds
        assert httpx.get(f"{narrow.address}healthz", timeout=60).json()["status"] == "ready"


@pytest.fixture
def full(tmp_path: Path, corpus: Path, index: Path) -> Iterator[Served]:
    """A page whose places are all taken by answers that a slow model is writing, and whose queue of one is full."""
    script = endpoint.Script(pause=0.5)
    model = script.says("An AI Engineer builds products on top of language models. [1] " * 150)
    with (
        endpoint.serving(script) as url,
        serving(
            tmp_path,
            corpus,
            index,
            ADVISOR_QUEUE="1",
            ADVISOR_LLM_MODEL=model,
            OPENAI_BASE_URL=url,
            OPENAI_API_KEY="none",
        ) as running,
        httpx.Client(base_url=running.address, timeout=60) as client,
    ):
        ready(client)
        yield running


def fill(client: httpx.Client) -> int:
    """Ask until the queue is full and stays so; how many were let in."""
    config = client.get("config").json()
    question = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "question")
    ask = next(event["id"] for event in config["dependencies"] if [question, "submit"] in event["targets"])
    let_in = turned = 0
    while turned < 5 and let_in < 100:
        sent = {"data": ["what does an AI Engineer do?", None, None], "fn_index": ask, "session_hash": f"s{let_in}"}
        joined = client.post("gradio_api/queue/join", json=sent)
        if joined.status_code == 503:
            turned += 1
            assert BUSY.search(joined.json()["detail"])
            assert int(joined.headers["retry-after"]) > 0
        else:
            let_in, turned = let_in + 1, 0
        time.sleep(0.05)
    return let_in


@pytest.mark.browser
def test_a_full_queue_is_told_in_the_page(full: Served, browser: Browser) -> None:
    """A visitor who asks when the queue is full reads that the page is busy, and the question stays in its box."""
    with visiting(browser) as context, httpx.Client(base_url=full.address, timeout=60) as client:
        page = opened(context, full)
        assert fill(client) < 100
        box = page.get_by_role("textbox", name="Your question")
        box.fill("do i need a phd for ai engineering?")
        page.keyboard.press("Enter")
        expect(page.get_by_text(BUSY).first).to_be_visible()
        expect(box).to_have_value("do i need a phd for ai engineering?")
        with pytest.raises(Exception, match="try again"):  # the words of Gradio's own client
            Client(full.address, verbose=False).predict(question="do i need a phd?", api_name="/ask")


def test_many_programs_at_once(served: Served, here: Advisor) -> None:
    """Forty programs ask over plain HTTP at once, each a conversation of its own, and each is told its own answers."""
    plan = scripts(here)

    def conversation(number: int) -> None:
        script = plan[number % len(plan)]
        turns: list[dict[str, str]] = []
        with httpx.Client(base_url=served.address, timeout=60) as client:
            for question, answer in zip(script.questions, script.answers, strict=True):
                found = client.post("api/ask", json={"question": question, "turns": turns}).raise_for_status().json()
                assert found["text"] == answer
                turns.append({"question": question, "answer": answer})

    with httpx.Client(base_url=served.address, timeout=60) as client:
        ready(client)
    with ThreadPoolExecutor(40) as threads:
        list(threads.map(conversation, range(40)))
