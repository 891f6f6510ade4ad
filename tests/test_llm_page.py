"""The page speaking through a model: the real process, a scripted endpoint over real sockets, a real browser."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from evals.endpoint import KEY, Request, Script
from evals.endpoint import serving as endpoint
from evals.scripted import sent
from tests.browsing import ANSWER, ask, opened, serving, visiting

pytest_plugins = ["tests.browsing"]
pytestmark = pytest.mark.browser

QUESTION = "what does a senior ML engineer earn remotely?"
BEGINNING = "A Senior ML Engineer works far from the office"


def reply(request: Request) -> str:
    """A true sentence, cited to the row that holds it."""
    rows = (n for n, p in enumerate(sent(request.material).passages, 1) if "$160–220K" in p.text and "ML" in p.text)
    return f"{BEGINNING}. A Senior ML Engineer earns $160–220K remotely [{next(rows)}]."


def test_first_words_are_shown_while_the_endpoint_still_speaks(
    browser: Browser, tmp_path: Path, corpus: Path, index: Path
) -> None:
    """The page has the first piece before the second was sent; then the whole answer, its source, its tokens."""
    script = Script(held=threading.Event())
    model = script.says(reply)
    with (
        endpoint(script) as url,
        serving(tmp_path, corpus, index, ADVISOR_LLM_MODEL=model, OPENAI_BASE_URL=url, OPENAI_API_KEY=KEY) as served,
        visiting(browser) as context,
    ):
        page = opened(context, served)
        page.get_by_role("textbox", name="Your question").fill(QUESTION)
        page.keyboard.press("Enter")
        growing = page.get_by_role("article").last
        expect(growing).to_contain_text(BEGINNING[:6], timeout=ANSWER)
        expect(growing).to_have_attribute("aria-busy", "true")
        assert script.held is not None
        script.held.set()
        expect(growing.get_by_role("button", name="Copy")).to_be_visible(timeout=ANSWER)
        expect(growing).to_contain_text("$160–220K")
        expect(growing.get_by_role("link", name="Source 1")).to_be_visible()
        expect(growing).to_contain_text("Model: 321 tokens read, 45 written, cost 0.0021")
        page.reload()
        expect(page.get_by_role("article").last).to_contain_text("Model: 321 tokens read, 45 written, cost 0.0021")
        expect(page.get_by_role("article").last).not_to_contain_text("Imported")
        assert KEY not in page.content()
    assert KEY not in (tmp_path / "stderr").read_text()


def test_a_failing_model_is_told_on_the_page_and_the_guides_answer(
    browser: Browser, tmp_path: Path, corpus: Path, index: Path
) -> None:
    """The key is refused: the reader is told so, and has the answer without the model, labelled as such."""
    script = Script()
    with (
        endpoint(script) as url,
        serving(
            tmp_path, corpus, index, ADVISOR_LLM_MODEL="status-401", OPENAI_BASE_URL=url, OPENAI_API_KEY=KEY
        ) as served,
        visiting(browser) as context,
    ):
        page = opened(context, served)
        ask(page, QUESTION)
        answer = page.get_by_role("article").last
        expect(answer).to_contain_text("refused the key (401)")
        expect(answer).to_contain_text("This answer was composed from the guides without the model.")
        expect(answer).to_contain_text("$160–220K")
        assert KEY not in page.content()
    assert KEY not in (tmp_path / "stderr").read_text()
    assert QUESTION not in (tmp_path / "stderr").read_text()
