"""What the running page writes: JSON lines with ids, and neither what a visitor typed nor a key, unless allowed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client

from advisor import Answer, Settings
from advisor.errors import IndexUnusable, ModelError
from advisor.ui import feedback, logs
from advisor.ui.keeping import Exchange
from evals import endpoint
from tests.browsing import Served, serving
from tests.conftest import PATIENCE
from tests.test_api import ask, ready

pytest_plugins = ["tests.browsing"]
slow = pytest.mark.slow
CANARY = "xylophonic-zeppelin-4711"
PASSWORD = "horse-battery-9f8e7d6c"
QUESTION = f"what does a senior ML engineer earn remotely, asks {CANARY}?"


def lines(served: Served) -> list[dict[str, Any]]:
    """Everything the process wrote to stderr; each line must be a JSON object."""
    return [json.loads(line) for line in (served.home / "stderr").read_text().splitlines()]


def questions(served: Served, count: int) -> list[dict[str, Any]]:
    """The lines of answered questions, when there are that many."""
    for _ in range(PATIENCE * 10):
        found = [line for line in lines(served) if line["logger"] == "advisor.questions"]
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{len(found)} questions are logged, not {count}")


def written(served: Served, besides: Path) -> str:
    """Whatever the process wrote anywhere: stderr, and files beside its index and its feedback."""
    files = [path for root in (served.home, besides) for path in root.rglob("*") if path.is_file()]
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@contextmanager
def door(served: Served) -> Iterator[httpx.Client]:
    """A client of a process that is ready."""
    with httpx.Client(base_url=served.address, timeout=60) as client:
        ready(client)
        yield client


def through_every_door(served: Served, client: httpx.Client) -> httpx.Response:
    """The canary asked over HTTP and Gradio's API, and sent in ways that are refused; the first response."""
    found = ask(client, QUESTION)
    assert found.status_code == 200
    gradio = Client(served.address, verbose=False)
    assert gradio.predict(question=QUESTION, api_name="/ask")["text"]
    with pytest.raises(Exception, match="2,000"):
        gradio.predict(question=CANARY * 200, api_name="/ask")
    client.post("api/ask", json={"question": [CANARY]})
    client.post("api/ask", content=CANARY)
    client.get(f"api/{CANARY}?{CANARY}")
    forged = client.post("gradio_api/queue/join", json={"data": [CANARY], "fn_index": 9999, "session_hash": CANARY})
    assert forged.json()["request"] == forged.headers["x-request-id"]
    client.post("gradio_api/run/predict", json={"data": [CANARY], "fn_index": 2, "event_data": CANARY})
    return found


@slow
def test_nothing_typed_is_logged(tmp_path: Path, corpus: Path, index: Path) -> None:
    """A canary sent through every door, well or badly, stands in no line and no file; ids and figures do."""
    with serving(tmp_path, corpus, index) as served, door(served) as client:
        answered = through_every_door(served, client)
        found = questions(served, 2)
        assert CANARY not in written(served, index)
    line = next(line for line in found if line["request"] == answered.headers["x-request-id"])
    assert line["door"] == "http"
    assert line["ms"] > 0
    assert (line["answerer"], line["error"], line["stopped"]) == ("offline", None, False)
    assert line["declined"] == answered.json()["declined"]
    assert line["citations"] == len(answered.json()["citations"])
    assert "question" not in line
    assert {line["door"] for line in found} == {"http", "gradio"}
    assert len({line["request"] for line in found}) == len(found) == 2


@slow
def test_questions_are_logged_when_allowed(tmp_path: Path, corpus: Path, index: Path) -> None:
    """With ADVISOR_LOG_QUESTIONS=1 the same line holds the question."""
    with serving(tmp_path, corpus, index, ADVISOR_LOG_QUESTIONS="1") as served, door(served) as client:
        ask(client, QUESTION)
        assert questions(served, 1)[0]["question"] == QUESTION


@slow
def test_a_failure_is_logged_and_told_with_its_id(tmp_path: Path, corpus: Path, index: Path) -> None:
    """When the index breaks under the page, the visitor is told an id, and the log's line of that id says why."""
    broken = tmp_path / "index"
    shutil.copytree(index, broken)
    with serving(tmp_path, corpus, broken) as served, door(served) as client:
        manifest = broken / "versions" / (broken / "current").read_text() / "manifest.json"
        (broken / "versions" / "torn").mkdir()
        shutil.copy(manifest, broken / "versions" / "torn")
        (broken / "current").write_text("torn")
        found = ask(client, QUESTION)
        line = questions(served, 1)[0]
        assert found.status_code == 503
        assert found.json()["request"] == found.headers["x-request-id"] == line["request"]
        assert line["level"] == "error"
        assert line["error"] == "IndexUnusable"
        assert line["message"] in found.json()["error"]
        assert any("/index/" in place for place in line["where"])
        gradio = Client(served.address, verbose=False)
        with pytest.raises(Exception, match=r"\(Request [0-9a-f]{16}\.\)") as told:
            gradio.predict(question=QUESTION, api_name="/ask")
        assert questions(served, 2)[1]["request"] in str(told.value)
        assert CANARY not in written(served, broken)


