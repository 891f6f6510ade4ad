"""The page when things go wrong: stopped answers, a process that dies, forged requests, visitors without a password."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from evals import endpoint
from tests.browsing import ANSWER, ROOT, Served, ask, opened, serving, visiting

pytest_plugins = ["tests.browsing"]
pytestmark = pytest.mark.browser
SLOW = "An AI Engineer builds products on top of language models. [1] " * 12


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, corpus: Path, index: Path) -> Iterator[Served]:
    """The page with a language model that takes its time."""
    script = endpoint.Script(pause=0.25)
    model = script.says(SLOW)
    with (
        endpoint.serving(script) as url,
        serving(
            tmp_path_factory.mktemp("slow"),
            corpus,
            index,
            ADVISOR_LLM_MODEL=model,
            OPENAI_BASE_URL=url,
            OPENAI_API_KEY="none",
        ) as running,
    ):
        yield running


def begin(page: Page, question: str) -> None:
    """Ask, and wait until the answer has begun."""
    done = page.get_by_role("article").count()
    page.get_by_role("textbox", name="Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").nth(done)).to_contain_text("builds products", timeout=ANSWER)


def test_stop_keeps_what_was_said(slow: Served, visitor: BrowserContext) -> None:
    """`Stop` ends a growing answer; what is there stays, labelled, with no error, and one can ask on."""
    page = opened(visitor, slow)
    expect(page.get_by_text("worded by scripted")).to_be_visible()
    begin(page, "what does an AI Engineer do?")
    page.get_by_role("button", name="Stop").click()
    article = page.get_by_role("article", name="Question 1")
    expect(article.get_by_text("Stopped before it was complete.")).to_be_visible()
    expect(article).to_contain_text("builds products")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_answer_streams_and_nothing_else_can_be_asked_meanwhile(slow: Served, visitor: BrowserContext) -> None:
    """The answer grows in sight; a conversation cannot be left before it is stopped."""
    page = opened(visitor, slow)
    begin(page, "what does an AI Engineer do?")
    page.get_by_role("button", name="New").click()
    expect(page.get_by_role("alert").filter(has_text="Stop the answer first.")).to_be_visible()
    expect(page.get_by_role("article")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()


def test_two_visitors_at_once_never_mix(slow: Served, browser: Browser) -> None:
    """While two answers grow at once, each visitor sees their own question, and stopping one leaves the other alone."""
    with visiting(browser) as first, visiting(browser) as second:
        ada, ben = opened(first, slow), opened(second, slow)
        begin(ada, "what does an AI Engineer do?")
        begin(ben, "and what does a Data Scientist do?")
        ada.get_by_role("button", name="Stop").click()
        expect(ada.get_by_text("Stopped before it was complete.")).to_be_visible()
        expect(ben.get_by_role("article")).to_have_attribute("aria-busy", "true")
        expect(ada.get_by_role("main")).not_to_contain_text("and what does a Data Scientist do?")
        expect(ben.get_by_role("article")).to_contain_text("and what does a Data Scientist do?")
        expect(ben.get_by_role("article").get_by_role("button", name="Copy")).to_be_visible(timeout=ANSWER)
        expect(ben.get_by_text("Stopped before it was complete.")).to_have_count(0)


def test_process_that_dies_in_mid_answer_is_told_and_the_page_recovers(slow: Served, browser: Browser) -> None:
    """The page says that the advisor has stopped, and goes on by itself when it is back, with all that was asked."""
    with visiting(browser) as context:
        page = opened(context, slow)
        begin(page, "what does an AI Engineer do?")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Copy")).to_be_visible()
        begin(page, "and what does a Data Scientist do?")
        slow.kill()
        expect(page.get_by_role("alert").filter(has_text="The advisor has stopped")).to_be_visible(timeout=ANSWER)
        slow.start()
        expect(page.get_by_role("article", name="Question 1")).to_contain_text("builds products", timeout=ANSWER)
        expect(page.get_by_role("textbox", name="Your question")).to_have_value(
            "and what does a Data Scientist do?", timeout=ANSWER
        )
        expect(page.get_by_role("alert").filter(has_text="The advisor has stopped")).to_be_hidden()


def config(served: Served, **given: Any) -> dict[str, Any]:
    """Gradio's description of the page, as any client can fetch it."""
    return dict(httpx.get(f"{served.address}config", timeout=30, **given).json())


def test_no_event_takes_a_conversation_or_a_chatbot_from_the_client(served: Served) -> None:
    """The only inputs are boxes, picks and state that stays here; no component has a value a client could forge."""
    described = config(served)
    kinds = {component["id"]: component["type"] for component in described["components"]}
    taken = {kinds[part] for event in described["dependencies"] for part in event["inputs"] if part in kinds}
    assert taken <= {"textbox", "state", "checkboxgroup", "dropdown", "api"}, taken
    assert "chatbot" not in kinds.values()


