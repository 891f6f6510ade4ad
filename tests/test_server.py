"""The index on a Chroma server: the same answers, and clear words while the server is away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor import Advisor, Settings, index
from advisor.errors import IndexUnusable
from tests.chroma_server import chroma, free_port
from tests.conftest import PATIENCE, Setup, environment, run

pytestmark = pytest.mark.slow
REMOTE = "what does a senior ML engineer earn remotely?"


@pytest.fixture(scope="module")
def served(setup: Setup, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings for the small guides on a server, its index made."""
    with chroma(tmp_path_factory.mktemp("chroma"), free_port()) as address:
        settings = setup(chroma_url=address)
        index.ingest(settings)
        yield settings


def test_the_server_answers_as_the_folder_does(served: Settings, small: Settings, advisor: Advisor) -> None:
    """Passages, fingerprint and answer are the same wherever the vectors are kept."""
    there, here = Advisor.open(served), advisor
    assert there.status.fingerprint == here.status.fingerprint
    assert there.passages == here.passages
    assert there.ask(REMOTE).text == here.ask(REMOTE).text
    assert not (served.index / "versions").exists()


def test_unchanged_guides_are_not_embedded_again(served: Settings) -> None:
    """The server's index is known by its fingerprint, too."""
    assert index.ingest(served).embedded == 0


def test_another_process_uses_the_same_index(served: Settings) -> None:
    """A second process with an empty folder of its own answers from the server."""
    done = run(served, "-m", "advisor", REMOTE, ADVISOR_CHROMA_URL=served.chroma_url)
    assert done.returncode == 0, done.stderr
    assert "$160–220K" in done.stdout


def test_a_swap_is_taken_up(served: Settings) -> None:
    """An advisor that is open answers from the new guides after another process has ingested them."""
    opened = Advisor.open(served)
    path = served.corpus / "roles.md"
    before = path.read_text()
    path.write_text(before.replace("| $120–160K | $160–220K |", "| $120–160K | $161–221K |"))
    try:
        done = run(served, "ingest.py", ADVISOR_CHROMA_URL=served.chroma_url)
        assert done.returncode == 0, done.stderr
        assert "$161–221K" in opened.ask(REMOTE).text
    finally:
        path.write_text(before)
        index.ingest(served)
    assert "$160–220K" in opened.ask(REMOTE).text


def test_another_model_is_a_clear_error(served: Settings) -> None:
    """The server's index is not searched with another model either."""
    with pytest.raises(IndexUnusable, match="made with the embedding model all-MiniLM-L6-v2"):
        Advisor.open(served.model_copy(update={"embedding_model": "another"}))


def test_a_server_that_goes_and_comes_back(setup: Setup, tmp_path: Path) -> None:
    """While the server is away a question says so; when it is back the same advisor answers, and nothing was lost."""
    port = free_port()
    with chroma(tmp_path, port) as address:
        settings = setup(chroma_url=address)
        index.ingest(settings)
        opened = Advisor.open(settings)
        answer = opened.ask(REMOTE).text
    with pytest.raises(IndexUnusable, match=f"ADVISOR_CHROMA_URL={address}: the Chroma server does not answer"):
        opened.ask(REMOTE)
    with chroma(tmp_path, port):
        assert opened.ask(REMOTE).text == answer
        assert index.ingest(settings).embedded == 0


def test_without_the_server_the_error_names_the_setting(small: Settings) -> None:
    """A server that nobody started is a sentence with the variable in it, not a traceback."""
    address = f"http://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [sys.executable, "-m", "advisor", "hello"],
        env=environment(small, ADVISOR_CHROMA_URL=address),
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"ADVISOR_CHROMA_URL={address}: the Chroma server does not answer")
    assert "Traceback" not in done.stderr
