"""The HTTP API as programs meet it: the same answer as everywhere, readable refusals, a password, ids, sizes."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from advisor import Advisor, Answer, Settings
from tests.browsing import Served, serving
from tests.conftest import PATIENCE

pytest_plugins = ["tests.browsing"]
pytestmark = pytest.mark.slow
SENIOR_REMOTE = "what does a senior ML engineer earn remotely?"
ID = re.compile(r"[0-9a-f]{16}")


@pytest.fixture(scope="module")
def api(served: Served) -> Iterator[httpx.Client]:
    """A client of the running API, when the guides are read."""
    with httpx.Client(base_url=served.address, timeout=60) as client:
        ready(client)
        yield client


def ready(client: httpx.Client, status: str = "ready") -> None:
    """Wait until the guides are read, or have turned out to be unreadable."""
    for _ in range(PATIENCE * 10):
        if client.get("healthz").json()["status"] == status:
            return
        time.sleep(0.1)
    raise AssertionError(f"the page is not {status}")


def ask(client: httpx.Client, question: str, **more: Any) -> httpx.Response:
    """Ask over plain HTTP."""
    return client.post("api/ask", json={"question": question, **more})


def test_the_answer_is_the_package_s_own(api: httpx.Client, corpus: Path, index: Path) -> None:
    """What comes over HTTP is the whole Answer, field by field what `python -m advisor --json` prints."""
    here = Advisor.open(Settings.read(corpus=corpus, index=index))
    for question in (SENIOR_REMOTE, "do i need a phd?", "who won the cup in 1998?"):
        expected = json.loads(json.dumps(dataclasses.asdict(here.ask(question))))
        found = ask(api, question)
        assert found.status_code == 200
        assert found.json() == expected


def test_a_follow_up_is_understood(api: httpx.Client) -> None:
    """Turns make “and AI Engineer?” a question, and the answer says how it was understood."""
    first = ask(api, SENIOR_REMOTE).json()
    turn = {"question": SENIOR_REMOTE, "answer": first["text"]}
    found = ask(api, "and AI Engineer?", turns=[turn]).json()
    assert "$180–240K" in found["text"]
    assert found["question"] != "and AI Engineer?"
    assert ask(api, "and AI Engineer?", turns=[{"question": SENIOR_REMOTE}]).json()["text"] == found["text"]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"question": ""}, 422, "question: String should have at least 1 character"),
        ({"question": "   \n"}, 422, "question: there is nothing in it but spaces."),
        ({"question": "x" * 2001}, 422, "question: String should have at most 2000 characters"),
        ({"question": 5}, 422, "question: Input should be a valid string"),
        ({}, 422, "question: Field required"),
        ([], 422, "body: Input should be a valid dictionary"),
        ({"question": "and?", "turns": [{"answer": "x"}]}, 422, "turns.0.question: Field required"),
        ({"question": "and?", "turns": [{"question": "x", "answer": "x" * 20_001}]}, 422, "turns.0.answer: String"),
        ({"question": "and?", "turns": [{"question": "x"}] * 21}, 422, "turns: List should have at most 20 items"),
    ],
)
def test_refusals_say_which_part_is_wrong(api: httpx.Client, sent: object, status: int, said: str) -> None:
    """A request that cannot be answered is named by its part, with an id, and never repeats what was sent."""
    found = api.post("api/ask", json=sent)
    assert found.status_code == status
    assert said in found.json()["error"]
    assert found.json()["request"] == found.headers["x-request-id"]
    assert "xxxx" not in found.text


def test_what_is_no_json_is_refused(api: httpx.Client) -> None:
    """Broken JSON, another kind of content, half a character: 422 in the same shape."""
    for content, kind in (
        (b"{", "application/json"),
        (b'{"question": "hello"}', "text/plain"),
        (b'{"question": "\\ud800"}', "application/json"),
        (b'{"question": "\xff"}', "application/json"),
        (b"[" * 100_000, "application/json"),
    ):
        found = api.post("api/ask", content=content, headers={"content-type": kind})
        assert found.status_code in (400, 422), content[:20]
        assert found.json()["error"]


def test_other_paths_say_where_the_door_is(api: httpx.Client) -> None:
    """A wrong path or method is told what there is; nothing below /api falls through to the page."""
    assert api.get("api/nothing").status_code == 404
    wrong = api.get("api/ask")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    for found in (api.get("api/nothing"), wrong):
        assert "POST /api/ask" in found.json()["error"]


def test_the_api_describes_itself(api: httpx.Client) -> None:
    """The OpenAPI document names the endpoint, the answer's fields and every refusal."""
    described = api.get("api/openapi.json").json()
    assert list(described["paths"]) == ["/ask"]
    assert described["servers"] == [{"url": "/api"}]
    fields = {field.name for field in dataclasses.fields(Answer)}
    assert set(described["components"]["schemas"]["Answer"]["properties"]) == fields
    assert {"200", "401", "413", "422", "503"} <= set(described["paths"]["/ask"]["post"]["responses"])


