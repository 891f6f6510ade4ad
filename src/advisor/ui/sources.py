"""What stands beside the chat: the cited passages, one guide with its marks, or what a search in the guides found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import TYPE_CHECKING

from advisor.types import Cell, Citation, Guide, Hit, Passage
from advisor.ui.guides import guide_html
from advisor.ui.keeping import Exchange
from advisor.ui.markup import answer_html, attribute, plain

if TYPE_CHECKING:
    from advisor.chat import Status


def spoken_date(iso: str) -> str:
    """`2025-12-27` as `December 2025`; anything else as it is."""
    try:
        return date.fromisoformat(iso).strftime("%B %Y")
    except ValueError:
        return iso


def place(passage: Passage) -> str:
    """The headings above a passage, from the section down."""
    return " › ".join(passage.headings[1:] or passage.headings)


def cited(exchange: Exchange, turn: int) -> str:
    """The passages that an answer cites, or, when it was declined, that nothing is cited and what is closest."""
    if not exchange.answer.citations:
        return _uncited(exchange)
    same: dict[str, list[Citation]] = {}
    for citation in exchange.answer.citations:
        same.setdefault(citation.passage.id, []).append(citation)
    cards = "".join(_card(citations, turn) for citations in same.values())
    return f'<h2 class="panel-title">Cited in this answer</h2><ol class="cards">{cards}</ol>'


def _uncited(exchange: Exchange) -> str:
    if not exchange.answer.declined:
        return '<h2 class="panel-title">Sources</h2><p class="quiet">The passages an answer cites appear here.</p>'
    return (
        '<h2 class="panel-title">Nothing cited</h2><p class="quiet">The guides do not answer this question.</p>'
        + closest(exchange.answer.hits)
    )


def closest(hits: Sequence[Hit]) -> str:
    """Links to the sections nearest to a question that the guides do not answer."""
    links = {place(hit.passage): hit.passage for hit in hits}
    items = "".join(
        f'<li><a href="#guide" data-action="open" data-passage="{attribute(passage.id)}">{escape(name)}</a></li>'
        for name, passage in list(links.items())[:3]
    )
    return f'<p class="closest-title">Closest sections</p><ul class="closest">{items}</ul>' if items else ""


def _card(citations: Sequence[Citation], turn: int) -> str:
    """One passage with all that an answer cites of it."""
    passage = citations[0].passage
    dated = f" · {escape(spoken_date(passage.as_of))}" if passage.as_of else ""
    whole = passage.cells and all(citation.cell for citation in citations)
    return (
        f'<li class="card"><p class="card-head">{"".join(_number(citation, turn) for citation in citations)} '
        f'<span class="card-place">{escape(place(passage))}</span></p>'
        f"{_row(passage, citations) if whole else ''.join(_quoted(citation) for citation in citations)}"
        f'<p class="card-source">{escape(passage.source)}, line {passage.first_line}{dated}</p></li>'
    )


def _number(citation: Citation, turn: int) -> str:
    return (
        f'<a class="cite" href="#guide" data-action="cite" data-turn="{turn}" data-number="{citation.number}" '
        f'aria-label="Open source {citation.number} in the guide">{citation.number}</a>'
    )


def _quoted(citation: Citation) -> str:
    return f'<blockquote><mark class="cited">{escape(plain(citation.quote))}</mark></blockquote>'


def _row(passage: Passage, citations: Sequence[Citation]) -> str:
    """The cited row on its own, headers beside the values, the cited cells marked."""
    columns = {citation.cell.column for citation in citations if citation.cell}
    rows = "".join(
        f'<tr><th scope="row">{escape(plain(header))}</th><td>{_value(value, header in columns)}</td></tr>'
        for header, value in passage.cells
    )
    return f'<table class="card-table"><tbody>{rows}</tbody></table>'


def _value(value: str, marked: bool) -> str:
    shown = escape(plain(value))
    return f'<mark class="cited">{shown}</mark>' if marked else shown


def shelf(guides: Sequence[Guide]) -> str:
    """The guides there are, each a link that opens it."""
    items = "".join(
        f'<li><a href="#guide" data-action="open" data-source="{attribute(guide.source)}">{escape(guide.title)}</a>'
        f'<span class="quiet">{escape(_terms(guide))}</span></li>'
        for guide in guides
    )
    return (
        '<h2 class="panel-title">The guides</h2><p class="quiet">Every answer is put together from these and '
        f'links to the lines it rests on.</p><ul class="shelf">{items}</ul>'
    )


def status(now: Status) -> str:
    """Which guides answer, of when, and who words the answers."""
    dates = [guide.as_of for guide in now.guides if guide.as_of]
    newest = f", {spoken_date(max(dates))}" if dates else ""
    guides = f"{len(now.guides)} guides{newest}" if len(now.guides) != 1 else f"{now.guides[0].title}{newest}"
    by = "offline, nothing leaves this machine" if now.answerer == "offline" else f"worded by {now.answerer}"
    return f'<p class="status" role="status">{escape(guides)} · {now.passages:,} passages · {escape(by)}</p>'


def _terms(guide: Guide) -> str:
    return " · ".join(filter(None, (guide.region, guide.currency, spoken_date(guide.as_of))))


def opened(
    guide: Guide, passage: Passage | None = None, quote: str = "", cell: Cell | None = None, anchor: str = ""
) -> str:
    """One guide to read, scrolled by the page to what is marked."""
    terms = _terms(guide)
    return (
        f'<p class="panel-back"><button type="button" class="link" data-action="sources">← Back</button></p>'
        f'<p class="quiet guide-terms">{escape(guide.source)}{" · " if terms else ""}{escape(terms)}</p>'
        f'<div class="guide" data-scroll="yes">{guide_html(guide, passage, quote, cell, anchor)}</div>'
    )


def found(query: str, passages: Iterable[Passage]) -> str:
    """What a search in the guides found, each a link that opens the guide there."""
    items = "".join(
        '<li class="card"><a class="card-open" href="#guide" data-action="open" '
        f'data-passage="{attribute(passage.id)}">'
        f'<span class="card-place">{escape(place(passage))}</span></a>'
        f'<div class="snippet">{answer_html(_snippet(passage, query), lambda _: "")}</div></li>'
        for passage in passages
    )
    back = '<p class="panel-back"><button type="button" class="link" data-action="sources">← Back</button></p>'
    title = f'<h2 class="panel-title">Found for “{escape(query)}”</h2>'
    return (
        back + title + (f'<ul class="cards">{items}</ul>' if items else '<p class="quiet">Nothing in the guides.</p>')
    )


def _snippet(passage: Passage, query: str) -> str:
    line = next((line for line in passage.lines if query.lower() in line.lower()), passage.text)
    return line if len(line) <= 240 else line[:240].rsplit(" ", 1)[0] + " …"
