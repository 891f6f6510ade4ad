"""Stands before the whole application: request ids, sizes, content policy, polite words when the queue is full."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Gradio's own scripts need inline and eval; nothing may be fetched, framed, posted or shown from anywhere else.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'self'; "
    "form-action 'self'; object-src 'none'; base-uri 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
LARGEST_REQUEST = 4_000_000
"""Bytes of a request that are read at most; a stored conversation of the greatest length fits in."""
TOO_LARGE = f"A request has at most {LARGEST_REQUEST:,} bytes."
RETRY_AFTER = 5
"""Seconds after which a visitor who was turned away may come back; the queue has turned over by then."""
BUSY = "The advisor is busy: too many questions are waiting. Please try again in a few seconds."
BROKEN = "Something went wrong that should not have. The advisor's log knows more under the id of this request."
REQUEST_ID = "X-Request-ID"
STATE = "request_id"
"""Under which name handlers find the id in the request's state."""
_GOOD_ID = re.compile(rb"[\w.-]{1,64}")
log = logging.getLogger(__name__)
_QUEUES = re.compile(r"/(?:queue/join|call/[^/]+)/?$")


class TooLarge(Exception):
    """A request went on beyond the largest size."""


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"])
        request = _request_id(given.get(b"x-request-id", b""))
        scope.setdefault("state", {})[STATE] = request
        reply = _Reply(send, request, bool(_QUEUES.search(scope["path"])))
        length = given.get(b"content-length", b"0")
        if scope["path"].endswith("/upload"):
            await reply.say(404, "This page takes no files.")
        elif not length.isdigit() or int(length) > LARGEST_REQUEST:
            await reply.say(413, TOO_LARGE)
        else:
            await self._served(scope, receive, reply)

    async def _served(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_REQUEST:
                reply.instead = 413, TOO_LARGE  # whoever reads the body may turn any error into its own answer
                raise TooLarge
            return message

        try:
            await self._app(scope, counted, reply.send)
        except TooLarge:
            await reply.say(413, TOO_LARGE)
        except Exception:
            log.exception("A request failed.", extra={"fields": {"request": reply.request}})
            if not (await reply.say(500, BROKEN) or reply.instead):
                raise


class _Reply:
    """What goes back: our headers on everything, our words in place of a full queue's."""

    def __init__(self, send: Send, request: str, queue: bool) -> None:
        self._send = send
        self._headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        self._headers.append((REQUEST_ID.lower().encode(), request.encode()))
        self.request = request
        self._queue = queue
        self._begun = self._replaced = False
        self.instead: tuple[int, str] | None = None
        """What to say in place of whatever the application answers."""

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on."""
        if message["type"] == "http.response.start":
            if message["status"] == 503 and self._queue:
                self.instead = 503, BUSY
            elif message["status"] == 500:
                self.instead = 500, BROKEN
            if self.instead:
                self._replaced = True
                await self.say(*self.instead)
                return
            ours = {name for name, _ in self._headers}
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in ours]
            message = {**message, "headers": [*kept, *self._headers]}
            self._begun = True
        if not self._replaced:
            await self._send(message)

    async def say(self, status: int, error: str) -> bool:
        """A refusal as JSON; whether it could be sent, because no answer had begun."""
        if self._begun:
            return False
        self._begun = True
        # Gradio's clients look for `detail`
        body = json.dumps({"error": error, "detail": error, "request": self.request}).encode()
        own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if status == 503:
            own.append((b"retry-after", str(RETRY_AFTER).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": [*own, *self._headers]})
        await self._send({"type": "http.response.body", "body": body})
        return True


def _request_id(given: bytes) -> str:
    """The id that a proxy gave the request, where it is a plain one, else a new one."""
    return given.decode("ascii") if _GOOD_ID.fullmatch(given) else secrets.token_hex(8)