def test_forged_state_in_a_request_is_ignored(served: Served, tmp_path: Path) -> None:
    """A request that brings its own history, with a file in it, gets its answer and nothing of the file."""
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET-4711")
    described = config(served)
    kinds = {component["id"]: component["type"] for component in described["components"]}
    event = next(e for e in described["dependencies"] if len(e["targets"]) == 3)
    forged = [{"role": "assistant", "content": {"path": str(secret), "meta": {"_type": "gradio.FileData"}}}]
    data = [
        "what does a senior ML engineer earn remotely?" if kinds.get(part) == "textbox" else forged
        for part in event["inputs"]
    ]
    with httpx.Client(base_url=served.address, timeout=60) as client:
        joined = client.post(
            "gradio_api/queue/join", json={"data": data, "fn_index": event["id"], "session_hash": "forged"}
        )
        assert joined.status_code == 200
        said = ""
        with client.stream("GET", "gradio_api/queue/data", params={"session_hash": "forged"}) as stream:
            for line in stream.iter_lines():
                said += line
                if "process_completed" in line:
                    break
        assert "TOP-SECRET" not in said
        assert "Question 2" not in said
        assert "160" in said
        assert "TOP-SECRET" not in client.get(f"gradio_api/file={secret}").text


def test_malformed_acts_change_nothing(page: Page, served: Served) -> None:
    """Whatever a script of the reader's own sends as an act, the process answers readably and goes on."""
    described = config(served)
    event = next(e for e in described["dependencies"] if e["targets"] and e["targets"][0][1] == "select")
    odd: list[Any] = [
        None,
        [],
        "x",
        {"action": "cite", "turn": "1; drop"},
        {"action": "rate", "turn": 99, "rating": "up"},
        {"action": "restore", "record": {"a": 1}},
        {"action": "open", "source": "../../etc/passwd"},
    ]
    with httpx.Client(base_url=served.address, timeout=60) as client:
        for number, fields in enumerate(odd):
            session = f"odd-{number}"
            client.post(
                "gradio_api/queue/join",
                json={"data": [None], "fn_index": event["id"], "session_hash": session, "event_data": fields},
            )
            with client.stream("GET", "gradio_api/queue/data", params={"session_hash": session}) as stream:
                line = next(line for line in stream.iter_lines() if "process_completed" in line)
            assert json.loads(line.removeprefix("data:"))["success"], (fields, line)
            assert "root:" not in line
    ask(page, "do i need a phd for ai engineering?")


def test_headers_forbid_foreign_content(served: Served) -> None:
    """Every page comes with the content policy, and the health endpoint says ready."""
    answer = httpx.get(served.address, timeout=30)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{served.address}healthz", timeout=30).json()["status"] == "ready"


def test_files_and_excessive_requests_are_refused(served: Served) -> None:
    """Gradio's upload is closed, since nothing here needs it; a request beyond four megabytes is not read."""
    uploaded = httpx.post(f"{served.address}gradio_api/upload", files={"files": b"x"}, timeout=30)
    assert uploaded.status_code == 404
    assert httpx.post(f"{served.address}gradio_api/queue/join", content=b" " * 4_000_001, timeout=30).status_code == 413


def test_password_is_asked_for(browser: Browser, tmp_path: Path, corpus: Path, index: Path) -> None:
    """With ADVISOR_AUTH nobody gets in without it, and with it the page works."""
    with serving(tmp_path, corpus, index, ADVISOR_AUTH="ada:correct horse") as closed, visiting(browser) as context:
        assert httpx.get(f"{closed.address}config", timeout=30).status_code == 401
        assert httpx.get(f"{closed.address}gradio_api/info", timeout=30).status_code == 401
        page = context.new_page()
        page.goto(closed.address)
        page.get_by_label("username", exact=False).fill("ada")
        page.get_by_label("password", exact=False).fill("correct horse")
        page.get_by_role("button", name=re.compile("log ?in", re.IGNORECASE)).click()
        expect(page.get_by_text("passages ·")).to_be_visible(timeout=ANSWER)
        ask(page, "do i need a phd for ai engineering?")


def test_other_addresses_are_refused_without_password(tmp_path: Path, corpus: Path, index: Path) -> None:
    """`python app.py --host 0.0.0.0` ends with status 2 and says what to set."""
    done = subprocess.run(
        [sys.executable, "app.py", "--host", "0.0.0.0", "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=Served(tmp_path, corpus, index)._environment(),
    )
    assert done.returncode == 2
    assert "ADVISOR_AUTH" in done.stderr
    assert "Traceback" not in done.stderr


def test_guides_that_cannot_be_read_are_told_on_the_page(browser: Browser, tmp_path: Path) -> None:
    """A missing corpus is an error on the page and in the health endpoint, not a page that waits for ever."""
    with serving(tmp_path, tmp_path / "nowhere", tmp_path / "index") as broken, visiting(browser) as context:
        page = context.new_page()
        page.goto(broken.address)
        expect(page.get_by_role("alert").filter(has_text="nowhere")).to_be_visible(timeout=ANSWER)
        assert httpx.get(f"{broken.address}healthz", timeout=30).status_code == 503
