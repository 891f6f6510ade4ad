"""Two app processes behind one port share one Chroma server, which dies under load and comes back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from advisor import Advisor, Settings, index
from tests.browsing import Served, serving
from tests.chroma_server import Chroma, free_port
from tests.conftest import PATIENCE, Setup
from tests.doorkeeper import copy, listening

pytestmark = pytest.mark.slow
QUESTIONS = (
    "what does a senior ML engineer earn remotely?",
    "do i need a phd?",
    "how many years to become a staff data scientist?",
    "entry pay for data scientists in US hubs",
    "is a certification worth the money?",
)
VISITORS = 4


class RoundRobin:
    """Passes each new connection on to the next of several ports."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.opened = 0

    async def open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side ends it."""
        port = self.ports[self.opened % len(self.ports)]
        self.opened += 1
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))


def asked(address: str, question: str) -> tuple[int, dict[str, Any]]:
    """Status and body of one question, on a connection of its own."""
    reply = httpx.post(f"{address}/api/ask", json={"question": question}, timeout=PATIENCE)
    return reply.status_code, reply.json()


class Visitors:
    """Some who ask one question after the other and note every reply."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.replies: list[tuple[str, int, dict[str, Any]]] = []
        self.failed: list[Exception] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(VISITORS)]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _ask(self, number: int) -> None:
        while not self._over.wait(0.05):
            question = QUESTIONS[number % len(QUESTIONS)]
            number += 1
            try:
                self.replies.append((question, *asked(self.address, question)))
            except (httpx.HTTPError, ValueError) as error:
                self.failed.append(error)

    def until(self, what: Callable[[list[tuple[str, int, dict[str, Any]]]], bool]) -> None:
        """Go on until the replies from now on are as wanted."""
        begun, end = len(self.replies), time.monotonic() + PATIENCE
        while not what(self.replies[begun:]):
            assert time.monotonic() < end, self.replies[-5:]
            time.sleep(0.05)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroma]:
    """The server that holds the index."""
    server = Chroma(tmp_path_factory.mktemp("chroma"), free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def machine(setup: Setup, shared: Chroma) -> Settings:
    """One replica's settings, the index made."""
    settings = setup(chroma_url=shared.address)
    index.ingest(settings)
    return settings


@contextmanager
def replica(settings: Settings, home: Path) -> Iterator[Served]:
    """An app process with a folder of its own, which holds only the graph."""
    own = home / "index"
    own.mkdir(parents=True)
    (own / "graphs").symlink_to((settings.index / "graphs").resolve())
    with serving(home, settings.corpus, own, ADVISOR_CHROMA_URL=settings.chroma_url) as served:
        yield served


def port(served: Served) -> int:
    """Where a replica listens."""
    return int(httpx.URL(served.address).port or 0)


def expected(settings: Settings) -> dict[str, str]:
    """What each question's answer says."""
    opened = Advisor.open(settings)
    return {question: opened.ask(question).text for question in QUESTIONS}


def test_a_server_killed_under_load_is_told_politely_and_recovered_from(
    machine: Settings, shared: Chroma, tmp_path: Path
) -> None:
    """Both replicas answer; while the server is dead every reply says so; afterwards all answer, and none was wrong."""
    right = expected(machine)
    with ExitStack() as stack:
        apps = [stack.enter_context(replica(machine, tmp_path / name)) for name in ("one", "two")]
        balancer = RoundRobin([port(app) for app in apps])
        one_port = stack.enter_context(listening(balancer.open))
        for app in apps:
            _ready(app)
        visitors = stack.enter_context(Visitors(f"http://127.0.0.1:{one_port}"))
        visitors.until(lambda replies: sum(status == 200 for _, status, _ in replies) >= 20)
        shared.kill()
        visitors.until(lambda replies: sum(status == 503 for _, status, _ in replies) >= 20)
        before = len(visitors.replies)
        shared.start()
        visitors.until(lambda replies: len(replies) > 2 * VISITORS and all(r[1] == 200 for r in replies[-20:]))
        visitors.until(lambda replies: sum(status == 200 for _, status, _ in replies) >= 20)
    assert visitors.failed == []
    assert {status for _, status, _ in visitors.replies} == {200, 503}
    for question, status, said in visitors.replies:
        if status == 200:
            assert said["text"] == right[question]
        else:
            assert "Search is unavailable at the moment." in said["error"]
            assert "127.0.0.1" not in said["error"]
    assert any(status == 200 for _, status, _ in visitors.replies[before:])
    assert balancer.opened > 60


def test_a_replica_that_starts_while_the_server_is_away_waits_for_it(
    machine: Settings, shared: Chroma, tmp_path: Path
) -> None:
    """It says that search is unavailable instead of failing for good, and answers as soon as the server is there."""
    right = expected(machine)
    shared.kill()
    try:
        with replica(machine, tmp_path / "early") as app:
            address = app.address.rstrip("/")
            status, said = _until(lambda: asked(address, QUESTIONS[0]), lambda r: "unavailable" in str(r[1]))
            assert status == 503
            assert said["error"].startswith("Search is unavailable at the moment.")
            shared.start()
            _ready(app)
            assert asked(address, QUESTIONS[0])[1]["text"] == right[QUESTIONS[0]]
    finally:
        if shared.process.poll() is not None:
            shared.start()


def _ready(app: Served) -> None:
    _until(lambda: httpx.get(f"{app.address}healthz", timeout=PATIENCE).json(), lambda said: said["status"] == "ready")


def _until(ask: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + PATIENCE
    while not enough(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found