@slow
def test_keys_and_passwords_are_never_printed(tmp_path: Path, corpus: Path, index: Path) -> None:
    """A key that an endpoint quotes as it refuses it, and the page's password, stand in no line, file or answer."""
    with (
        endpoint.serving(endpoint.Script()) as url,
        serving(
            tmp_path,
            corpus,
            index,
            ADVISOR_LLM_MODEL="status-401",
            OPENAI_BASE_URL=url,
            OPENAI_API_KEY=endpoint.KEY,
            ADVISOR_AUTH=f"ada:{PASSWORD}",
            ADVISOR_LOG_QUESTIONS="1",
        ) as served,
        door(served) as client,
    ):
        client.auth = httpx.BasicAuth("ada", PASSWORD)
        found = ask(client, "what does an AI Engineer do?")
        assert found.status_code == 200
        assert found.json()["notice"]
        line = questions(served, 1)[0]
        assert line["notice"] is True
        everything = found.text + written(served, index)
        assert endpoint.KEY not in everything
        assert PASSWORD not in everything


def formatted(words: bool, name: str, *said: object, **given: Any) -> dict[str, Any]:
    """One record as the formatter writes it."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines(words))
    logger = logging.Logger(name)
    logger.addHandler(handler)
    logger.error(*said, **given)
    read: dict[str, Any] = json.loads(stream.getvalue())
    return read


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError(f"cannot parse {CANARY}"), None),
        (ModelError("timeout", "The model did not answer."), "The model did not answer."),
        (IndexUnusable("The index is damaged."), "The index is damaged."),
    ],
)
def test_messages_of_strangers_are_left_out(error: Exception, message: str | None) -> None:
    """An error that is not ours is logged by class and place; ours by their words too; all of it when allowed."""
    try:
        raise error
    except type(error):
        line = formatted(False, "uvicorn.error", "Exception in ASGI application", exc_info=True)
        full = formatted(True, "uvicorn.error", "Exception in ASGI application", exc_info=True)
    assert line["error"] == type(error).__name__
    assert line.get("message") == message
    assert full["message"] == str(error)
    assert "test_logs.py" in line["where"][-1]


def test_a_library_s_words_are_logged_without_what_fills_them() -> None:
    """Of a foreign logger only the words in its code are written, of uvicorn and our own the whole message."""
    assert formatted(False, "httpx", "asked for %s", CANARY)["said"] == "asked for %s"
    assert formatted(True, "httpx", "asked for %s", CANARY)["said"] == f"asked for {CANARY}"
    assert formatted(False, "uvicorn.error", "listening on %s", "8000")["said"] == "listening on 8000"


def test_line_breaks_cannot_forge_a_line() -> None:
    """Whatever is logged, it stays one line."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines(True))
    handler.handle(logging.makeLogRecord({"msg": 'one\n{"level": "info"}\r\u2028two', "name": "advisor"}))
    assert len(stream.getvalue().splitlines()) <= 2
    assert stream.getvalue().count("\n") == 1


def test_feedback_is_only_its_owner_s_to_read(tmp_path: Path) -> None:
    """The file of thumbs is made with mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        feedback.keep(tmp_path / "feedback.jsonl", "up", Exchange("asked", Answer("asked", "said")), (), "f")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "feedback.jsonl").stat().st_mode) == 0o600


def test_the_journal_times_what_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A question that ends in an error is one line with the error, and the error goes on to whoever asked."""
    journal = logs.Journal(Settings.read())
    with caplog.at_level(logging.INFO, "advisor.questions"):
        with pytest.raises(ValueError, match="broken"), journal.question(CANARY, "http", "id-1"):
            raise ValueError("broken")
        with journal.question(CANARY, "page", "id-2"):
            pass
    fields = [record.__dict__["fields"] for record in caplog.records]
    assert [(f["request"], f["error"], f["stopped"]) for f in fields] == [
        ("id-1", "ValueError", False),
        ("id-2", None, True),
    ]
    assert CANARY not in json.dumps(fields)
