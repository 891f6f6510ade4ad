"""Growing: generated corpora are what they say, tables are found among many, and the measuring itself is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from advisor import Advisor, corpus, tables
from advisor.search import _highest
from evals import growth, growth_table, plots, synthetic
from evals.samples import HERE, headings, load
from evals.vectors import Kept
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Corpora of 200 and 400 passages; both are smaller than the source guides, so all of theirs is generated."""
    home = tmp_path_factory.mktemp("growth")
    for size in (200, 400):
        synthetic.write(home / str(size) / "corpus", ROOT / "corpus", size)
    return {size: home / str(size) for size in (200, 400)}


def test_a_generated_corpus_has_exactly_the_passages_asked_for(generated: dict[int, Path]) -> None:
    """Every generated guide can be read, and all have as many passages as were asked for, hardly two alike."""
    for size, home in generated.items():
        read = corpus.read(home / "corpus")
        assert (len(read.passages), read.problems) == (size, {})
        assert len({passage.text for passage in read.passages}) > 0.97 * size
        assert {passage.kind for passage in read.passages} >= {"paragraph", "row", "list"}


def test_a_generated_guide_is_the_same_at_every_size(generated: dict[int, Path]) -> None:
    """What a smaller corpus holds, a larger one holds too: the vectors of its texts are taken over."""
    small, large = (corpus.read(generated[size] / "corpus") for size in (200, 400))
    held = {(p.source, p.headings, p.text) for p in large.passages}
    assert sum((p.source, p.headings, p.text) in held for p in small.passages) > 0.98 * len(small.passages)


def test_a_corpus_larger_than_the_guides_holds_them_unchanged(tmp_path: Path) -> None:
    """The guides with all that stands beside them are part of a larger corpus; only the vocabulary knows more roles."""
    source = corpus.read(ROOT / "corpus")
    synthetic.write(tmp_path / "grown", ROOT / "corpus", len(source.passages) + 60)
    grown = corpus.read(tmp_path / "grown")
    assert set(source.passages) < set(grown.passages)
    assert len(grown.passages) == len(source.passages) + 60
    assert list((tmp_path / "grown").glob("*.asked.yaml"))


@pytest.mark.slow
def test_growth_is_measured_from_corpus_to_answers(generated: dict[int, Path], graphs: Path, tmp_path: Path) -> None:
    """Both sizes are indexed and asked; what does not depend on the clock is as it must be, and the table says it."""
    samples = load(HERE, headings(ROOT / "corpus"))
    questions = [s.question for s in samples if s.split == "dev" and s.kind == "direct"][: growth.WARM + 10]
    found = [
        growth.grown(size, ROOT / "corpus", home.parent, questions, graphs) for size, home in sorted(generated.items())
    ]
    for figures, size in zip(found, generated, strict=True):
        built, told = figures["ingest"], figures["ask"]
        assert built["passages"] == size
        assert built["texts"] > size
        assert told["questions"] == 10
        assert told["recall"] == pytest.approx(1.0, abs=0.01)
        assert 0.3 < told["near"]["p50"] < 1
        assert all(told["parts"][part] > 0 for part in growth.PARTS)
        assert told["parts"]["dense"] < told["p95"]
    written = growth_table.text(found)
    assert "| passages | 200 | 400 |" in written
    assert all(name in written for name in growth_table.NAMES.values())


def test_vectors_are_kept_and_never_made_twice(tmp_path: Path) -> None:
    """A text embedded before is taken from the folder, also by a later process; its vector is the one made first."""

    class Counting:
        name, dimensions = "counting", 4

        def __init__(self) -> None:
            self.seen: list[str] = []

        def embed(self, texts: list[str]) -> np.ndarray:
            self.seen += texts
            return np.array([[len(text), 1, 2, 3] for text in texts], dtype=np.float32)

    first, second = Counting(), Counting()
    Kept(tmp_path, first).embed(["aa", "b", "aa"])
    vectors = Kept(tmp_path, second).embed(["b", "ccc", "aa"])
    assert sorted(first.seen) == ["aa", "b"]
    assert second.seen == ["ccc"]
    assert vectors[:, 0].tolist() == [1, 3, 2]


def test_recall_counts_what_the_dense_search_misses(advisor: Advisor) -> None:
    """A search that brings one wrong text in ten has a recall of 0.9."""
    known = advisor.knowledge
    made = {number: text for number, (_, text) in enumerate(growth._texts(advisor.settings))}
    matrix = known.embedder.embed([made[number] for number in range(len(made))])
    asked = matrix[:3]
    assert growth.recall(advisor, matrix, asked) == 1.0

    class Store:
        def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
            order = np.argsort(-(matrix @ vector))
            return [(int(number), 0.0) for number in (*order[: limit - 1], order[-1])]

    class Held:
        store, version = Store(), ""

    class Known:
        index = Held()

    class Other:
        knowledge = Known()

    assert growth.recall(Other(), matrix, asked) == pytest.approx(0.9)  # type: ignore[arg-type]


def test_no_table_is_lost_among_many(ours: Advisor) -> None:
    """Tables kept by the rarest words of their labels: each question finds what looking at every table finds."""
    finder = ours.knowledge.finder
    questions = [s.question for s in load(HERE, headings(ROOT / "corpus")) if s.split == "dev"]
    asked_for = 0
    for text in questions:
        question = ours.knowledge.reader.read(text)
        keys = frozenset((*question.words, *question.terms)) | tables._names(question.slots)
        every = [found for table in finder.tables if (found := finder._select(table, question, keys))]
        assert list(finder.find(question)) == sorted(every, key=lambda s: (-s.fit, len(s.lacking)))
        asked_for += bool(every)
    assert asked_for > 50


def test_the_highest_of_many_are_those_of_a_whole_sort() -> None:
    """Sorting only what can be among the highest brings what sorting everything brings."""
    values = np.random.default_rng(1).random(5_000).astype(np.float32)
    assert _highest(values, 120).tolist() == np.argsort(-values)[:120].tolist()
    assert sorted(_highest(np.zeros(500, dtype=np.float32), 120)) == list(range(120))


def test_a_plot_stands_alone_and_names_each_line() -> None:
    """The file has its own style, both axes and a name for each line, and nothing from elsewhere."""
    drawn = plots.growth("Time", [("whole <p50>", [(1_000, 5), (100_000, 50)]), ("dense", [(1_000, 1), (100_000, 2)])])
    assert drawn.startswith("<svg xmlns=")
    assert "whole &lt;p50&gt;" in drawn
    assert all(tick in drawn for tick in (">1,000<", ">10,000<", ">100,000<", ">10<"))
    assert drawn.count("http") == 1
