"""A real server in the tests: `transformers serve` with a model made on the spot, whose every word is noise.

The scripted endpoint speaks the wire format as we know it; this one as others wrote it. What it is good for is the
protocol, and that the reader is spared: noise is never shown as an answer.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from small_guide import DEGREE, HUBS_ML, REMOTE_ML, VOCABULARY, hits

from advisor import Advisor
from advisor.chat import NOTHING_CITED, OFFLINE_INSTEAD
from advisor.citations import figures
from advisor.errors import ModelError
from advisor.llm import ModelAnswerer
from advisor.settings import Settings

pytestmark = pytest.mark.slow

MAKER = Path(__file__).with_name("tiny_model.py")
START = 180
"""Seconds the server may take to come up on a busy machine."""
QUESTION = "what does a senior ML engineer earn remotely?"


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that name the running server and its model."""
    home = tmp_path_factory.mktemp("tiny")
    offline = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    offline |= {"HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
    model, port = home / "model", free_port()
    subprocess.run([sys.executable, MAKER, model], env=offline, check=True, timeout=START, capture_output=True)
    serve = "from transformers.cli.transformers import main; main()"
    command = [sys.executable, "-c", serve, "serve", model, "--device", "cpu"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], env=offline, stdout=log, stderr=log
        )
        try:
            wait(server, f"http://127.0.0.1:{port}/health", home / "log")
            yield Settings.read(
                llm_model=str(model), openai_base_url=f"http://127.0.0.1:{port}/v1", llm_retries=0, llm_max_tokens=90
            )
        finally:
            server.kill()
            server.wait(10)


def wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Until the server answers; a server that ended says why."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"The server did not come up:\n{log.read_text()[-2000:]}")


def test_a_real_server_streams_and_reports_its_tokens(served: Settings) -> None:
    """Drafts grow over a real socket, the end is told as the server tells it, and tokens are counted by it."""
    drafts = list(ModelAnswerer(served, VOCABULARY).stream(QUESTION, hits(HUBS_ML, REMOTE_ML, DEGREE), ()))
    assert len(drafts) > 3
    assert [draft.growing for draft in drafts] == [True] * (len(drafts) - 1) + [False]
    assert drafts[-1].usage["output_tokens"] == 90
    assert drafts[-1].usage["input_tokens"] > 1000
    assert "cut at 90 tokens" in drafts[-1].notice


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.5])
def test_noise_never_reaches_the_reader_as_a_claim(served: Settings, advisor: Advisor, temperature: float) -> None:
    """While it grows nothing is cited and no figure stands; in the end the answer without the model stands there."""
    settings = advisor.settings.model_copy(
        update={
            "llm_model": served.llm_model,
            "openai_base_url": served.openai_base_url,
            "llm_max_tokens": 150,
            "llm_temperature": temperature,
        }
    )
    *growing, last = Advisor(settings, advisor.knowledge).stream(QUESTION)
    assert growing
    for answer in growing:
        assert not answer.citations
        assert not figures(answer.text)
        assert not re.search(r"\[\d+\]", answer.text)
    offline = advisor.ask(QUESTION)
    assert (last.text, last.citations) == (offline.text, offline.citations)
    assert NOTHING_CITED in last.notice
    assert OFFLINE_INSTEAD in last.notice
    assert last.usage["output_tokens"] > 0


def test_a_real_server_that_does_not_know_the_model_is_told_of(served: Settings) -> None:
    """Whatever status it chooses for that, the reader is told that the endpoint did not accept it, and which one."""
    other = served.model_copy(update={"llm_model": "nobody/has-this"})
    with pytest.raises(ModelError, match=r"127\.0\.0\.1") as caught:
        list(ModelAnswerer(other, VOCABULARY).stream(QUESTION, hits(HUBS_ML), ()))
    assert caught.value.kind in ("model", "rejected", "server")
