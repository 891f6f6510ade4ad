"""What questions read: plain files that hold what Chroma holds, exact neighbours, and nothing imported for nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from advisor import Advisor, Settings, index, words
from advisor.errors import IndexUnusable
from advisor.store import connect, reading
from evals import speed
from tests.conftest import Setup, run

REMOTE = "what does a senior ML engineer earn remotely?"
HEAVY = {
    "chromadb", "torch", "transformers", "sentence_transformers", "gradio", "fastapi", "openai", "langchain_core",
    "langchain_openai", "onnx", "scipy", "sklearn", "pandas", "httpx", "ftfy", "markdown_it", "filelock",
}  # fmt: skip
"""What takes long to import, or belongs to somebody else: neither an answer nor an unchanged ingest needs any of it."""
WATCHED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__") if sys.argv[0].endswith(".py") else runpy.run_module(
        sys.argv[0], run_name="__main__", alter_sys=True
    )
except SystemExit as end:
    assert not end.code, end.code
print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
"""


def version(settings: Settings) -> Path:
    """The folder of the version in use."""
    return settings.index / "versions" / (settings.index / "current").read_text()


def imported(settings: Settings, *command: str) -> set[str]:
    """The top-level packages that a process of ours has imported when it ends."""
    done = run(settings, "-c", WATCHED, *command)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("IMPORTED")[2].split())


def test_an_answer_imports_little(small: Settings) -> None:
    """A question in the terminal is answered without the database, the reference model or any other vendor."""
    names = imported(small, "advisor", REMOTE)
    assert "onnxruntime" in names
    assert sorted(names & HEAVY) == []


def test_an_unchanged_corpus_starts_no_model(small: Settings) -> None:
    """An ingest that finds nothing new imports neither a model's runtime nor the database."""
    names = imported(small, "ingest.py")
    assert "numpy" in names
    assert sorted(names & (HEAVY - {"ftfy", "markdown_it", "filelock"} | {"onnxruntime", "tokenizers"})) == []


@pytest.mark.slow
def test_the_page_opens_the_guides_beside_gradio(small: Settings) -> None:
    """Opening the index does not wait until the page is built, so that whoever sees the page can ask at once."""
    program = (
        "import sys\n"
        "from advisor import Settings\n"
        "from advisor.ui.server import application\n"
        "def opened(heard):\n"
        "    print('gradio.blocks' in sys.modules, flush=True)\n"
        "application(Settings.read(), opened)\n"
        "print('gradio.blocks' in sys.modules)\n"
    )
    done = run(small, "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "True"]


def test_each_text_is_embedded_once(indexed: Settings) -> None:
    """An ingest from nothing embeds every distinct text exactly once: the texts that its speed is measured by."""
    embedded = speed.texts(indexed)
    assert len(embedded) == len(set(embedded))
    assert index.ingest(indexed, again=True).embedded == len(embedded)


def test_the_files_hold_what_the_database_holds(small: Settings) -> None:
    """Vector by vector, and the nearest that Chroma's own search finds are found with the same cosine."""
    store, folder = connect(small), version(small)
    matrix, about = reading.vectors(folder), store.current()
    assert matrix is not None
    assert about is not None
    assert matrix.shape == (about.units, about.dimensions)
    known = np.stack(list(store.vectors(about.version).values()))
    assert len(known) == len({row.tobytes() for row in np.asarray(matrix)})
    assert (known @ matrix.T).max(axis=1).min() > 1 - 1e-6  # Chroma scales each to length one again
    exact = store.query(about.version, matrix[7], 5)
    (folder / reading.VECTORS).rename(folder / "aside.npy")
    try:
        approximate = connect(small).query(about.version, matrix[7], 5)
    finally:
        (folder / "aside.npy").rename(folder / reading.VECTORS)
    assert [number for number, _ in exact] == [number for number, _ in approximate]
    assert np.allclose([near for _, near in exact], [near for _, near in approximate], atol=1e-5)


def test_equals_come_in_order() -> None:
    """Of vectors that are equally near, the first comes first, also where there are fewer than asked for."""
    matrix = np.array([[0, 1], [1, 0], [1, 0], [0.6, 0.8]], dtype=np.float32)
    assert [number for number, _ in reading.nearest(matrix, np.array([1, 0], np.float32), 3)] == [1, 2, 3]
    assert [number for number, _ in reading.nearest(matrix, np.array([1, 0], np.float32), 4)] == [1, 2, 3, 0]


def test_a_large_index_is_searched_by_the_database(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit no second copy of the vectors is kept, and answers come from Chroma's own search."""
    monkeypatch.setattr(reading, "MOST_EXACT", 5)
    settings = setup()
    index.ingest(settings)
    assert not (version(settings) / reading.VECTORS).exists()
    assert "160–220K" in Advisor.open(settings).ask(REMOTE).text


def test_one_question_is_embedded_and_searched_once(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that stands alone costs one vector and one search, whatever steps look at what was found."""
    advisor = Advisor.open(small)
    asked: list[int] = []
    searched: list[int] = []
    embed, query = advisor.knowledge.embedder.embed, advisor.knowledge.index.store.query

    def embedded(texts: list[str]) -> np.ndarray:
        asked.append(len(texts))
        return embed(texts)

    def queried(*given: object) -> list[tuple[int, float]]:
        searched.append(1)
        return query(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(advisor.knowledge.embedder, "embed", embedded)
    monkeypatch.setattr(advisor.knowledge.index.store, "query", queried)
    assert advisor.ask("Is a certification worth the money?").citations
    assert (asked, len(searched)) == ([1], 1)


@pytest.mark.parametrize("name", [reading.PASSAGES, reading.VECTORS])
def test_a_damaged_copy_is_noticed_and_made_again(indexed: Settings, name: str) -> None:
    """A file that was cut short is told as damage, and a plain ingest makes the index whole, embedding nothing."""
    path = version(indexed) / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(IndexUnusable, match=r"damaged"):
        index.Index.open(indexed)
    index.ingest(indexed)
    assert "160–220K" in Advisor.open(indexed).ask(REMOTE).text


def test_a_database_that_was_tidied_up_still_counts(indexed: Settings) -> None:
    """Chroma may rewrite its own files: where their sizes changed it is asked, and its count decides."""
    manifest = version(indexed) / "manifest.json"
    said = json.loads(manifest.read_text())
    said["files"]["chroma/chroma.sqlite3"] += 4096
    manifest.write_text(json.dumps(said))
    assert index.complete(indexed)
    assert "160–220K" in Advisor.open(indexed).ask(REMOTE).text


def test_stems_are_remembered(small: Settings) -> None:
    """The stems that lie beside the index are the ones that would be made, so that opening it makes none."""
    kept = json.loads((version(small) / reading.PASSAGES).read_text("utf-8"))["stems"]
    assert "engineers" in kept
    assert kept == {word: words.stem.__wrapped__(word) for word in kept}
