"""Whether a citation is one, and whether it holds what it is cited for: exact, by words and figures, no model asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from advisor.types import Citation, Passage
from evals.figures import DATE, Names, agrees, figures, holds
from evals.units import Unit
from evals.wording import folded, words

ENOUGH = 0.5
"""Share of a sentence's words that a quote (with its headings and headers) must hold to support it."""


def phantom(citation: Citation, passages: Mapping[str, Passage]) -> str:
    """Why a citation is none: its passage is not in the corpus, or does not hold its quote; empty when it is one."""
    passage = passages.get(citation.passage.id)
    if passage is None or passage.text != citation.passage.text:
        return "is no passage of the corpus"
    if not citation.quote.strip():
        return "quotes nothing"
    if citation.cell is None:
        held = (
            citation.quote in passage.text
            or citation.quote in passage.intro
            or folded(citation.quote) in folded(passage.text)
        )
        return "" if held else "quotes words that are not in its passage"
    cells = {folded(header): folded(value) for header, value in passage.cells}
    if not cells or folded(passage.cells[0][1]) != folded(citation.cell.row):
        return f"names a row {citation.cell.row!r} that its passage is not"
    if cells.get(folded(citation.cell.column)) != folded(citation.quote):
        return f"names a cell {citation.cell.column!r} that does not hold {citation.quote!r}"
    return ""


def supported(unit: Unit, cited: Mapping[int, Citation], names: Names, question: str) -> bool:
    """Whether the citations that a claim carries hold its figures and enough of its words between them."""
    carried = [cited[number] for number in unit.numbers if number in cited]
    fitting = [citation for citation in carried if any(agrees(part, citation, names) for part in unit.segments)]
    if not fitting:
        return False
    known = figures(question, True)
    for figure in figures(unit.text):
        if not any(holds(figure, citation) for citation in fitting) and not any(
            figure.held_by(other) for other in known
        ):
            return False
    claim = _claim_words(unit, fitting)
    held = frozenset().union(*map(_quote_words, fitting)) | words(question)
    return not claim or len(claim & held) / len(claim) >= ENOUGH


def supports(citation: Citation, unit: Unit, names: Names) -> bool:
    """Whether one citation bears on a claim: it shares a figure, or half the shorter's words, for the same role."""
    part = next((part for part in unit.segments if citation.number in part.numbers), unit)
    if not agrees(part, citation, names):
        return False
    if folded(citation.quote) and folded(citation.quote) in folded(unit.text):
        return True
    mine, theirs = figures(unit.text), figures(citation.quote, True)
    if mine and theirs and any(figure.held_by(other) for figure in mine for other in theirs):
        return True
    claim, quote = _claim_words(unit, (citation,)), words(citation.quote)
    if not claim or not quote:
        return False
    common = len(claim & (quote | _header_words(citation)))
    return (
        len(claim & quote) / min(len(claim), len(quote)) >= ENOUGH
        or common / len(claim) >= ENOUGH
        and bool(claim & quote)
    )


def _claim_words(unit: Unit, carried: Iterable[Citation]) -> frozenset[str]:
    """Its words without the terms of money (region, currency, date), which come from the guide, not the quote."""
    terms = " ".join(
        f"{c.passage.region} {c.passage.currency} {' '.join(DATE.findall(folded(unit.text)))} guide" for c in carried
    )
    return words(unit.text) - words(terms)


def _header_words(citation: Citation) -> frozenset[str]:
    cell = citation.cell
    return words(
        " ".join((*citation.passage.headings, citation.passage.intro, *((cell.row, cell.column) if cell else ())))
    )


def _quote_words(citation: Citation) -> frozenset[str]:
    return words(citation.quote) | _header_words(citation)
