"""Questions that arrive together are embedded together: fewer runs, the same vectors, errors to their own askers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor import Advisor, Settings, embed
from advisor.together import LONG, Together
from tests.conftest import PATIENCE


@pytest.fixture(scope="module")
def graph(graphs: Path) -> embed.Graph:
    """The exported graph of the default model."""
    return embed.Graph(graphs / "all-MiniLM-L6-v2")


class Held:
    """The real graph behind a gate, with a record of what each run was given."""

    def __init__(self, graph: embed.Graph) -> None:
        self.graph, self.name, self.dimensions = graph, graph.name, graph.dimensions
        self.runs: list[list[str]] = []
        self.entered, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The graph's vectors, once somebody has opened the gate for one more run."""
        self.runs.append(list(texts))
        self.entered.release()
        assert self.open.acquire(timeout=PATIENCE)
        if any("fault" in text for text in texts):
            raise ValueError(f"cannot embed {texts}")
        return self.graph.embed(texts)


def queued(together: Together, count: int) -> None:
    """Wait until that many askers wait for a run."""
    for _ in range(PATIENCE * 100):
        if len(together._waiting) == count:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{len(together._waiting)} wait, not {count}")


def asked_during_a_run(held: Held, texts: Sequence[str], after: int) -> list[np.ndarray | Exception]:
    """What each text brought when all are asked while one run is going on; `after` runs are let through then."""
    together = Together(held, lanes=1)

    def ask(text: str) -> np.ndarray | Exception:
        try:
            return together.embed([text])
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(texts) + 1) as threads:
        first = threads.submit(ask, "the one that is under way")
        assert held.entered.acquire(timeout=PATIENCE)
        others = [threads.submit(ask, text) for text in texts]
        queued(together, len(texts))
        for _ in range(after + 1):
            held.open.release()
        assert isinstance(first.result(PATIENCE), np.ndarray)
        return [other.result(PATIENCE) for other in others]


def test_those_who_wait_are_embedded_in_one_run(graph: embed.Graph) -> None:
    """Seven questions that come while one is embedded take one more run, and each gets its own vector."""
    held = Held(graph)
    texts = [f"what does role number {number} earn?" for number in range(7)]
    found = asked_during_a_run(held, texts, after=1)
    assert [len(run) for run in held.runs] == [1, 7]
    for text, vectors in zip(texts, found, strict=True):
        assert np.abs(vectors - graph.embed([text])).max() < 1e-6


def test_an_error_reaches_its_own_asker_only(graph: embed.Graph) -> None:
    """One text that cannot be embedded fails for whoever asked it; those beside it get their vectors."""
    found = asked_during_a_run(Held(graph), ["first", "a fault", "third"], after=4)
    assert isinstance(found[1], ValueError)
    assert str(found[1]) == "cannot embed ['a fault']"
    assert [isinstance(one, np.ndarray) for one in found] == [True, False, True]


def test_a_long_text_is_run_apart(graph: embed.Graph) -> None:
    """Nobody's short question is padded to the length of somebody else's essay."""
    held = Held(graph)
    asked_during_a_run(held, ["short", "x" * LONG, "short too"], after=2)
    assert sorted(sorted(map(len, run)) for run in held.runs[1:]) == [[5, 9], [LONG]]


def test_alone_nothing_waits(graph: embed.Graph) -> None:
    """One asker after the other is one run each, of just the text that was asked."""
    held = Held(graph)
    together = Together(held)
    for text in ("one", "two", "three"):
        held.open.release()
        together.embed([text])
    assert held.runs == [["one"], ["two"], ["three"]]


def test_an_interrupted_run_leaves_nobody_waiting(graph: embed.Graph) -> None:
    """When the thread that runs for others is interrupted, the others are taken over by one of themselves."""

    class Interrupted(Held):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            vectors = super().embed(texts)
            if len(self.runs) == 2:
                raise KeyboardInterrupt
            return vectors

    held = Interrupted(graph)
    together = Together(held, lanes=1)
    results: list[object] = []

    def ask(text: str) -> None:
        try:
            results.append(together.embed([text]))
        except KeyboardInterrupt as error:
            results.append(error)

    threads = [threading.Thread(target=ask, args=(f"text {number}",)) for number in range(4)]
    threads[0].start()
    assert held.entered.acquire(timeout=PATIENCE)
    for thread in threads[1:]:
        thread.start()
    queued(together, 3)
    for _ in range(5):
        held.open.release()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(isinstance(result, np.ndarray) for result in results) == 3
    assert sum(isinstance(result, KeyboardInterrupt) for result in results) == 1


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(st.text(max_size=120), min_size=2, max_size=10))
def test_vectors_do_not_depend_on_company(graph: embed.Graph, texts: list[str]) -> None:
    """Whatever is asked at the same time by whichever threads, each gets what it would have got alone."""
    together = Together(graph, lanes=2)
    with ThreadPoolExecutor(len(texts)) as threads:
        found = list(threads.map(lambda text: together.embed([text]), texts))
    for text, vectors in zip(texts, found, strict=True):
        assert np.abs(vectors - graph.embed([text])).max() < 1e-6


def test_no_text_no_vector(graph: embed.Graph) -> None:
    """Nothing in is nothing out, in the right shape, and what the embedder has besides is there too."""
    together = Together(graph)
    assert together.embed([]).shape == (0, graph.dimensions)
    assert together.tokenizer is graph.tokenizer
    assert together.name == graph.name


def test_the_advisor_s_answers_use_it(small: Settings) -> None:
    """Sixteen different questions asked at once take fewer runs of the model than asked in turn, with equal answers."""
    questions = [f"what does a senior ML engineer earn remotely in {2000 + year}?" for year in range(16)]
    alone, crowd = Advisor.open(small), Advisor.open(small)
    expected = [alone.ask(question).text for question in questions]
    embedder = crowd.knowledge.embedder
    assert isinstance(embedder, Together)
    runs: list[int] = []
    session, entered = embedder._embedder.session, threading.Event()  # type: ignore[attr-defined]

    class Counting:
        def run(self, outputs: object, given: dict[str, np.ndarray]) -> object:
            runs.append(len(given["input_ids"]))
            entered.wait(0.2)
            return session.run(outputs, given)

    embedder._embedder.session = Counting()  # type: ignore[attr-defined]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda question: crowd.ask(question).text, questions))
    assert found == expected
    assert sum(runs) >= 16
    assert len(runs) < sum(runs)
