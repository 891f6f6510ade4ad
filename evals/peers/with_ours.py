"""The advisor, put to the same acts: passages found are given as the lines of the guide that they stand on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from advisor import Advisor, Answer, Settings


def _settings(corpus: Path, store: Path) -> Settings:
    return Settings.read(corpus=corpus, index=store, llm_model="", feedback="off")


def ingest(corpus: Path, store: Path, weights: str) -> int:
    """A first ingest into an empty folder; the number of passages."""
    from advisor import index

    return index.ingest(_settings(corpus, store)).passages


def opened(corpus: Path, store: Path, weights: str) -> Callable[[str, int], list[tuple[str, str]]]:
    """The advisor's own search."""
    advisor = Advisor.open(_settings(corpus, store))
    lines = {guide.source: guide.text.splitlines() for guide in advisor.guides}

    def search(question: str, limit: int) -> list[tuple[str, str]]:
        found = [hit.passage for hit in advisor.search(question, limit)]
        return [(p.source, "\n".join(lines[p.source][p.first_line - 1 : p.last_line])) for p in found]

    return search


def answering(corpus: Path, store: Path, weights: str) -> Callable[[str], Answer]:
    """A question to its whole, cited answer."""
    return Advisor.open(_settings(corpus, store)).ask
