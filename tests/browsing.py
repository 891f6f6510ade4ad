"""Fixtures of the page's tests: the real process, a small corpus, and a browser that may reach loopback only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("ADVISOR_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
START = 60
"""Seconds a process may take until it says where it listens; the first import on a busy machine is slow."""
PATIENCE = 20_000
"""Milliseconds that anything else may take there."""
MARK: Any = "mark"
"""A role that the browser knows and Playwright's types do not."""
ANSWER = 60_000
"""Milliseconds an answer may take on a busy machine."""

GUIDE = """---
title: Choosing between AI Engineer, ML Engineer and Data Scientist
as_of: 2025-12-27
region: United States
currency: USD
roles: [AI Engineer, ML Engineer, Data Scientist]
---

# Choosing between AI Engineer, ML Engineer and Data Scientist

## What each role does

An AI Engineer builds products on top of language models and connects them to other systems.
A Data Scientist studies **business data** and explains what it means to the people who decide.

### What an ML Engineer does all day

An ML Engineer's daily work:

- **Training:** training models on large data and tuning them
- **Serving:** bringing models into production and watching them drift

### Choose AI Engineer if

Choose AI Engineer if:

- You like to build products and see people use them
- You like software more than statistics
- You enjoy trying new tools every week

### Choose Data Scientist if

Choose Data Scientist if:

- You like asking questions and searching data for the answer
- You enjoy statistics
- You like to explain findings to people

## What each role pays

### Pay in US tech hubs

Salary by level in US tech hubs, in US dollars a year, as of December 2025:

| Role | Entry | Mid | Senior |
| --- | --- | --- | --- |
| AI Engineer | $130–160K | $160–220K | $220–280K |
| ML Engineer | $125–150K | $150–200K | $200–260K |
| Data Scientist | $100–130K | $130–170K | $170–220K |

### Remote pay

Salary by level for remote jobs, United States, in US dollars a year, as of December 2025:

| Role | Entry | Mid | Senior |
| --- | --- | --- | --- |
| AI Engineer | $100–130K | $130–180K | $180–240K |
| ML Engineer | $95–120K | $120–160K | $160–220K |
| Data Scientist | $85–110K | $110–150K | $150–200K |

## Questions people ask

### Do I need a PhD for AI engineering?

No, you do not need a PhD for AI engineering. Most AI Engineers hold a bachelor's degree or none at all.

### Is a certification worth the money?

A certification alone rarely gets anybody hired. A certification helps when an employer names it in the advertisement.

### Which portfolio project impresses an employer?

A portfolio project impresses an employer when real people use it. <img src=x onerror="window.owned = true">
![a picture](https://evil.example/picture.png) <script>window.owned = true</script>
"""


@dataclass
class Served:
    """The page's process, started as the README says."""

    home: Path
    corpus: Path
    index: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: str = "0"
    address: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> Served:
        """Start it and wait until it says where it listens."""
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--port", self.port],
            cwd=ROOT,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=(self.home / "stderr").open("a"),
        )
        lines: Queue[str] = Queue()
        threading.Thread(target=self._read, args=(self.process, lines), daemon=True).start()
        try:
            said = lines.get(timeout=START)
        except Empty:
            said = ""
        found = re.search(r"http://\S+:(\d+)/\S*", said)
        assert found, f"the page did not start: {said}{(self.home / 'stderr').read_text()}"
        self.address, self.port = found[0], found[1]
        return self

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if "http://" in line:
                lines.put(line)
        lines.put("")

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        guard = self.home / "guard"
        guard.mkdir(exist_ok=True)
        (guard / "sitecustomize.py").write_text(LOOPBACK_ONLY)
        return (
            kept
            | {
                "PYTHONPATH": f"{guard}{os.pathsep}{ROOT / 'src'}",
                "ADVISOR_TEST_CALLS": str(self.calls),
                "ADVISOR_CORPUS": str(self.corpus),
                "ADVISOR_INDEX": str(self.index),
                "ADVISOR_FEEDBACK": str(self.feedback),
            }
            | self.environment
        )

    @property
    def calls(self) -> Path:
        """Where the process writes every address beyond loopback that it tried to reach."""
        return self.home / "calls"

    @property
    def feedback(self) -> Path:
        """Where the process keeps feedback."""
        return self.home / "feedback.jsonl"

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


LOOPBACK_ONLY = """
import os, sys

def forbid(event, arguments):
    host = ""
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    elif event == "socket.getaddrinfo":
        host = (arguments[0] or b"").decode() if isinstance(arguments[0] or b"", bytes) else str(arguments[0])
    if host:
        if host not in ("127.0.0.1", "::1", "localhost", "0.0.0.0"):
            with open(os.environ["ADVISOR_TEST_CALLS"], "a") as calls:
                calls.write(host + "\\n")
            raise OSError("the network beyond loopback is forbidden in this test")

sys.addaudithook(forbid)
"""


@contextmanager
def serving(home: Path, corpus: Path, index: Path, **environment: str) -> Iterator[Served]:
    """A page that runs as long as the block; it must not have tried to reach anything beyond loopback."""
    served = Served(home, corpus, index, environment).start()
    try:
        yield served
    finally:
        served.kill()
    assert not served.calls.exists(), f"the page tried to reach {served.calls.read_text()}"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small guide, which also holds HTML that must not work."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "roles.md").write_text(GUIDE, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    """The index of that guide, made once for all processes."""
    folder = tmp_path_factory.mktemp("index")
    subprocess.run(
        [sys.executable, str(ROOT / "ingest.py")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
        env=os.environ | {"ADVISOR_CORPUS": str(corpus), "ADVISOR_INDEX": str(folder)},
    )
    return folder


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, corpus: Path, index: Path) -> Iterator[Served]:
    """The page on the small guide, offline."""
    with serving(tmp_path_factory.mktemp("served"), corpus, index) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A chromium of this machine, headless; without one the tests that need it are skipped."""
    if not CHROMIUM:
        pytest.skip("no chromium here: install it, or set ADVISOR_TEST_CHROMIUM to the path of one")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def visiting(browser: Browser, width: int = 1280, height: int = 900, dark: bool = False) -> Iterator[BrowserContext]:
    """A fresh visitor; whatever the page requests beyond loopback, or is refused by its own policy, fails the test."""
    outside: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True
    )
    context.set_default_timeout(ANSWER)
    context.on("request", lambda request: None if _inside(request.url) else outside.append(request.url))
    context.on(
        "console", lambda message: outside.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield context
    context.close()
    assert not outside, f"the page reached for {outside}"


def _inside(url: str) -> bool:
    return url.startswith(("http://127.0.0.1", "data:", "blob:"))


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh visitor on a desktop screen."""
    with visiting(browser) as context:
        yield context


@pytest.fixture
def page(visitor: BrowserContext, served: Served) -> Page:
    """The page, ready for questions."""
    return opened(visitor, served)


def opened(context: BrowserContext, served: Served) -> Page:
    """A new tab with the page, when the guides are read."""
    tab = context.new_page()
    tab.goto(served.address)
    expect(tab.get_by_text("passages ·")).to_be_visible(timeout=ANSWER)
    return tab


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the complete answer."""
    done = page.get_by_role("article").count()
    page.get_by_role("textbox", name="Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").nth(done).get_by_role("button", name="Copy")).to_be_visible(timeout=ANSWER)
