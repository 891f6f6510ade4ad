"""Text to vectors: the exported graph is the reference without its imports, and a model that is not there is named."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor import Settings, embed
from advisor.embed import naming
from advisor.errors import EmbedderError
from tests.conftest import ROOT, run

TEXTS = [
    "What does a Senior ML Engineer earn remotely?",
    "do i need a phd",
    "Role: ML Engineer | Entry: $95–120K | Mid: $120–160K | Senior: $160–220K",
    "",
    "日本語 emoji 🍳 and ünïcode",
    "word " * 2_000,
    "a",
]


@pytest.fixture(scope="module")
def graph(graphs: Path) -> embed.Graph:
    """The exported graph of the default model."""
    return embed.Graph(graphs / "all-MiniLM-L6-v2")


def test_the_graph_equals_the_reference(graph: embed.Graph, reference: embed.Reference) -> None:
    """For short, long, empty and foreign texts the cosine of the two vectors is one."""
    mine, theirs = graph.embed(TEXTS), reference.embed(TEXTS)
    assert mine.shape == theirs.shape == (len(TEXTS), 384)
    assert mine.dtype == np.float32
    assert (mine * theirs).sum(axis=1).min() >= embed.CLOSE_ENOUGH


def test_the_graph_equals_the_reference_on_our_guides(graph: embed.Graph, reference: embed.Reference) -> None:
    """So do lines of the guides, forty of them across the file."""
    lines = [line for line in (ROOT / "corpus" / "choosing-an-ai-role.md").read_text().splitlines() if len(line) > 30]
    some = lines[:: len(lines) // 40]
    assert (graph.embed(some) * reference.embed(some)).sum(axis=1).min() >= embed.CLOSE_ENOUGH


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=80), min_size=1, max_size=4))
def test_vectors_have_length_one_and_do_not_depend_on_company(graph: embed.Graph, texts: list[str]) -> None:
    """A text's vector is the same alone and beside longer ones, whatever the text."""
    together = graph.embed([*texts, "a much longer text that makes all the others be padded to its length"])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(graph.embed(texts[:1])[0], together[0], atol=1e-4)


def test_nothing_in_nothing_out(graph: embed.Graph) -> None:
    """No text gives no vector, in the right shape."""
    assert graph.embed([]).shape == (0, 384)


def test_texts_that_mean_alike_are_near(graph: embed.Graph) -> None:
    """The weights are the real ones: a paraphrase is nearer than another subject."""
    asked, same, other = graph.embed(["how much does a chef earn", "a cook's salary", "the history of Rome"])
    assert asked @ same > 0.5 > asked @ other


