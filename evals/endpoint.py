"""A scripted OpenAI-compatible endpoint on loopback: real sockets, the real wire format, one behaviour per fault.

The name of the model chooses the behaviour; `says` makes a model that answers with a given text. Requests are kept, so
that a test can look at what was sent.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Scope = dict[str, Any]

KEY = "sk-test-4711-secret"
STATUSES = {f"status-{code}": code for code in (400, 401, 403, 404, 429, 500)}


@dataclass
class Request:
    """One request as the endpoint saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def material(self) -> str:
        """What the user message of the prompt said."""
        return str(self.body["messages"][-1]["content"])

    @property
    def rules(self) -> str:
        """What the system message of the prompt said."""
        return str(self.body["messages"][0]["content"])


@dataclass
class Script:
    """What the endpoint does, and what it was asked."""

    requests: list[Request] = field(default_factory=list)
    replies: dict[str, Callable[[Request], str]] = field(default_factory=dict)
    pause: float = 0.0
    """Seconds between two pieces of an answer."""
    held: threading.Event | None = None
    """Nothing after the first piece of an answer is sent before this is set."""
    sent: list[float] = field(default_factory=list)
    """When each piece was sent, on the monotonic clock."""
    began: list[float] = field(default_factory=list)
    """When the first piece of each answer was sent, on the same clock."""
    usage: dict[str, Any] = field(
        default_factory=lambda: {"prompt_tokens": 321, "completion_tokens": 45, "total_tokens": 366, "cost": 0.0021}
    )
    counts: bool = False
    """Whether tokens are counted (four characters each) instead of reported as `usage` says."""
    fits: int = 100_000
    """Characters that the context of the model `small` holds."""

    def says(self, reply: str | Callable[[Request], str], model: str = "scripted") -> str:
        """Make a model that replies so; its name."""
        self.replies[model] = reply if callable(reply) else lambda _: reply
        return model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as an ASGI application."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
        request = Request(scope["path"], headers, json.loads(body or b"{}"))
        self.requests.append(request)
        await self._answer(request, send)

    async def _answer(self, request: Request, send: Send) -> None:
        model = str(request.body.get("model"))
        if model in STATUSES:
            await _status(send, STATUSES[model], f"no {KEY} for this prompt: {request.material[:200]}")
        elif model == "busy-once" and len(self.requests) == 1:
            await _status(send, 429, "slow down", [(b"retry-after", b"0.1")])
        elif model == "busy":
            await _status(send, 429, "slow down", [(b"retry-after", b"37")])
        elif model == "html-502":
            await _raw(send, 502, b"<html>Bad gateway</html>", b"text/html")
        elif model == "no-options" and (option := next((o for o in _OPTIONS if o in request.body), "")):
            await _status(send, 400, f"Unsupported parameter: '{option}' is not supported with this model.")
        elif model == "small" and len(request.material) > self.fits:
            await _status(send, 400, "The maximum context length is 4096 tokens.", code="context_length_exceeded")
        elif model == "silent":
            await asyncio.sleep(30)
        else:
            await self._stream(model, request, send)

    async def _stream(self, model: str, request: Request, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        first = True
        async for frame in self._frames(model, request):
            self.sent.append(time.monotonic())
            self.began += self.sent[-1:] if first else []
            first = False
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _used(self, request: Request, text: str) -> dict[str, Any]:
        sent, said = (len(part) // 4 for part in (request.rules + request.material, text))
        return {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said}

    async def _frames(self, model: str, request: Request) -> AsyncIterator[bytes]:
        text = self.replies.get(model, self.replies.get("scripted", lambda _: "Fine."))(request)
        pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
        if model == "empty":
            pieces = []
        if model in _BREAKS:
            pieces = pieces[: max(1, len(pieces) // 2)]
        for number, piece in enumerate(pieces, 1):
            while self.held is not None and number > 1 and not self.held.is_set():
                await asyncio.sleep(0.01)
            yield _delta(piece)
            await asyncio.sleep(self.pause)
        async for frame in _ending(model):
            yield frame
        yield _frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "length" if model == "cut" else "stop"}]})
        if request.body.get("stream_options"):
            yield _frame({"choices": [], "usage": self._used(request, text) if self.counts else self.usage})
        yield b"data: [DONE]\n\n"


_OPTIONS = ("stream_options", "temperature", "max_tokens")
_BREAKS = ("breaks", "stalls", "malformed", "error-in-stream", "ends-early", "pings-forever")


async def _ending(model: str) -> AsyncIterator[bytes]:
    """What goes wrong after the first half of the answer."""
    if model == "breaks":
        raise ConnectionError("cut on purpose")
    if model == "stalls":
        await asyncio.sleep(30)
    if model == "malformed":
        yield b'data: {"choices": [{"delta": {"content": \n\n'
    if model == "error-in-stream":
        yield _frame({"error": {"message": f"the backend died, {KEY}", "type": "server_error", "code": 500}})
    while model == "endless":
        yield _delta("and on ")
        await asyncio.sleep(0)
    while model == "pings-forever":
        yield b": still there\n\n"
        await asyncio.sleep(0.05)
    if model == "ends-early":
        raise _Over


class _Over(Exception):
    """The stream ends here, politely and too early."""


def _delta(text: str) -> bytes:
    return _frame({"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]})


def _frame(data: dict[str, Any]) -> bytes:
    whole = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", **data}
    return f"data: {json.dumps(whole)}\n\n".encode()


async def _status(
    send: Send, status: int, message: str, headers: list[tuple[bytes, bytes]] | None = None, code: str | None = None
) -> None:
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code}}).encode()
    await _raw(send, status, body, b"application/json", headers)


async def _raw(
    send: Send, status: int, body: bytes, kind: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *(headers or [])]}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _Polite:
    """Turns a stream that ends too early into a complete HTTP response without its end mark."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.script(scope, receive, send)
        except _Over:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@contextmanager
def serving(script: Script, certificate: str | None = None) -> Iterator[str]:
    """The endpoint on a free loopback port while the block runs; its base URL.

    `certificate` is a PEM file with a key and its certificates: the endpoint then speaks TLS.
    """
    config = uvicorn.Config(
        _Polite(script),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        lifespan="off",
        ssl_certfile=certificate,
        ssl_keyfile=certificate,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=5)
