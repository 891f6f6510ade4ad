"""Embedding through an OpenAI-compatible endpoint: the same answers as with the same weights here, and clear faults."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from advisor import Advisor, Settings, doctor, embed, index
from advisor.embed.endpoint import Endpoint
from advisor.errors import EmbedderAway, EmbedderError, IndexUnusable
from tests.chroma_server import free_port
from tests.conftest import Setup, run, write
from tests.embedding_server import KEY, LONGEST, MODEL, Serving, serving

REMOTE = "what does a senior ML engineer earn remotely?"
TEXTS = ["short", "do i need a phd", "Role: ML Engineer | Senior: $160–220K", "日本語 🍳", ""]


@pytest.fixture(scope="module")
def graph(graphs: Path) -> embed.Graph:
    """The exported graph of the default model."""
    return embed.Graph(graphs / "all-MiniLM-L6-v2")


@pytest.fixture
def endpoint(graph: embed.Graph) -> Iterator[Serving]:
    """An endpoint that serves that graph."""
    with serving(graph) as running:
        yield running


@pytest.fixture
def remote(setup: Setup, endpoint: Serving) -> Settings:
    """Settings for the small guides that embed through the endpoint."""
    return setup(embedding_url=endpoint.address, embedding_model=MODEL, embedding_key=KEY)


def test_vectors_are_those_of_the_model_at_length_one(remote: Settings, endpoint: Serving, graph: embed.Graph) -> None:
    """What comes back out of order and of any length is put in order and normalised; batches have a bound."""
    texts = TEXTS * 20
    embedder = Endpoint(remote)
    vectors = embedder.embed(texts)
    assert np.allclose(vectors, graph.embed([text or " " for text in texts]), atol=1e-5)
    assert vectors.dtype == np.float32
    assert embedder.dimensions == 384
    assert max(endpoint.requests) == Endpoint.batch
    assert embedder.embed([]).shape == (0, 384)


def test_the_advisor_answers_as_with_the_weights_at_home(remote: Settings, advisor: Advisor, endpoint: Serving) -> None:
    """Ingest, doctor and question go through the endpoint; unchanged guides are not sent again, no model is loaded."""
    assert index.ingest(remote).embedded > 20
    sent = len(endpoint.texts)
    assert index.ingest(remote).embedded == 0
    assert len(endpoint.texts) == sent
    opened = Advisor.open(remote)
    assert opened.status.embedder == f"endpoint:{MODEL}"
    for question in (REMOTE, "do i need a phd?", "how many years to become a staff data scientist"):
        there, here = opened.ask(question), advisor.ask(question)
        assert (there.text, there.citations) == (here.text, here.citations)
    assert REMOTE in " ".join(endpoint.texts) or any("senior" in text.lower() for text in endpoint.texts[sent:])
    assert not (remote.index / "graphs" / f"endpoint-{MODEL}").exists()


def test_a_new_process_needs_no_weights(remote: Settings) -> None:
    """The whole way, ingest included, in processes that load neither torch nor onnxruntime."""
    given = {
        "ADVISOR_EMBEDDING_URL": remote.embedding_url,
        "ADVISOR_EMBEDDING_MODEL": MODEL,
        "ADVISOR_EMBEDDING_KEY": KEY,
    }
    program = (
        "import sys; from advisor import Advisor; print(Advisor.open().ask(sys.argv[1]).text); "
        "print([n for n in ('torch', 'onnxruntime', 'sentence_transformers') if n in sys.modules])"
    )
    done = run(remote, "-c", program, REMOTE, **given)
    assert done.returncode == 0, done.stderr
    assert "160–220K" in done.stdout
    assert done.stdout.endswith("[]\n")
    looked = run(remote, "-m", "advisor", "doctor", ADVISOR_PORT="0", **given)
    assert f"{MODEL} at {remote.embedding_url}, which answers" in looked.stdout
    assert KEY not in looked.stdout + looked.stderr


FAULTS = {
    "busy": "busy or out of quota (429)",
    "forbidden": "may not do this (403)",
    "broken": "a fault of its own (500)",
    "odd": "the request is not accepted (418)",
    "one too few": "1 vectors came back for 2 texts",
    "not a number": "something that is no number",
    "zeros": "only zeros",
    "ragged": "came back",
    "words": "what came back holds no vectors",
    "a page": "what came back holds no vectors",
    "half": "what came back holds no vectors",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_told_in_words(remote: Settings, endpoint: Serving, fault: str) -> None:
    """Whatever the endpoint does, the error names the setting and what happened, and never the key."""
    endpoint.fault = fault
    with pytest.raises(EmbedderError) as raised:
        Endpoint(remote, 384).embed(["one", "two"])
    said = str(raised.value)
    assert said.startswith(f"ADVISOR_EMBEDDING_URL={endpoint.address}: ")
    assert FAULTS[fault] in said
    assert KEY not in said


def test_wrong_key_model_and_address_are_named(remote: Settings, endpoint: Serving) -> None:
    """Each points at the setting to change."""
    wrong = {
        "ADVISOR_EMBEDDING_KEY": {"embedding_key": None},
        "ADVISOR_EMBEDDING_MODEL": {"embedding_model": "another"},
        "cannot be reached": {"embedding_url": f"http://127.0.0.1:{free_port()}/v1"},
    }
    for said, change in wrong.items():
        with pytest.raises(EmbedderError, match=said):
            Endpoint(remote.model_copy(update=change), 384).embed(["text"])


def test_an_endpoint_that_is_busy_for_a_moment_is_asked_again(remote: Settings, endpoint: Serving) -> None:
    """One refusal does not end an ingest."""
    endpoint.fault = "busy once"
    assert index.ingest(remote).embedded > 20


def test_a_text_that_is_too_long_is_cut_and_its_neighbours_are_not(
    remote: Settings, endpoint: Serving, graph: embed.Graph
) -> None:
    """What exceeds the model's context is embedded by its beginning; the same text has the same vector in any batch."""
    long = "kites and engineers " * 200
    near = "careers " * (LONGEST // 8)
    assert len(long) > LONGEST >= len(near) > 1_000
    together = Endpoint(remote).embed(["short", long, near])
    assert np.allclose(together, graph.embed(["short", long[:1_000], near]), atol=1e-5)
    assert np.allclose(Endpoint(remote).embed([near])[0], together[2], atol=1e-6)


def test_a_fault_during_ingest_leaves_the_old_index(remote: Settings, endpoint: Serving) -> None:
    """An ingest that cannot embed says so with status 2, and the index answers as before once the endpoint does."""
    index.ingest(remote)
    write(remote.corpus, {"extra.md": "# Extra\n\nFlying kites is a fine hobby.\n"})
    endpoint.fault = "one too few"
    with pytest.raises(EmbedderError):
        index.ingest(remote)
    endpoint.fault = ""
    assert "160–220K" in Advisor.open(remote).ask(REMOTE).text
    assert len(index.Index.open(remote).guides) == 2
    assert index.ingest(remote).embedded > 0


def test_an_index_of_another_embedder_is_not_used(remote: Settings, small: Settings, endpoint: Serving) -> None:
    """Between here and the endpoint, and between two models of it, the way is a new ingest, and the error says so."""
    index.ingest(remote)
    here = remote.model_copy(update={"embedding_url": "", "embedding_model": "all-MiniLM-L6-v2"})
    with pytest.raises(IndexUnusable, match=f"made with the embedding model endpoint:{MODEL}"):
        Advisor.open(here)
    there = small.model_copy(update={"embedding_url": endpoint.address, "embedding_model": MODEL})
    with pytest.raises(IndexUnusable, match=f"ADVISOR_EMBEDDING_MODEL={MODEL}, served by ADVISOR_EMBEDDING_URL"):
        Advisor.open(there)


def test_another_size_of_vector_is_told(remote: Settings, endpoint: Serving) -> None:
    """An endpoint that serves another model under the old name is noticed by the size of its vectors."""
    index.ingest(remote)
    opened = Advisor.open(remote)
    endpoint.fault = "shorter"
    with pytest.raises(EmbedderError, match=r"100 numbers, those of the index 384.*ingest\.py --again"):
        opened.ask(REMOTE)


def test_another_model_of_the_same_size_is_told(remote: Settings, endpoint: Serving) -> None:
    """One whose vectors only have the same length is noticed by what it makes of a known text; all is made anew."""
    index.ingest(remote)
    opened = Advisor.open(remote)
    assert "160–220K" in opened.ask(REMOTE).text
    endpoint.fault = "another model"
    with pytest.raises(EmbedderAway, match=r"another model than the one that made the index .*ingest\.py --again"):
        Advisor.open(remote).ask(REMOTE)
    write(remote.corpus, {"extra.md": "# Extra\n\nFlying kites is a fine hobby.\n"})
    assert index.ingest(remote).embedded > 20
    assert "160–220K" in Advisor.open(remote).ask(REMOTE).text


def test_nothing_is_sent_unless_the_setting_is_set(
    small: Settings, endpoint: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys and addresses of other things in the environment send no text anywhere, and no key to this endpoint."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-something-else")
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.address)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-something-else")
    monkeypatch.setenv("ADVISOR_EMBEDDING_KEY", KEY)
    assert "160–220K" in Advisor.open(Settings.read(corpus=small.corpus, index=small.index)).ask(REMOTE).text
    assert endpoint.texts == []
    Endpoint(Settings.read(embedding_url=endpoint.address, embedding_model=MODEL)).embed(["text"])
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    assert "something-else" not in str(endpoint.headers)


def test_the_client_does_not_log_what_is_asked(remote: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Even with the whole program at debug level neither text nor key stands in a log."""
    with caplog.at_level(logging.DEBUG):
        Endpoint(remote).embed(["a secret wish"])
    assert "a secret wish" not in caplog.text
    assert KEY not in caplog.text


def test_the_doctor_names_an_endpoint_that_is_away(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would stop every answer is found before somebody asks."""
    monkeypatch.setenv("ADVISOR_EMBEDDING_URL", f"http://127.0.0.1:{free_port()}/v1")
    monkeypatch.setenv("ADVISOR_CORPUS", str(small.corpus))
    monkeypatch.setenv("ADVISOR_INDEX", str(small.index))
    found = {finding.what: finding for finding in doctor.examine()}
    assert found["weights"].state == "wrong"
    assert "cannot be reached" in found["weights"].said
    assert os.environ["ADVISOR_EMBEDDING_URL"] in found["weights"].said
