"""One streaming request to an OpenAI-compatible endpoint: as an LCEL chain, bounded in time and length, and quiet.

Only `/chat/completions` is used, which every such endpoint has. Nothing here logs, and no tracing service is told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import httpx2
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from langsmith.run_helpers import tracing_context
from openai import DefaultHttpxClient
from pydantic import SecretStr

from advisor.errors import ModelError
from advisor.llm.faults import OPENAI
from advisor.settings import Settings

PATIENCE = 3
"""A whole answer may take so many times the timeout for one piece of it."""
LONGEST_WAIT = 5
"""Seconds of Retry-After that are waited for."""
_LETTERS_PER_TOKEN = 8
_CHATTY = ("openai", "httpx2", "httpcore2", "langchain_openai", "langchain_core", "langsmith")


@dataclass(slots=True)
class Reply:
    """What has come of the model's answer."""

    text: str = ""
    reason: str = ""
    """Why it ended, as the endpoint says: `stop`, `length`; empty while it has not."""
    usage: dict[str, float] = field(default_factory=dict)


class _Compatible(BaseChatOpenAI):
    """Endpoints other than OpenAI's own: they all know `max_tokens`, and some report what an answer cost."""

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        cost = (chunk.get("usage") or {}).get("cost")
        if made is not None and isinstance(cost, int | float):
            made.message.response_metadata["cost"] = float(cost)
        return made


class _Patient(httpx2.SyncByteStream):
    """A response body that ends in a timeout when it goes on for too long, whatever keeps it alive."""

    def __init__(self, stream: httpx2.SyncByteStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("The answer went on for too long.")
            yield piece

    def close(self) -> None:
        self._stream.close()


def chain(settings: Settings, prompt: ChatPromptTemplate, dropped: frozenset[str] = frozenset()) -> Runnable[Any, Any]:
    """Prompt and model as one runnable; `dropped` names options that the endpoint does not know."""
    model = _model(settings, dropped)
    _hush()
    return prompt | model


def _model(settings: Settings, dropped: frozenset[str]) -> BaseChatModel:
    key = settings.openai_api_key
    if key is None and not settings.openai_base_url:
        raise ModelError("authentication", "Set OPENAI_API_KEY, or OPENAI_BASE_URL to an endpoint of your own.")
    kind: type[BaseChatOpenAI] = _Compatible if settings.openai_base_url else ChatOpenAI
    if dropped & {"max_tokens", "max_completion_tokens"}:
        kind = ChatOpenAI if kind is _Compatible else _Compatible
    options: dict[str, Any] = {} if "temperature" in dropped else {"temperature": settings.llm_temperature}
    return kind(
        model=settings.llm_model,
        api_key=key or SecretStr("none"),
        base_url=settings.openai_base_url or OPENAI,
        timeout=settings.llm_timeout,
        max_retries=settings.llm_retries,
        max_tokens=settings.llm_max_tokens,
        stream_usage="stream_options" not in dropped,
        use_responses_api=False,
        http_client=_client(settings),
        **options,
    )


def _client(settings: Settings) -> httpx2.Client:
    def bounded(response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Patient(response.stream, time.monotonic() + PATIENCE * settings.llm_timeout)
        wait = response.headers.get("retry-after", "")
        if wait.replace(".", "", 1).isdigit() and float(wait) > LONGEST_WAIT:
            # Nobody waits a minute before a blank page; the error says how long the endpoint asks for.
            response.headers["x-should-retry"] = "false"

    return DefaultHttpxClient(timeout=settings.llm_timeout, event_hooks={"response": [bounded]})


def _hush() -> None:
    """These libraries log whole requests when debugging is on, and requests hold what a user wrote."""
    for name in [*_CHATTY, *(n for n in logging.root.manager.loggerDict if n.startswith(_CHATTY))]:
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.WARNING:
            logger.setLevel(logging.WARNING)


def stream(runnable: Runnable[Any, Any], inputs: dict[str, str], longest: int) -> Iterator[Reply]:
    """The reply as it grows, in one object; ends early when the endpoint goes on past `longest` tokens by far."""
    reply = Reply()
    # A context of its own: a tracing service named in the environment must not be told what users write.
    context, untraced = copy_context(), tracing_context(enabled=False)
    context.run(untraced.__enter__)
    chunks = context.run(runnable.stream, inputs)
    try:
        while (chunk := context.run(next, chunks, None)) is not None:
            _take(reply, chunk)
            if len(reply.text) > longest * _LETTERS_PER_TOKEN:
                reply.reason = "length"
                return
            yield reply
    finally:
        if hasattr(chunks, "close"):
            context.run(chunks.close)
        context.run(untraced.__exit__, None, None, None)


def _take(reply: Reply, chunk: AIMessageChunk) -> None:
    reply.text += chunk.text if isinstance(chunk.content, list) else str(chunk.content)
    reply.reason = chunk.response_metadata.get("finish_reason") or reply.reason
    if chunk.usage_metadata:
        reply.usage["input_tokens"] = float(chunk.usage_metadata["input_tokens"])
        reply.usage["output_tokens"] = float(chunk.usage_metadata["output_tokens"])
    if "cost" in chunk.response_metadata:
        reply.usage["cost"] = chunk.response_metadata["cost"]
