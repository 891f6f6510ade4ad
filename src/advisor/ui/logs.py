"""What the running page writes to stderr: JSON, one object a line, and nothing that a visitor typed unless allowed.

A line for each question (how long, how it ended), and one for whatever else a library or the page has to say. Of an
error that is not ours only its kind and its place are written: its message might quote what somebody typed.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from advisor.errors import AdvisorError, ModelError
from advisor.settings import Settings
from advisor.types import Answer

OURS = ("advisor", "uvicorn")
"""Loggers whose messages are written in full: nothing typed is in them."""
OFFLINE = "offline"
_FRAMES = 6

log = logging.getLogger("advisor.questions")


class JsonLines(logging.Formatter):
    """A record as one line of JSON; `words` lets messages through that may quote a visitor."""

    def __init__(self, words: bool) -> None:
        super().__init__()
        self._words = words

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        known = self._words or record.name.split(".")[0] in OURS
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "said": record.getMessage() if known else "" if record.exc_info else str(record.msg).partition("\n")[0],
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            entry |= failure(record.exc_info[1], self._words)
        return json.dumps(entry, ensure_ascii=False, default=str)


def failure(error: BaseException, words: bool = False) -> dict[str, Any]:
    """An error for the log: its class, where it happened, and its message when that is our own."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    found: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, ModelError):
        found["kind"] = error.kind
    if words or isinstance(error, AdvisorError):
        found["message"] = str(error)
    return found | {"where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def set_up(settings: Settings, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to stderr as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(settings.log_questions))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("advisor").setLevel(logging.INFO)
    logging.captureWarnings(True)
    traceback.print_exc = _logged  # Gradio prints an error with all that was sent straight to stderr


def _logged(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
    """What `traceback.print_exc` does, as a line of the log."""
    if file is None:
        logging.getLogger("advisor.ui").exception("An event of the page failed.")
    else:
        traceback.print_exception(*sys.exc_info(), limit=limit, file=file, chain=chain)


class Entry:
    """What came of one question, filled in while it is answered."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.stopped = False


class Journal:
    """Writes one line for each question."""

    def __init__(self, settings: Settings) -> None:
        self._words = settings.log_questions
        self._answerer = settings.llm_model or OFFLINE

    @contextmanager
    def question(self, asked: str, door: str, request: str) -> Iterator[Entry]:
        """Time the block and write its line; `door` is where the question came in, `request` the request's id."""
        entry, start = Entry(), time.perf_counter()
        try:
            yield entry
        except Exception as error:
            entry.error = error
            raise
        finally:
            self._write(entry, asked, door, request, time.perf_counter() - start)

    def _write(self, entry: Entry, asked: str, door: str, request: str, seconds: float) -> None:
        answer = entry.answer
        fields: dict[str, Any] = {
            "request": request,
            "door": door,
            "ms": round(seconds * 1000, 1),
            "declined": answer.declined if answer else None,
            "citations": len(answer.citations) if answer else None,
            "answerer": self._answerer,
            "notice": bool(answer and answer.notice),
            "stopped": entry.stopped or (answer is None and entry.error is None),
            "error": None,
        }
        if entry.error is not None:
            fields |= failure(entry.error, self._words)
        if self._words:
            fields["question"] = asked
        log.log(logging.ERROR if entry.error else logging.INFO, "question", extra={"fields": fields})
