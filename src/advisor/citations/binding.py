"""Draft → text whose markers are bound to the words of the guide that carry them, and whose figures are held.

A figure stays when a passage cited by its sentence, list item or table row holds it for the same role, level and
region; otherwise its claim ends before it and the reader is told. Text that a model wrote is held to more: a sentence
that no passage carries is marked as not found, and a marker that carries nothing goes.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from advisor.citations.attribution import counts, numbered
from advisor.citations.blocks import Block, blocks, cells, markers, pieces, unmarked
from advisor.citations.carrying import Carriers, Found
from advisor.citations.figures import NUMBER_WORDS, figures
from advisor.citations.markup import cleaned, finished
from advisor.citations.scope import Scope
from advisor.citations.support import Quote, Words
from advisor.types import Citation, Draft, Evidence

if TYPE_CHECKING:
    from advisor.vocabulary import Vocabulary

LEFT_OUT = "… *(left out: a figure that the cited guide does not give)*"
NOT_FOUND = "*(not found in the guide)*"
NO_CELL = "*not in the guide*"
_QUOTED = re.compile(r"[“\"]([^“”\"]+)[”\"]")
_HELD_WORDS = (*NUMBER_WORDS, "half", "hundred", "thousand", "million", "billion", "dozen", "http", "www")
_RISKY = re.compile(
    r"[\d$€£¥₹|`\[\]<&!【［⭐★☆\\]|https?|www"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twent|thirt|fort|fift|sixt|sevent|eight|ninet"
    r"|half an?\b|hundred|thousand|million|billion|dozen)|\ban? (?:h(?:u|$)|t(?:h|$)|m(?:i|$)|b(?:i|$)|d(?:o|$)|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Removal:
    """Something the reader does not get; `kind` is figure, marker, citation, claim, link, image, html or blob."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A checked draft: markers count 1, 2, … by first use, and each has its citation."""

    text: str
    citations: tuple[Citation, ...] = ()
    removed: tuple[Removal, ...] = ()
    answers: bool = True
    """False when a model's text cites nothing that has to do with the question: treat it as a refusal."""


@dataclass(slots=True)
class _State:
    """What has been read and numbered so far."""

    around: Scope
    carriers: Carriers
    missing: tuple[str, ...] = ()
    """What the draft says the guides lack: figures after it are for something else."""
    numbers: dict[tuple[str, str, str], Citation] = field(default_factory=dict)
    removed: list[Removal] = field(default_factory=list)
    intro: tuple[int, ...] = ()
    """Markers of the line that introduces the list or table being read."""
    header: list[str] = field(default_factory=list)


def bind(draft: Draft, question: str, vocabulary: Vocabulary) -> Bound:
    """Check a draft once; for the growing drafts of one answer keep a `Binder`."""
    return Binder(question, vocabulary).bind(draft)


