"""Visitors who come to the page's process as a browser does: Gradio's own HTTP, a tab held open, questions in turn.

Each visitor has a conversation of their own, and knows beforehand, from an advisor in this process, what every answer
in it must be; the page hands the whole conversation back with each answer, and all of it is compared.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from advisor import Advisor

PATIENCE = 60.0
"""Seconds a visitor waits for the next sign of life before it counts as an error."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a visitor asks, and what the answers must be."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]


def scripts(advisor: Advisor, most: int = 60) -> list[Script]:
    """Conversations about each role and level that the guides name; each one's answers are its own."""
    from advisor.types import Turn

    found: list[Script] = []
    roles, levels = advisor.roles[:4], tuple(advisor.vocabulary.levels)
    for number in range(most):
        role, level = roles[number % len(roles)], levels[number // len(roles) % len(levels)]
        other = roles[(number + 1) % len(roles)]
        asked = (
            f"what does a {level} {role} earn?",
            "and remote?",
            f"what about {other}?",
            f"how do I become a {role}?",
            "is a degree needed for that?",
        )
        turns: list[Turn] = []
        for question in asked:
            turns.append(Turn(question, advisor.ask(question, turns).text))
        found.append(Script(asked, tuple(turn.answer for turn in turns)))
    return list(dict.fromkeys(found))


@dataclass
class Seen:
    """What all visitors together saw."""

    seconds: list[float] = field(default_factory=list)
    """How long each answer took, from asking to complete."""
    arrivals: list[float] = field(default_factory=list)
    busy: int = 0
    """How often somebody was asked to come back later."""
    errors: list[str] = field(default_factory=list)
    conversations: set[str] = field(default_factory=set)

    def wrong(self, what: str) -> None:
        """Something that must not be."""
        self.errors.append(what[:300])


class Busy(Exception):
    """The page asked to come back later."""

    def __init__(self, after: float) -> None:
        self.after = after
        super().__init__(f"come back in {after} s")


class Door:
    """The page's HTTP, as its own script speaks it."""

    def __init__(self, address: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=300)
        self._client = httpx.AsyncClient(base_url=address, timeout=httpx.Timeout(PATIENCE), limits=limits)
        self._events: dict[str, int] = {}

    async def __aenter__(self) -> Door:
        config = (await self._client.get("config")).raise_for_status().json()
        ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        for event in config["dependencies"]:
            for target, name in event["targets"]:
                if name == "load":
                    self._events["load"] = event["id"]
                elif (target, name) == (ids["question"], "submit"):
                    self._events["ask"] = event["id"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[str]:
        """A tab of the page, held open as long as the block; its session."""
        session = secrets.token_hex(6)
        open_now = asyncio.Event()
        beating = asyncio.create_task(self._beat(session, open_now))
        try:
            await asyncio.wait_for(open_now.wait(), PATIENCE)
            yield session
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self, session: str, open_now: asyncio.Event) -> None:
        async with self._client.stream("GET", f"gradio_api/heartbeat/{session}") as beats:
            async for _ in beats.aiter_bytes():
                open_now.set()

    async def event(self, name: str, data: Sequence[Any], session: str) -> list[Any]:
        """Send one of the page's events and wait until it is complete; what came of it.

        Raises:
            Busy: the queue is full.
            RuntimeError: the event failed.
        """
        sent = {"data": list(data), "fn_index": self._events[name], "session_hash": session}
        joined = await self._client.post("gradio_api/queue/join", json=sent)
        if joined.status_code == 503:
            raise Busy(float(joined.headers["retry-after"]))
        joined.raise_for_status()
        done: list[Any] | None = None
        async with self._client.stream("GET", "gradio_api/queue/data", params={"session_hash": session}) as said:
            said.raise_for_status()
            async for line in said.aiter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise RuntimeError(f"{name} failed: {message['output']}")
                    done = message["output"]["data"]
                elif message["msg"] == "close_stream":
                    break
        if done is None:
            raise RuntimeError(f"{name} ended without an answer")
        return done


async def visit(door: Door, script: Script, think: tuple[float, float], seen: Seen, until: float, seed: int) -> None:
    """One whole conversation in one tab: arrive, ask in turn with pauses, leave."""
    chance = random.Random(seed)
    async with door.tab() as session:
        start = time.monotonic()
        await _patiently(door, "load", ["{}"], session, seen)
        seen.arrivals.append(time.monotonic() - start)
        names: set[str] = set()
        for number, question in enumerate(script.questions):
            await asyncio.sleep(chance.uniform(*think))
            if time.monotonic() > until:
                break
            start = time.monotonic()
            done = await _patiently(door, "ask", [question, None, None], session, seen)
            seen.seconds.append(time.monotonic() - start)
            if not isinstance(done[-1], str):
                raise RuntimeError(f"{question!r} was not answered: {done[2]}")
            kept = json.loads(done[-1]).get("keep", {})
            names.add(str(kept.get("id")))
            _compare(kept, script, number + 1, seen)
        if len(names) > 1 or names & seen.conversations:
            seen.wrong(f"a conversation has the names {names}, or shares one with another")
        seen.conversations |= names


async def _patiently(door: Door, name: str, data: Sequence[Any], session: str, seen: Seen) -> list[Any]:
    for _ in range(20):
        try:
            return await door.event(name, data, session)
        except Busy as busy:
            seen.busy += 1
            await asyncio.sleep(busy.after)
    raise RuntimeError(f"{name}: still busy after 20 tries")


def _compare(kept: dict[str, Any], script: Script, asked: int, seen: Seen) -> None:
    """The conversation as the page keeps it must be this visitor's, word for word, from the first question on."""
    mine = list(zip(script.questions[:asked], script.answers[:asked], strict=True))
    found = [(exchange["asked"], exchange["text"]) for exchange in kept.get("exchanges", [])]
    if found != mine:
        seen.wrong(f"after {mine[-1][0]!r} the conversation holds {found}, not {mine}")


async def visitors(door: Door, plan: Sequence[Script], count: int, think: tuple[float, float], seconds: float) -> Seen:
    """So many visitors at any time for so long; who has finished is followed by somebody new."""
    seen, until = Seen(), time.monotonic() + seconds

    async def chair(number: int) -> None:
        come = 0
        await asyncio.sleep(random.Random(number).uniform(0, min(think[1], seconds / 4)))
        while time.monotonic() < until and len(seen.errors) < 20:
            script = plan[(number + come * count) % len(plan)]
            try:
                await visit(door, script, think, seen, until, seed=number * 1000 + come)
            except (httpx.HTTPError, RuntimeError, KeyError, ValueError, TimeoutError) as error:
                seen.wrong(f"{type(error).__name__}: {error}")
            come += 1

    # Nobody waits for ever: whoever has not finished long after the end is an error.
    waiting = [asyncio.create_task(chair(number)) for number in range(count)]
    _, late = await asyncio.wait(waiting, timeout=seconds + 2 * PATIENCE)
    for task in late:
        task.cancel()
        seen.wrong("a visitor still waits long after the end")
    await asyncio.gather(*waiting, return_exceptions=True)
    return seen
