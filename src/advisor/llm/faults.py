"""How an endpoint fails, in words for the reader: what happened, and what to do. Never a key, a header or a prompt."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import openai

from advisor.errors import ModelError
from advisor.settings import Settings

OPENAI = "https://api.openai.com/v1"
TIMES = 3
"""So many failures of one kind in a row, and the endpoint is left alone for a while."""
REST = 60.0
"""Seconds for which it is left alone."""

_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|(?:prompt|input) is too long"
    r"|exceeds? the (?:available|model)",
    re.IGNORECASE,
)


class ContextTooLong(Exception):
    """The passages do not fit the model's context."""


class Rejected(Exception):
    """The endpoint does not know one of the options sent; holds its name."""


def host(settings: Settings) -> str:
    """The endpoint by its host and port, without user, password or path."""
    address = urlsplit(settings.openai_base_url or OPENAI)
    name = address.hostname or ""
    return f"{name}:{address.port}" if address.port else name


def explained(error: Exception, settings: Settings) -> Exception:
    """The error in this package's words.

    Returns:
        A `ModelError`, or `ContextTooLong` or `Rejected` where asking again otherwise may help.
    """
    if isinstance(error, ModelError | ContextTooLong | Rejected):
        return error
    if isinstance(error, openai.APIStatusError):
        return _by_status(error, settings)
    if isinstance(error, openai.APITimeoutError):
        return ModelError(
            "timeout",
            f"The model endpoint {host(settings)} sent nothing for {settings.llm_timeout:g} s. "
            "Try again, or raise ADVISOR_LLM_TIMEOUT.",
        )
    if isinstance(error, openai.APIConnectionError):
        return _unreached(error, settings)
    if isinstance(error, openai.APIError):
        return _in_stream(error, settings)
    if isinstance(error, ValueError | TypeError | KeyError | AttributeError | IndexError):
        return ModelError("malformed", f"The model endpoint {host(settings)} sent something that is no answer.")
    return ModelError("failed", f"The model endpoint {host(settings)} failed ({type(error).__name__}).")


def _in_stream(error: openai.APIError, settings: Settings) -> Exception:
    if _TOO_LONG.search(str(error.message)):
        return ContextTooLong()
    return ModelError("server", f"The model endpoint {host(settings)} reported an error in the middle of its answer.")


def _by_status(error: openai.APIStatusError, settings: Settings) -> Exception:
    code, said = error.status_code, f"{error.message}"
    where, model = host(settings), settings.llm_model
    if code in (400, 413, 422, 500) and _TOO_LONG.search(said):
        return ContextTooLong()
    if code in (400, 422) and (option := _option(said)):
        return Rejected(option)
    said_of = {
        429: ("busy", f"The model endpoint {where} is busy or out of quota (429).{_wait(error)}"),
        401: ("authentication", f"The model endpoint {where} refused the key (401). Check OPENAI_API_KEY."),
        403: ("forbidden", f"The model endpoint {where} does not allow this (403). Check what the key may use."),
        404: (
            "model",
            f"The model endpoint {where} does not know {model!r} (404). Check ADVISOR_LLM_MODEL and OPENAI_BASE_URL.",
        ),
    }
    if code in said_of:
        return ModelError(*said_of[code])
    server = ("server", f"The model endpoint {where} has a fault of its own ({code}). Try again later.")
    rejected = ("rejected", f"The model endpoint {where} did not accept the request ({code}).")
    return ModelError(*(server if code >= 500 else rejected))


def _option(said: str) -> str:
    options = ("stream_options", "max_completion_tokens", "max_tokens", "temperature")
    return next((option for option in options if option in said), "")


def _wait(error: openai.APIStatusError) -> str:
    """What Retry-After says, where it gives a number of seconds."""
    seconds = error.response.headers.get("retry-after", "")
    return f" It asks to wait {seconds} s." if re.fullmatch(r"\d{1,5}(?:\.\d+)?", seconds) else " Try again later."


def _unreached(error: openai.APIConnectionError, settings: Settings) -> ModelError:
    where, causes = host(settings), list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes) or _said(causes, "name or service", "getaddrinfo"):
        return ModelError("dns", f"There is no host named {where}. Check OPENAI_BASE_URL.")
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or _said(causes, "certificate", "ssl", "tls"):
        return ModelError("tls", f"No secure connection to {where}. Check https in OPENAI_BASE_URL, or SSL_CERT_FILE.")
    return ModelError("unreachable", f"The model endpoint {where} cannot be reached. Is it running?")


def _said(causes: list[BaseException], *words: str) -> bool:
    return any(word in str(cause).lower() for cause in causes for word in words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


class Breaker:
    """Stops asking an endpoint that failed in the same way three times in a row, for a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kind = ""
        self._times = 0
        self._until = 0.0

    def check(self) -> None:
        """Raise the fault again, unasked, while the endpoint is left alone.

        Raises:
            ModelError: kind `resting`.
        """
        with self._lock:
            left = self._until - self._clock()
            if left > 0:
                raise ModelError(
                    "resting",
                    f"The model failed {self._times} times in a row ({self._kind}); it is asked again in {left:.0f} s.",
                )

    def failed(self, kind: str) -> None:
        """Count a failure."""
        with self._lock:
            self._times = self._times + 1 if kind == self._kind else 1
            self._kind = kind
            if self._times >= TIMES:
                self._until = self._clock() + REST

    def worked(self) -> None:
        """Forget the failures."""
        with self._lock:
            self._kind, self._times, self._until = "", 0, 0.0