def test_progress_is_reported(graph: embed.Graph) -> None:
    """Whoever waits hears how many texts are done, up to all of them."""
    heard: list[int] = []
    embed.all_of(["text"] * 70, graph, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 70


def test_side_by_side_is_the_same_as_one_by_one(graph: embed.Graph) -> None:
    """Batches run on all cores at an ingest: each vector stays its text's, and every text is embedded exactly once."""

    class Counting:
        name, dimensions, lanes = graph.name, graph.dimensions, 3

        def __init__(self) -> None:
            self.texts: list[str] = []

        def embed(self, texts: Sequence[str]) -> np.ndarray:
            self.texts += texts
            return graph.embed(texts)

    texts = [f"text {number} " * (number % 5 + 1) for number in range(80)]
    counting = Counting()
    vectors = embed.all_of(texts, counting)
    assert sorted(counting.texts) == sorted(texts)
    assert np.allclose(vectors, graph.embed(texts), atol=1e-5)


def test_what_one_batch_raises_reaches_whoever_asked(graph: embed.Graph) -> None:
    """A failure ends the work at once instead of leaving rows of zeros."""

    class Failing:
        name, dimensions, lanes = graph.name, graph.dimensions, 2

        def __init__(self) -> None:
            self.runs = 0

        def embed(self, texts: Sequence[str]) -> np.ndarray:
            self.runs += 1
            raise EmbedderError("out of order")

    failing = Failing()
    with pytest.raises(EmbedderError, match="out of order"):
        embed.all_of(["text"] * 4_000, failing)
    assert failing.runs < 250


def test_the_graph_is_optimised_when_it_is_exported(graphs: Path) -> None:
    """Opening it does no work that could be done once: the file holds the fused nodes."""
    import onnx

    folder = graphs / "all-MiniLM-L6-v2"
    kinds = {node.op_type for node in onnx.load(folder / "model.onnx").graph.node}
    assert "BiasGelu" in kinds
    assert json.loads((folder / "about.json").read_text())["optimised"] is True


@pytest.mark.parametrize("name", ["no-such-model-anywhere", "/no/such/folder"])
def test_a_model_that_is_not_there_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting and its value, and says what may stand there; nothing is downloaded to find out."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EmbedderError) as raised:
        embed.Reference(name)
    assert str(raised.value).startswith(f"ADVISOR_EMBEDDING_MODEL={name}: the embedding model cannot be loaded")
    assert "all-MiniLM-L6-v2" in str(raised.value)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    """A folder without weights is the same clear error."""
    with pytest.raises(EmbedderError, match="cannot be loaded"):
        embed.Reference(str(tmp_path))


def identity(folder: Path, home: Path) -> str:
    """The name of a model in a folder, for an index in another."""
    return embed.identity(Settings.read(embedding_model=str(folder), index=home))


def test_a_model_in_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    """Folders of one name with other bytes are two models, also of one size; copies are one; a name is itself."""
    one, two, copy = (tmp_path / name / "model" for name in "abc")
    for folder, text in ((one, "x"), (two, "y"), (copy, "x")):
        folder.mkdir(parents=True)
        (folder / "weights").write_text(text)
    (copy / "README.md").write_text("what describes a model does not make its vectors")
    assert embed.identity(Settings.read(index=tmp_path)) == "all-MiniLM-L6-v2"
    assert identity(one, tmp_path) != identity(two, tmp_path)
    assert identity(one, tmp_path) == identity(copy, tmp_path)
    assert identity(one, tmp_path).startswith("model@")


def test_a_model_s_bytes_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest is kept beside the index, and made again when a file changes, whatever its size and date."""
    model, home = tmp_path / "model", tmp_path / "home"
    model.mkdir()
    weights = model / "weights"
    weights.write_text("x" * 100)
    early = time.time_ns() - 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: early + 20_000_000_000)  # a file changed this moment is not trusted
    read: list[Path] = []
    whole = naming.digest
    monkeypatch.setattr(naming, "digest", lambda folder: read.append(folder) or whole(folder))
    first = identity(model, home)
    assert identity(model, home) == first
    assert len(read) == 1
    weights.write_text("y" * 100)
    os.utime(weights, ns=(early, early))  # a copy that keeps dates
    second = identity(model, home)
    assert (second != first, len(read)) == (True, 2)
    (home / "models.json").write_text('["foreign"]')
    assert (identity(model, home), len(read)) == (second, 3)


def test_a_model_changed_this_moment_is_read_again(tmp_path: Path) -> None:
    """Within one tick of the clock a file can change unseen, so a digest that fresh is not kept."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_text("x")
    identity(model, tmp_path / "home")
    assert not (tmp_path / "home" / "models.json").exists()


def test_a_model_that_cannot_be_exported_is_used_as_it_is(tmp_path: Path, reference: embed.Reference) -> None:
    """Where no graph can be made the reason is kept beside it, and questions use the reference."""

    class Untraceable:
        """A model whose tokenizer is of another make."""

        name, dimensions, model = "other", 384, object()
        embed = reference.embed

    folder = tmp_path / "graphs" / "other"
    assert not embed.export(Untraceable(), folder, ["a"])  # type: ignore[arg-type]
    assert "AttributeError" in (folder / "failed.txt").read_text()
    assert not embed.has_graph(folder)
    settings = Settings.read(index=tmp_path)
    assert isinstance(embed.for_questions(settings, "other", 384), embed.Reference)


@pytest.mark.slow
def test_a_replica_that_never_ingested_makes_its_own_graph(tmp_path: Path) -> None:
    """Where the index is on a server the graph is made here when the first question needs it, and kept."""
    settings = Settings.read(index=tmp_path)
    made = embed.for_questions(settings, "all-MiniLM-L6-v2", 384)
    assert isinstance(made, embed.Graph)
    assert embed.has_graph(embed.folder(settings, "all-MiniLM-L6-v2"))
    assert [path.name for path in (tmp_path / "graphs").iterdir()] == ["all-MiniLM-L6-v2"]


def test_the_question_path_imports_no_training_library(small: Settings) -> None:
    """Opening an index and answering from it loads neither torch nor what stands on it."""
    program = (
        "import sys, json; from advisor import Advisor; "
        "a = Advisor.open().ask('what does a senior ml engineer earn remotely?'); "
        "print(json.dumps([a.text, [n for n in ('torch', 'transformers', 'sentence_transformers', 'sklearn', 'scipy') "
        "if n in sys.modules]]))"
    )
    done = run(small, "-c", program)
    assert done.returncode == 0, done.stderr
    text, loaded = json.loads(done.stdout)
    assert "$160–220K" in text
    assert loaded == []