def test_schemathesis_finds_nothing(served: Served, api: httpx.Client, tmp_path: Path) -> None:
    """Requests made up from the OpenAPI document, good and bad: no failure of ours, every response as described."""
    program = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"
    options = ["--max-time", "20", "--generation-deterministic", "--no-color", "--wait-for-schema", "10"]
    done = subprocess.run(
        [sys.executable, "-c", program, "run", f"{served.address}api/openapi.json", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * 2,
    )
    assert done.returncode == 0, done.stdout
    generated = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert generated, done.stdout
    assert int(generated[1]) == int(generated[2]) > 50


def test_requests_have_ids(api: httpx.Client) -> None:
    """Every response carries an id; a proxy's own plain one is kept, anything else is replaced."""
    assert ID.fullmatch(api.get("healthz").headers["x-request-id"])
    assert api.get("healthz", headers={"X-Request-ID": "edge-7.a"}).headers["x-request-id"] == "edge-7.a"
    for forged in ("x" * 65, 'a"b', "a b", "a\tb"):
        assert ID.fullmatch(api.get("healthz", headers={"X-Request-ID": forged}).headers["x-request-id"])


def test_sizes_are_limited_also_without_a_length(api: httpx.Client) -> None:
    """Five megabytes are refused by their announced length, and where none is announced while they come in."""
    assert api.post("api/ask", content=b" " * 5_000_000).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 65_536

    for path in ("api/ask", "gradio_api/queue/join"):
        found = api.post(path, content=pieces(), headers={"content-type": "application/json"})
        assert found.status_code == 413
        assert "4,000,000 bytes" in found.json()["error"]


def test_the_password_of_the_page_guards_the_api(tmp_path: Path, corpus: Path, index: Path) -> None:
    """With ADVISOR_AUTH, HTTP Basic opens the API; without it, or with another, 401 and how to come in."""
    with (
        serving(tmp_path, corpus, index, ADVISOR_AUTH="ada:correct hörse") as closed,
        httpx.Client(base_url=closed.address, timeout=60) as client,
    ):
        ready(client)
        for auth in (None, ("ada", "wrong"), ("", "")):
            found = client.post("api/ask", json={"question": SENIOR_REMOTE}, auth=auth)
            assert found.status_code == 401
            assert found.headers["www-authenticate"].startswith("Basic")
            assert "HTTP Basic" in found.json()["error"]
        bad = client.post("api/ask", json={"question": "x"}, headers={"Authorization": "Basic %%%"})
        assert bad.status_code == 401
        client.auth = httpx.BasicAuth("ada", "correct hörse")
        assert "$160–220K" in ask(client, SENIOR_REMOTE).json()["text"]
        assert "hörse" not in (closed.home / "stderr").read_text()


def test_guides_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """Where the advisor cannot open, the API says why with 503; it does not keep anyone waiting."""
    with (
        serving(tmp_path, tmp_path / "nowhere", tmp_path / "index") as broken,
        httpx.Client(base_url=broken.address, timeout=60) as client,
    ):
        ready(client, "failed")
        found = ask(client, SENIOR_REMOTE)
        assert found.status_code == 503
        assert "nowhere" in found.json()["error"]
        assert int(found.headers["retry-after"]) > 0


def test_beyond_the_queue_programs_are_asked_to_come_back(tmp_path: Path, corpus: Path, index: Path) -> None:
    """Of sixty questions at once some are turned away in words with Retry-After; the rest are answered, none fails."""
    questions = [f"what does a senior ML engineer earn remotely in {year}?" for year in range(1960, 2020)]
    with (
        serving(tmp_path, corpus, index, ADVISOR_QUEUE="3") as narrow,
        httpx.Client(base_url=narrow.address, timeout=60, limits=httpx.Limits(max_connections=None)) as client,
        ThreadPoolExecutor(60) as threads,
    ):
        ready(client)
        found = list(threads.map(lambda question: ask(client, question), questions))
        busy = [one for one in found if one.status_code == 503]
        good = [one for one in found if one.status_code == 200]
        assert busy
        assert good
        assert len(busy) + len(good) == 60
        for one in busy:
            assert "busy" in one.json()["error"]
            assert int(one.headers["retry-after"]) > 0
        assert ask(client, SENIOR_REMOTE).status_code == 200
