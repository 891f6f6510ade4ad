"""The HTTP API for programs: `POST /api/ask`, described at `/api/openapi.json`. Knows nothing of Gradio."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic
from pydantic import BaseModel, Field

from advisor import __version__
from advisor.errors import AdvisorError
from advisor.settings import Settings
from advisor.types import Answer, Turn
from advisor.ui.answering import LONGEST_QUESTION
from advisor.ui.guard import BUSY, RETRY_AFTER, STATE
from advisor.ui.keeping import LONGEST_TEXT
from advisor.ui.loading import Loading, explain
from advisor.ui.logs import Journal

MOST_TURNS = 20
AT_ONCE = 4
"""Questions of programs that are answered at the same time; the page has places of its own."""


class EarlierTurn(BaseModel):
    """One earlier exchange of the conversation."""

    question: Annotated[str, Field(max_length=LONGEST_QUESTION)]
    answer: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""


class Asked(BaseModel):
    """A question, and what was said before it, oldest first."""

    question: Annotated[
        str, Field(min_length=1, max_length=LONGEST_QUESTION, examples=["senior ML engineer salary, remote"])
    ]
    turns: Annotated[list[EarlierTurn], Field(max_length=MOST_TURNS)] = []


class Problem(BaseModel):
    """Why there is no answer, and the id under which the log knows the request."""

    error: str
    request: str


class Busy(Exception):
    """More questions wait than may."""


@dataclass
class Turnstile:
    """Lets some in at once and some wait; whoever comes beyond that is turned away at once."""

    at_once: int
    waiting: int

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once)
        self._here = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for as long as the block.

        Raises:
            Busy: everyone who may wait is waiting already.
        """
        if self._here >= self.at_once + self.waiting:
            raise Busy
        self._here += 1
        try:
            async with self._places:
                yield
        finally:
            self._here -= 1


def programs(loading: Loading, settings: Settings, journal: Journal) -> FastAPI:
    """The API as an application of its own, to be mounted at /api."""
    told = {status: {"model": Problem, "description": why} for status, why in _REFUSALS.items()}
    api = FastAPI(
        title="Career Advisor",
        version=__version__,
        description="Career questions answered with citations from the advisor's guides.",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": f"{settings.root_path}/api"}],
        root_path_in_servers=False,
        dependencies=_key(settings),
    )
    turnstile = Turnstile(AT_ONCE, settings.queue)
    _explain_refusals(api)

    @api.post("/ask", responses=told, summary="Answer a question from the guides, with citations")
    async def ask(asked: Asked, request: Request) -> Answer:
        """Each `[n]` of the answer's Markdown is the citation with that number.

        A citation holds the exact words of the guide, its file, headings and lines. When nothing in the guides
        answers the question, `declined` is true.
        """
        if not asked.question.strip():
            raise HTTPException(422, "question: there is nothing in it but spaces.")
        if not loading.well:
            raise HTTPException(503, loading.problem or loading.progress + ".")
        turns = [Turn(turn.question, turn.answer) for turn in asked.turns]

        def answered() -> Answer:
            with journal.question(asked.question, "http", getattr(request.state, STATE)) as entry:
                entry.answer = loading.wait().ask(asked.question.strip(), turns)
                return entry.answer

        async with turnstile.place():
            return await run_in_threadpool(answered)

    return api


_REFUSALS: dict[int | str, str] = {
    400: "The body is not text in UTF-8, or nested beyond reason",
    401: "ADVISOR_AUTH is set, and the password is missing or wrong",
    413: "The request is too large",
    422: "The question or the turns cannot be read",
    503: "Too many questions are waiting, the guides are not read yet, or cannot be searched; see Retry-After",
}


def _key(settings: Settings) -> list[Any]:
    """The password of the page, asked for as HTTP Basic, where one is set."""
    if settings.auth is None:
        return []
    expected = settings.auth.get_secret_value().encode()

    def check(said: Annotated[bytes, Depends(_Basic(auto_error=False))]) -> None:
        if not secrets.compare_digest(said, expected):
            challenge = {"WWW-Authenticate": 'Basic realm="Career Advisor", charset="UTF-8"'}
            raise HTTPException(401, "User name and password are missing or wrong (HTTP Basic).", challenge)

    return [Depends(check)]


class _Basic(HTTPBasic):
    """HTTP Basic whose user names and passwords may be in any script; FastAPI's own takes only ASCII."""

    async def __call__(self, request: Request) -> bytes:  # type: ignore[override]
        """`user:password` as it was sent; empty when it was not."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            return base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            return b""


def _explain_refusals(api: FastAPI) -> None:
    """Every refusal has one shape and words that say what to do."""

    async def refused(request: Request, error: Exception) -> JSONResponse:
        headers = dict(getattr(error, "headers", None) or {})
        return _problem(request, getattr(error, "status_code", 500), str(getattr(error, "detail", error)), headers)

    async def unreadable(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        said = [f"{'.'.join(str(part) for part in e['loc'][1:]) or 'body'}: {e['msg']}" for e in error.errors()]
        return _problem(request, 422, "; ".join(said))

    async def busy(request: Request, error: Exception) -> JSONResponse:
        return _problem(request, 503, BUSY)

    async def unable(request: Request, error: Exception) -> JSONResponse:
        return _problem(request, 503, explain(error))

    for kind, handler in (
        (RequestValidationError, unreadable),
        (HTTPException, refused),
        (400, refused),
        (404, _unknown),
        (405, _unknown),
        (Busy, busy),
        (AdvisorError, unable),
    ):
        api.add_exception_handler(kind, handler)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 404)
    said = "There is POST /api/ask here, described at /api/openapi.json."
    return _problem(request, status, said, dict(getattr(error, "headers", None) or {}))


def _problem(request: Request, status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    later = {"Retry-After": str(RETRY_AFTER)} if status == 503 else {}
    said = {"error": error, "request": getattr(request.state, STATE)}
    return JSONResponse(said, status, {**later, **(headers or {})})
