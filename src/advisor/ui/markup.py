"""Markdown → HTML that cannot do anything: no HTML of the writer's, no images, no forms, links only to the guides.

Answers come from a guide or from a language model, and neither is trusted. What is not understood is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKER = re.compile(r"\[(\d{1,3})\]")
_RANGE = re.compile(r"[$€£]?\d[\d.,]*[KkMm]?[-–][$€£]?\d[\d.,]*[KkMm]?[+%]?")  # not to be broken over two lines

Linker = Callable[[int], str]
"""From the number of a citation to its HTML; the empty string where there is no such citation."""


def parser() -> MarkdownIt:
    """A CommonMark parser with tables that keeps HTML as text and shows an image as its description."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("text", _words)
    markdown.add_render_rule("table_open", _scrolling)
    markdown.add_render_rule("table_close", _scrolled)
    return markdown


def _words(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return _RANGE.sub(r'<span class="figure">\g<0></span>', escape(tokens[index].content))


def _image(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return escape(tokens[index].content)


def _scrolling(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return '<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n'


def _scrolled(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return "</table></div>\n"


@cache
def _answers() -> MarkdownIt:
    markdown = parser()
    markdown.add_render_rule("link_open", lambda *_: "")
    markdown.add_render_rule("link_close", _address)
    return markdown


def _address(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    opening = next(token for token in reversed(tokens[:index]) if token.type == "link_open")
    href = str(opening.attrGet("href") or "")
    said = "".join(token.content for token in tokens[tokens.index(opening) : index])
    return "" if not href.startswith("http") or said == href else f' <span class="address">({escape(href)})</span>'


def answer_html(text: str, link: Linker) -> str:
    """An answer's Markdown as inert HTML; each `[n]` becomes what `link` makes of it."""
    markdown = _answers()
    tokens = markdown.parse(text)
    for block in tokens:
        if block.children:
            block.children = [piece for child in block.children for piece in _linked(child, link)]
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _linked(token: Token, link: Linker) -> list[Token]:
    if token.type != "text" or not _MARKER.search(token.content):
        return [token]
    pieces, end = [], 0
    for marker in _MARKER.finditer(token.content):
        pieces += [_text(token.content[end : marker.start()]), _raw(link(int(marker[1])))]
        end = marker.end()
    return [*pieces, _text(token.content[end:])]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _raw(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)


def plain(markdown_text: str) -> str:
    """The words of a line of Markdown without its marks."""
    tokens = _answers().parseInline(markdown_text)
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for token in tokens
        for child in token.children or ()
    )


def attribute(text: str) -> str:
    """Text as the value of an HTML attribute, line ends kept."""
    return escape(text, quote=True).replace("\n", "&#10;")
