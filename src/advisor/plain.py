"""What a reader sees of Markdown and of HTML: the words, without marks and tags.

Every step looks at each letter a bounded number of times, so that a hostile file takes no longer than its size allows.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)[^<>]*>")
_UNSEEN = re.compile(r"<(?:(!--)(?!-?>)|[!?]|(script|style)(?=[\s/>])[^<>]*>)", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])[^<>]*>", re.IGNORECASE) for name in ("script", "style")}
_ENDS |= {"!--": re.compile(r"--!?>"), "": re.compile(">")}
"""A browser takes `<!…>` and `<?…>` for comments as well."""
_INSIDE_A_LINE = frozenset(
    (
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font",
        "i", "img", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
        "sup", "time", "tt", "u", "var", "wbr",
    )
)  # fmt: skip
"""Tags that do not part two words; every other one does."""
_NOTE_MARK = re.compile(r"(?:\s*\0)+(?=\s*[).,;:!?])|\0")
"""A footnote mark goes with the space before it where a stop follows."""


def plain(node: SyntaxTreeNode) -> str:
    """What a reader sees of a piece of Markdown, its lines kept."""
    if node.type in ("text", "code_inline", "fence", "code_block"):
        return node.content
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type == "footnote_ref":
        return "\0"
    if node.type in ("html_block", "html_inline"):
        return untagged(node.content)
    between = "\n" if node.type not in ("inline", "image") and any(child.block for child in node.children) else ""
    text = between.join(plain(child) for child in node.children)
    return _NOTE_MARK.sub("", text) if node.type == "inline" else text


def one_line(node: SyntaxTreeNode) -> str:
    """The same on one line, with single spaces."""
    return " ".join(plain(node).split())


def untagged(text: str) -> str:
    """What a reader sees of HTML: no tags, comments, scripts or styles, and entities as letters."""
    return html.unescape(_TAG.sub(_gap, _seen(text)))


def _gap(tag: re.Match[str]) -> str:
    return "" if tag[1].lower() in _INSIDE_A_LINE else " "


def _seen(text: str) -> str:
    """HTML without what stands between tags and is not shown; what nobody closed is kept, lest words be lost."""
    kept: list[str] = []
    at = 0
    unclosed: set[re.Pattern[str]] = set()
    for opening in _UNSEEN.finditer(text):
        closing = _ENDS[(opening[1] or opening[2] or "").lower()]
        if opening.start() < at or closing in unclosed:
            continue
        end = closing.search(text, opening.end())
        if end is None:
            unclosed.add(closing)
            continue
        kept += [text[at : opening.start()], " " if opening[2] else ""]
        at = end.end()
    return "".join([*kept, text[at:]])
