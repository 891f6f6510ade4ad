"""What travels between the rooms: frozen values, and the two protocols that have more than one implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from advisor.words import sentences, without_mark

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["paragraph", "list", "steps", "row", "code", "note", "gap"]
"""What a passage was in its guide. `steps` is an ordered list or ladder, `row` one row of a table, `note` a footnote.
A `gap` stands in no guide: it is a question that the guides are known not to answer."""


@dataclass(frozen=True, slots=True)
class Guide:
    """One document of the corpus, as it reads after repair."""

    source: str
    """Path below the corpus folder, with forward slashes."""
    title: str
    text: str
    """The whole Markdown text, repaired; passage line numbers count its lines from 1."""
    as_of: str = ""
    """ISO date its figures hold for; empty when the guide does not say."""
    region: str = ""
    """Where its figures hold when a section does not say otherwise."""
    currency: str = ""
    roles: tuple[str, ...] = ()
    """The roles it says it is about."""
    starters: tuple[str, ...] = ()
    """Questions it offers to start with."""
    asked: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """For a heading, other ways of asking for what stands under it; from the file beside the guide."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell, named by its headers."""

    row: str
    column: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a guide that a reader understands alone."""

    id: str
    """Stable and readable: source, heading and a counter."""
    text: str
    """Plain Markdown: a paragraph, a list with its intro (an item a line), or a table row as `header: value` pairs."""
    source: str
    headings: tuple[str, ...]
    """From the guide's title down to the nearest heading."""
    first_line: int
    last_line: int
    as_of: str = ""
    kind: Kind = "paragraph"
    intro: str = ""
    """The line that introduces a list or table, where there is one."""
    cells: tuple[tuple[str, str], ...] = ()
    """For a row: (column header, value) pairs, the row's own name first."""
    table: str = ""
    """For a row: which table it belongs to; rows with the same value stand in one table, in guide order."""
    region: str = ""
    """The guide's region of figures."""
    currency: str = ""
    notes: tuple[str, ...] = ()
    """Footnote ids that vouch for it."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What can be quoted: the sentences of a paragraph, the items of a list without their marks."""
        if self.kind in ("paragraph", "note"):
            return sentences(self.text)
        return tuple(without_mark(line) for line in self.text.splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that search found, best first."""

    passage: Passage
    score: float
    """Between 0 and 1; higher is nearer."""
    line: str = ""
    """The line of the passage that matched best, or the heading it stands under; empty for the whole passage."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of the conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a marker of a draft points at. Without a quote, `citations` looks for the words that carry the claim."""

    passage: Passage
    quote: str = ""
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What an answerer says before it is checked; `[n]` in the text is the n-th evidence, counted from 1."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    declined: bool = False
    missing: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    notice: str = ""
    by_model: bool = False
    """A language model wrote the text: its words are held to the passages, not only its figures."""
    growing: bool = False
    """More is to come: what could still turn out wrong is not shown yet."""
    usage: dict[str, float] = field(default_factory=dict)
    """Tokens and cost, where a model's endpoint reports them."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker of an answer, bound to the words of the guide that carry the claim."""

    number: int
    passage: Passage
    quote: str
    """Exact words of the passage."""
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader gets."""

    question: str
    """The standalone question that was searched; byte-identical to the one asked when that stood alone."""
    text: str
    """Markdown with `[n]` markers."""
    citations: tuple[Citation, ...] = ()
    declined: bool = False
    """Nothing in the guides answers it."""
    missing: tuple[str, ...] = ()
    """Names of the parts that the guides lack."""
    follow_ups: tuple[str, ...] = ()
    """Questions that the guides can answer."""
    hits: tuple[Hit, ...] = ()
    notice: str = ""
    """What the reader should know about how the answer came about, for instance that the model failed."""
    usage: dict[str, float] = field(default_factory=dict)
    """Tokens and cost, where a model's endpoint reports them."""

    @property
    def spent(self) -> str:
        """The tokens and the cost in words; empty where none were reported."""
        read, written, cost = (self.usage.get(name) for name in ("input_tokens", "output_tokens", "cost"))
        said = [
            "" if read is None else f"{read:,.0f} tokens read",
            "" if written is None else f"{written:,.0f} written",
            "" if cost is None else f"cost {cost:.4g}",
        ]
        return ", ".join(filter(None, said))


class Embedder(Protocol):
    """Turns text into unit vectors. Two implementations: sentence-transformers, and the exported graph."""

    name: str
    """Names the weights; part of the index's fingerprint."""
    dimensions: int

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1."""
        ...


class Answerer(Protocol):
    """Writes drafts. Two implementations: from the guides alone, and through a language model."""

    def stream(self, question: str, hits: Sequence[Hit], turns: Sequence[Turn]) -> Iterator[Draft]:
        """Grow a draft that answers the standalone question; the last one is complete."""
        ...