class Binder:
    """Checks the drafts of one answer as they grow; what it has shown keeps its place and its number.

    `near` are ids of passages that are known to have to do with the question, whatever their words.
    """

    def __init__(self, question: str, vocabulary: Vocabulary, near: Collection[str] = ()) -> None:
        self._near = frozenset(near)
        self.by_model = False
        self._words = Words.of(vocabulary)
        self._reader = self._words.reader
        self._question = question
        self._asked = self._reader.scope(question)

    def bind(self, draft: Draft) -> Bound:
        """The draft as far as it can be shown; of one that still grows, what could turn out wrong is held back."""
        self.by_model = draft.by_model
        allowed = "\n".join(e.passage.text for e in draft.evidence)
        raw = finished(draft.text) if draft.growing else draft.text
        text, gone = cleaned(raw, allowed, draft.by_model)
        carriers = Carriers(self._words, draft.evidence, draft.by_model, self._question)
        gone_so_far = [Removal(*what) for what in gone]
        state = _State(self._asked.without(draft.missing), carriers, draft.missing, removed=gone_so_far)
        parts = blocks(text)
        out = [self._block(state, block) for block in (parts[:-1] if draft.growing else parts)]
        if draft.growing and parts:
            out.append(self._growing(state, parts[-1]))
        citations = tuple(state.numbers.values())
        shown = "".join(out)
        return Bound(shown, citations, tuple(state.removed), self._answers(draft, shown, citations))

    def _answers(self, draft: Draft, shown: str, citations: tuple[Citation, ...]) -> bool:
        """Whether a model's text is an answer: something is cited, and it has to do with what was asked."""
        if not draft.by_model or draft.growing or draft.declined:
            return True
        if counts(self._question) and not numbered(unmarked(shown)):
            return False
        passages = [citation.passage for citation in citations]
        return any(p.id in self._near or self._words.touches(self._question, p) for p in passages)

    def _block(self, state: _State, block: Block) -> str:
        if block.sort == "row":
            return self._row(state, block.body)
        if block.sort == "fence" and self.by_model:
            return re.sub(r"[^`~\s].*", "", block.prefix)  # the name of a language is read by no guard
        if block.sort in ("rule", "fence", "other"):
            return block.prefix
        kept = state.around
        body = "".join(self._sentence(state, piece, block) for piece in pieces(block.body))
        if block.sort == "item":
            state.around = kept
        else:
            state.header = []
            given = tuple(n for _, numbers in markers(block.body) for n in numbers)
            state.intro = given if unmarked(block.body).rstrip(" *_\n").endswith(":") else ()
        return block.prefix + body

    def _growing(self, state: _State, block: Block) -> str:
        """The last block of an unfinished draft: whole sentences, and of the last one what can no longer be wrong."""
        if block.sort not in ("prose", "item", "heading"):
            return ""
        *whole, last = pieces(block.body)
        shown = "".join(self._sentence(state, piece, block) for piece in whole)
        risk = _RISKY.search(last) or _begun(last)
        return block.prefix + shown + (last[: risk.start()] if risk else last)

    def _sentence(self, state: _State, piece: str, block: Block) -> str:
        bare = unmarked(piece)
        checked = bare if self.by_model else self._unquoted(bare)
        given = tuple(n for _, numbers in markers(piece) for n in numbers)
        inherited = state.intro if block.sort == "item" and not given else ()
        found = state.carriers.carried(checked, given or inherited, state.around)
        state.around = self._reader.scope(bare).without(state.missing).over(state.around)
        if found.unheld is not None:
            return self._cut(state, piece, found)
        unsaid = self.by_model and block.sort != "heading" and not found.quotes
        text = self._numbered(state, piece, found, () if inherited and not self.by_model else None)
        if unsaid and self._words.is_claim(bare, bool(given)):
            state.removed.append(Removal("claim", piece.strip()))
            end = len(text.rstrip())
            text = f"{text[:end]} {NOT_FOUND}{text[end:]}"
        return text

    def _unquoted(self, text: str) -> str:
        """The text without what it repeats of the question: those figures are the asker's own."""
        return _QUOTED.sub(lambda m: " " * len(m.group()) if m.group(1) in self._question else m.group(), text)

    def _numbered(self, state: _State, piece: str, found: Found, only: tuple[int, ...] | None = None) -> str:
        """The sentence with its markers renumbered; evidence that it did not cite itself is cited at its end."""
        out: list[str] = []
        at, used = 0, set[int]()
        terms = {at: ", ".join(term for where, term in found.terms if where == at) for at, _ in found.terms}
        for match, numbers in markers(piece):
            marks = [self._mark(state, n, found) for n in numbers if n not in used]
            used.update(numbers)
            before = _with_terms(piece, at, match.start(), terms)
            out.append(before if any(marks) else before.rstrip(" "))
            out.append("".join(marks))
            at = match.end()
        out.append(_with_terms(piece, at, len(piece), terms))
        text = "".join(out)
        added = "".join(self._mark(state, n, found) for n in found.quotes if n not in used) if only is None else ""
        return _appended(text, added) if added else text

    def _mark(self, state: _State, number: int, found: Found) -> str:
        if not 1 <= number <= len(state.carriers.evidence):
            state.removed.append(Removal("marker", f"[{number}]"))
            return ""
        if number not in found.quotes:
            state.removed.append(Removal("citation", f"[{number}]"))
            return ""
        evidence = state.carriers.evidence[number - 1]
        return "".join(dict.fromkeys(f"[{self._number(state, evidence, q)}]" for q in found.quotes[number]))

    def _number(self, state: _State, evidence: Evidence, quote: Quote) -> int:
        if evidence.quote and _stands(evidence):
            quote = Quote(evidence.quote, evidence.cell)
        key = (evidence.passage.id, quote.text, f"{quote.cell}")
        if key not in state.numbers:
            state.numbers[key] = Citation(len(state.numbers) + 1, evidence.passage, quote.text, quote.cell)
        return state.numbers[key].number

    def _cut(self, state: _State, piece: str, found: Found) -> str:
        """The sentence up to the figure that nothing holds, and a word to the reader."""
        assert found.unheld is not None
        state.removed.append(Removal("figure", piece.strip()))
        for _, numbers in markers(piece):
            unknown = [n for n in numbers if not 1 <= n <= len(state.carriers.evidence)]
            state.removed += [Removal("marker", f"[{n}]") for n in unknown]
        risk = _RISKY.search(piece)
        start = min(found.unheld.figure.start, risk.start()) if risk else found.unheld.figure.start
        head = re.sub(r"[\s(*_]+$", "", piece[:start])
        return f"{head} {LEFT_OUT}".lstrip() + piece[len(piece.rstrip()) :]

    def _row(self, state: _State, row: str) -> str:
        """A row of a table: each cell is a claim about its row and its column."""
        parts = cells(row)
        if not state.header:
            state.header = [unmarked(part).strip() for part in parts]
            return "".join(self._cell(state, part, i, parts, Scope()) for i, part in enumerate(parts))
        name = next((unmarked(part).strip() for part in parts if part.strip(" |\n")), "")
        state.carriers.row = name
        text = "".join(self._cell(state, part, i, parts, self._reader.scope(name)) for i, part in enumerate(parts))
        state.carriers.row = ""
        return text

    def _cell(self, state: _State, part: str, at: int, parts: list[str], row: Scope) -> str:
        if part == "|" or not part.strip():
            return part
        column = state.header[at] if at < len(state.header) else ""
        bare = unmarked(part)
        own = [n for _, numbers in markers(part) for n in numbers]
        given = own or [n for other in parts for _, numbers in markers(other) for n in numbers] or list(state.intro)
        around = row.joined(self._reader.scope(column)).over(state.around)
        found = state.carriers.carried(bare, tuple(given), around)
        if found.unheld is not None:
            state.removed.append(Removal("figure", part.strip()))
            return f" {NO_CELL}{part[len(part.rstrip()) :]}"
        if self.by_model and not found.quotes and not figures(bare) and at > 1 and self._words.is_claim(bare):
            state.removed.append(Removal("claim", part.strip()))
            return f" {NO_CELL}{part[len(part.rstrip()) :]}"
        shown = found if own or (self.by_model and figures(bare)) else Found({})
        return self._numbered(state, part, shown)


def _begun(text: str) -> re.Match[str] | None:
    """The half of a word at the end of a growing text that may become a number."""
    half = re.search(r"[a-z]+$", text, re.IGNORECASE)
    return half if half and any(word.startswith(half.group().lower()) for word in _HELD_WORDS) else None


def _with_terms(piece: str, start: int, end: int, terms: dict[int, str]) -> str:
    text = piece[start:end]
    for at in sorted((at for at in terms if start < at <= end), reverse=True):
        text = f"{text[: at - start]} ({terms[at]}){text[at - start :]}"
    return text


def _appended(text: str, marks: str) -> str:
    """Markers before the full stop at the end, where there is one."""
    found = re.search(r"[.!?…]*[\"'”’)*_]*\s*$", text)
    at = found.start() if found else len(text)
    return f"{text[:at].rstrip()} {marks}{text[at:]}"


def _stands(evidence: Evidence) -> bool:
    """Whether the given quote is in the passage, or is the value of the named cell."""
    if evidence.cell is not None:
        return (evidence.cell.column, evidence.quote) in evidence.passage.cells
    return evidence.quote in evidence.passage.text
