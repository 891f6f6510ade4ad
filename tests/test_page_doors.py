"""The page's other doors and its manners: API with a real client, reverse proxy under a sub-path, accessibility."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from gradio_client import Client
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.browsing import ANSWER, MARK, ROOT, Served, ask, opened, serving, visiting

pytest_plugins = ["tests.browsing"]
pytestmark = pytest.mark.browser
SENIOR_REMOTE = "what does a senior ML engineer earn remotely?"
AXE = ROOT / "tests" / "vendor" / "axe.min.js"


def test_api_has_one_door_and_it_reads_well(served: Served) -> None:
    """Only `ask` is public; its parameters are typed and described."""
    described = httpx.get(f"{served.address}gradio_api/info", timeout=30).json()
    assert list(described["named_endpoints"]) == ["/ask"]
    assert not described["unnamed_endpoints"]
    parameters = {p["parameter_name"]: p for p in described["named_endpoints"]["/ask"]["parameters"]}
    assert set(parameters) == {"question", "earlier_questions"}
    assert parameters["earlier_questions"]["parameter_has_default"]


def test_api_gives_the_same_cited_answer(served: Served) -> None:
    """A real client gets text, citations with cell and line, and follow-ups understood through earlier questions."""
    client = Client(served.address, verbose=False)
    answer: dict[str, Any] = client.predict(question=SENIOR_REMOTE, api_name="/ask")
    assert "$160–220K" in answer["text"]
    assert answer["citations"][0]["cell"] == {"row": "ML Engineer", "column": "Senior"}
    assert answer["citations"][0]["source"] == "roles.md"
    assert answer["citations"][0]["line"] > 0
    following = client.predict(question="and AI Engineer?", earlier_questions=[SENIOR_REMOTE], api_name="/ask")
    assert "$180–240K" in following["text"]
    assert following["question"] != "and AI Engineer?"


def test_api_names_its_limit(served: Served) -> None:
    """A question beyond the limit is refused with the limit in the message."""
    client = Client(served.address, verbose=False)
    with pytest.raises(Exception, match="2,000"):
        client.predict(question="x" * 2001, api_name="/ask")


@pytest.mark.skipif(find_spec("mcp") is None, reason="the optional package mcp is not installed")
def test_mcp_gives_the_same_cited_answer(served: Served) -> None:
    """Where the MCP package is installed, a real client finds one tool, `ask`, and gets the cited answer from it."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk() -> tuple[list[str], str, str]:
        async with (
            streamablehttp_client(f"{served.address}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            answer = await session.call_tool("ask", {"question": SENIOR_REMOTE})
            return [tool.name for tool in tools], str(tools[0].description), str(answer.content)

    with ThreadPoolExecutor(1) as apart:  # a browser test before this one may have left its loop running here
        names, description, answer = apart.submit(asyncio.run, talk()).result()
    assert names == ["ask"]
    assert "with citations" in description
    assert "$160–220K" in answer


@contextmanager
def proxied(target: str, prefix: str) -> Iterator[str]:
    """A reverse proxy that serves `target` below `prefix`; its address."""
    client = httpx.AsyncClient(base_url=target, timeout=60)

    async def forward(request: Request) -> Response:
        path = request.url.path.removeprefix(prefix) or "/"
        forwarded = {"x-forwarded-host": request.url.netloc, "x-forwarded-proto": "http"}
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "accept-encoding")}
        sent = client.build_request(
            request.method, path, params=request.query_params, headers=headers | forwarded, content=await request.body()
        )
        answer = await client.send(sent, stream=True)

        async def body() -> AsyncIterator[bytes]:
            async for piece in answer.aiter_raw():
                yield piece

        kept = {
            name: value for name, value in answer.headers.items() if name not in ("content-length", "transfer-encoding")
        }
        return StreamingResponse(body(), answer.status_code, kept)

    app = Starlette(routes=[Route(prefix + "/{rest:path}", forward, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    started = threading.Event()
    server.startup = _signalling(server.startup, started)  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{prefix}/"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)


def _signalling(startup: Any, started: threading.Event) -> Any:
    async def run(*given: Any, **named: Any) -> None:
        await startup(*given, **named)
        started.set()

    return run


def test_works_below_a_sub_path_of_a_reverse_proxy(
    browser: Browser,
    tmp_path: Path,
    corpus: Path,
    index: Path,
) -> None:
    """With ADVISOR_ROOT_PATH the page answers behind a proxy that strips the prefix."""
    with (
        serving(tmp_path, corpus, index, ADVISOR_ROOT_PATH="/advisor") as running,
        proxied(f"http://127.0.0.1:{running.port}", "/advisor") as address,
        visiting(browser) as context,
    ):
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_text("passages ·")).to_be_visible(timeout=ANSWER)
        ask(page, SENIOR_REMOTE)
        expect(page.get_by_role("article", name="Question 1")).to_contain_text("$160–220K")


def faults(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands, by the rules of WCAG 2.2 A and AA."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [f"{fault['id']}: {node['html'][:160]}" for fault in found["violations"] for node in fault["nodes"]]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_axe_finds_no_faults(browser: Browser, served: Served, width: int, dark: bool) -> None:
    """Welcome, answer, guide, feedback form, tools and the list of conversations are free of faults, light and dark."""
    with visiting(browser, width, 844, dark) as context:
        page = opened(context, served)
        assert faults(page) == []
        ask(page, SENIOR_REMOTE)
        page.get_by_role("button", name="Bad answer").click()
        expect(page.get_by_role("button", name="Send")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("article").get_by_role("link", name="Source 1").first.click()
        expect(page.get_by_role(MARK).filter(has_text="$160–220K").last).to_be_visible()
        assert faults(page) == []
        page.keyboard.press("Escape")
        for tab in ("Compare", "Which role fits me?"):
            page.get_by_role("tab", name=tab).click()
            assert faults(page) == []
        page.get_by_role("button", name="Conversations").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert faults(page) == []


def test_whole_errand_by_keyboard(served: Served, browser: Browser) -> None:
    """From the top of the page, Tab and Enter alone reach a starter, the source of its answer, and the way back."""
    with visiting(browser) as context:
        page = opened(context, served)
        starter = page.get_by_role("list", name="Questions to start with").get_by_role("button").first
        page.get_by_role("button", name="New").focus()
        _tab_to(page, "[data-action='ask']")
        expect(starter).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Copy")).to_be_visible(timeout=ANSWER)
        page.get_by_role("button", name="New").focus()
        _tab_to(page, ".answer a.cite")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="← Back")).to_be_visible()
        _tab_to(page, "[data-action='sources']")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Cited in this answer")).to_be_visible()


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")
