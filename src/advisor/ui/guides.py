"""A guide as the reader sees it: the whole text, with the exact words or the table cell of a citation marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from html import escape
from itertools import pairwise
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from advisor.types import Cell, Guide, Passage
from advisor.ui.markup import attribute, parser, plain
from advisor.words import slug

OPEN, CLOSE = '<mark class="cited">', "</mark>"


@cache
def _markdown() -> MarkdownIt:
    markdown = parser().use(front_matter_plugin).use(footnote_plugin)
    markdown.add_render_rule("front_matter", lambda *_: "")
    markdown.add_render_rule("link_open", _link)
    markdown.add_render_rule("footnote_caption", _caption)
    return markdown


def _link(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    href = str(tokens[index].attrGet("href") or "")
    if href.startswith(("http://", "https://")):
        return f'<a href="{attribute(href)}" target="_blank" rel="noopener noreferrer">'
    guide, _, anchor = unquote(href).partition("#")
    return f'<a href="#guide" data-action="open" data-source="{attribute(guide)}" data-anchor="{attribute(anchor)}">'


def _caption(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return escape(str(tokens[index].meta.get("label", tokens[index].meta["id"] + 1)))


@lru_cache(maxsize=32)
def _parsed(text: str) -> tuple[tuple[Token, ...], dict[str, object]]:
    env: dict[str, object] = {}
    return tuple(_markdown().parse(text, env)), env


def guide_html(
    guide: Guide, passage: Passage | None = None, quote: str = "", cell: Cell | None = None, anchor: str = ""
) -> str:
    """The guide as HTML; with a passage, its words (or its cell, with row and column) carry a mark."""
    parsed, env = _parsed(guide.text)
    tokens = [token.copy(attrs=dict(token.attrs)) for token in parsed]
    _anchor(tokens, anchor)
    if passage is not None:
        _mark(tokens, passage, quote, cell)
    return str(_markdown().renderer.render(tokens, _markdown().options, env))


def _anchor(tokens: Sequence[Token], anchor: str) -> None:
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            name = slug(plain(inline.content))
            opening.attrSet("id", f"guide-{name}")
            if anchor and name == anchor.lower():
                opening.attrSet("class", "target")


def _mark(tokens: Sequence[Token], passage: Passage, quote: str, cell: Cell | None) -> None:
    inlines = list(_between(tokens, passage.first_line - 1, passage.last_line))
    if cell is not None and _mark_cell(tokens, passage, cell):
        return
    if not any(_mark_words(inline, plain(line)) for line in quote.splitlines() or [""] for inline in inlines if line):
        for inline in inlines:
            _wrap_all(inline)


def _between(tokens: Sequence[Token], first: int, last: int) -> Iterable[Token]:
    """The inline tokens of the lines first … last-1, counted from 0."""
    for token in tokens:
        if token.type == "inline" and token.map and token.map[0] < last and token.map[1] > first:
            yield token


def _mark_words(inline: Token, words: str) -> bool:
    """Put marks around `words` in the text of a block, across bold and links; False when they are not there."""
    children = inline.children or []
    texts = [_shown(child) for child in children]
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    found = re.search(pattern, "".join(texts)) if pattern else None
    if not found:
        return False
    marked: list[Token] = []
    position = 0
    for child, text in zip(children, texts, strict=True):
        start, end = max(found.start() - position, 0), min(found.end() - position, len(text))
        marked += _split(child, text, start, end) if start < end else [child]
        position += len(text)
    inline.children = marked
    return True


def _shown(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type in ("text", "code_inline") else ""


def _split(child: Token, text: str, start: int, end: int) -> list[Token]:
    if child.type != "text":
        return [child] if child.type.endswith("break") else [_raw(OPEN), child, _raw(CLOSE)]
    pieces = [_text(text[:start]), _raw(OPEN), _text(text[start:end]), _raw(CLOSE), _text(text[end:])]
    return [piece for piece in pieces if piece.content]


def _wrap_all(inline: Token) -> None:
    inline.children = [_raw(OPEN), *(inline.children or []), _raw(CLOSE)]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _raw(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)


def _mark_cell(tokens: Sequence[Token], passage: Passage, cell: Cell) -> bool:
    """Mark one cell, its row and its column's header; False when the lines hold no such cell."""
    start = next((i for i, t in enumerate(tokens) if t.type == "tr_open" and _first(t) == passage.first_line - 1), None)
    if start is None:
        return False
    opening = max(i for i, token in enumerate(tokens[:start]) if token.type == "table_open")
    headers = _cells(tokens, opening, "th_open")
    column = next(
        (i for i, (_, inline) in enumerate(headers) if plain(inline.content).strip() == cell.column.strip()), None
    )
    row = _cells(tokens, start, "td_open")
    if column is None or column >= len(row):
        return False
    tokens[start].attrJoin("class", "cited-row")
    headers[column][0].attrJoin("class", "cited-header")
    row[column][0].attrJoin("class", "cited-cell")
    _wrap_all(row[column][1])
    return True


def _first(token: Token) -> int:
    return token.map[0] if token.map else -1


def _cells(tokens: Sequence[Token], start: int, kind: str) -> list[tuple[Token, Token]]:
    """The (opening, inline) tokens of the row's cells that begins at or after `start`."""
    found = []
    for index in range(start, len(tokens)):
        if tokens[index].type == kind:
            found.append((tokens[index], tokens[index + 1]))
        elif tokens[index].type == "tr_close":
            break
    return found
