"""Markdown in, passages out: cuts a guide where a reader can understand the piece alone.

A list keeps the line that introduces it, a table row keeps its column headers, a ladder keeps its order, and every
passage knows its headings and lines. It does not know what any guide is about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from advisor import frontmatter
from advisor.errors import CorpusError
from advisor.plain import one_line, plain, untagged
from advisor.types import Guide, Kind, Passage
from advisor.words import slug

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

_ARROW = re.compile(r"^[\s↓⬇|v▼➜→>-]*[↓⬇▼|→➜][\s↓⬇|v▼➜→>-]*$|^v$")
_STARS = re.compile(r"^(?P<full>(?:⭐|★)\ufe0f?(?:(?:⭐|★)\ufe0f?)*)☆*$")
_DELIMITER_ROW = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)+\|?\s*$")
_LONGEST_LIST = 60
_CONTAINERS = ("blockquote_open", "bullet_list_open", "ordered_list_open", "list_item_open", "footnote_reference_open")
_DEEPEST = 100
"""Lists and quotes inside each other; the parser drops what is nested deeper."""
_DEEPEST_LINE = 200
"""Emphasis and links inside each other; more would exhaust Python's stack."""


def parse(text: str, source: str) -> tuple[Guide, tuple[Passage, ...]]:
    """One guide's passages, in order.

    Raises:
        CorpusError: the front matter or a table is malformed, or there is nothing to read; names file and line.
    """
    from markdown_it.tree import SyntaxTreeNode

    tokens = _markdown().parse(text)
    _check_depth(tokens, source)
    tree = SyntaxTreeNode(tokens)
    said = next((n.content for n in tree.children if n.type == "front_matter"), "")
    meta = frontmatter.read(said, source)
    first = next((one_line(n) for n in tree.walk() if n.type == "heading" and n.tag == "h1"), "")
    title = meta.title or first or Path(source).stem
    guide = Guide(source, title, text, meta.as_of, meta.region, meta.currency, meta.roles, meta.starters)
    passages = tuple(_Reader(guide).read(tree))
    if not passages:
        raise CorpusError(f"{source}:1: the guide has no text.")
    return guide, passages


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    return parser.use(front_matter_plugin).use(footnote_plugin, inline=False, move_to_end=False)


def _check_depth(tokens: Sequence[Token], source: str) -> None:
    """Nesting that the parser cuts off, or that could not be walked, is named instead of lost."""
    for token in tokens:
        deep = token.nesting == 1 and token.type in _CONTAINERS and token.level >= _DEEPEST - 1
        if deep or max((child.level for child in token.children or ()), default=0) > _DEEPEST_LINE:
            line = token.map[0] + 1 if token.map else 1
            raise CorpusError(f"{source}:{line}: nested too deep to be read.")


def _marked_lines(text: str) -> list[str]:
    """The lines of a paragraph in which each one starts with the same kind of symbol: a list by another name."""
    lines = [line.strip() for line in text.split("\n")]
    symbols = [re.match(r"[^\w\s\"'“‘(\[$£€*_`<+#-]+\ufe0f?\s*(?=\w)", line) for line in lines]
    return [line[s.end() :] for line, s in zip(lines, symbols, strict=True) if s] if all(symbols) else []


class _Intro(NamedTuple):
    """A paragraph that ends in a colon, held back until it is known what it introduces."""

    text: str
    lines: tuple[int, int]
    notes: tuple[str, ...]


class _Reader:
    """Walks one guide from top to bottom, keeping the headings it stands under."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.lines = guide.text.split("\n")
        self.path: list[tuple[int, str]] = [(1, guide.title)]
        self.counts: Counter[str] = Counter()
        self.tables = 0
        self.intro: _Intro | None = None
        self.bare: tuple[int, int] | None = None
        """Lines of a heading that nothing stands under yet."""

    def read(self, tree: SyntaxTreeNode) -> Iterator[Passage]:
        """Every passage of the guide, in order."""
        for node in tree.children:
            yield from self._block(node)
        yield from self._release()
        yield from self._leave_heading()

    def _block(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        if node.type == "heading":
            yield from self._release()
            yield from self._heading(node)
        elif node.type == "paragraph":
            yield from self._paragraph(node)
        elif node.type in ("bullet_list", "ordered_list"):
            yield from self._list(node)
        elif node.type in ("fence", "code_block"):
            yield from self._code(node)
        elif node.type == "table":
            yield from self._table(node)
        elif node.type == "html_block":
            yield from self._text(untagged(node.content), node)
        elif node.type in ("footnote_reference", "footnote_block"):
            yield from self._release()
            yield from self._notes(node)
        elif node.type in ("blockquote", "footnote"):
            for child in node.children:
                yield from self._block(child)
        elif node.type == "hr":
            yield from self._release()

    def _heading(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        level, title = int(node.tag[1]), one_line(node)
        if level <= self.path[-1][0]:
            yield from self._leave_heading()
        if level == 1:
            self.path = [(1, title)]
        else:
            self.path = [(deep, name) for deep, name in self.path if deep < level] + [(level, title)]
        self.bare = _lines(node)

    def _leave_heading(self) -> Iterator[Passage]:
        """A heading with nothing under it would be lost; it becomes a passage of its own."""
        if self.bare is not None:
            yield self._passage(self.path[-1][1], self.bare, "paragraph")

    def _paragraph(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        text = plain(node)
        lines = text.split("\n")
        first, last = _lines(node)
        if last > first and _DELIMITER_ROW.match(self.lines[first].lstrip("> \t")):
            self._malformed(first, "header and delimiter row of the table differ in their number of cells")
        if len(lines) > 1 and (items := _marked_lines(text)):
            yield from self._items([f"- {item}" for item in items], node, "list")
            return
        yield from self._text(text, node)

    def _text(self, text: str, node: SyntaxTreeNode) -> Iterator[Passage]:
        text = " ".join(text.split())
        yield from self._release()
        if not text:
            return
        if text.endswith(":"):
            self.intro = _Intro(text, _lines(node), _note_ids(node))
        else:
            yield self._passage(text, _lines(node), "paragraph", _note_ids(node))

    def _list(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        kind: Kind = "steps" if node.type == "ordered_list" else "list"
        yield from self._items(list(_item_lines(node, 0)), node, kind)

    def _items(self, items: list[str], node: SyntaxTreeNode, kind: Kind) -> Iterator[Passage]:
        intro, lines, notes = self._take_intro(node)
        for start in range(0, max(len(items), bool(intro)), _LONGEST_LIST):
            text = "\n".join(filter(None, [intro, *items[start : start + _LONGEST_LIST]]))
            yield replace(self._passage(text, lines, kind, notes), intro=intro)

    def _code(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        lines = [line.strip() for line in node.content.split("\n") if line.strip()]
        rungs = [line for line in lines if not _ARROW.match(line)]
        if len(rungs) < len(lines) and len(rungs) > 1:
            yield from self._items([f"{n}. {rung}" for n, rung in enumerate(rungs, 1)], node, "steps")
        elif lines:
            intro, span, notes = self._take_intro(node)
            yield replace(self._passage(node.content.rstrip("\n"), span, "code", notes), intro=intro)

    def _table(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        self._check(node)
        head, *body = [row for part in node.children for row in part.children]
        names = [one_line(cell) for cell in head.children]
        self.tables += 1
        table = f"{self.guide.source}#table-{self.tables}"
        intro, _, notes = self._take_intro(node, notes_of=head)
        best = max((_stars(plain(c)) for row in body for c in row.children), default=0)
        grid = [[_rating(one_line(cell), best) for cell in row.children] for row in body]
        if not body:
            yield self._passage("\n".join(filter(None, [intro, *names])), _lines(node), "paragraph", notes)
        # A column that holds footnote marks alone is empty once they are taken out.
        marks = {at for row in body for at, cell in enumerate(row.children) if _note_ids(cell)}
        every = range(len(names))
        kept = [at for at in every if at not in marks or any(values[at] for values in grid)] or every
        for row, values in zip(body, grid, strict=True):
            cells = tuple((names[at], values[at]) for at in kept)
            text = " | ".join(f"{name}: {value}" if name else value for name, value in cells)
            made = self._passage(text, _lines(row), "row", (*notes, *_note_ids(row)))
            yield replace(made, intro=intro, cells=cells, table=table)

    def _check(self, node: SyntaxTreeNode) -> None:
        """A row with more or fewer cells than its header would be cut or filled silently by the parser."""
        first, last = _lines(node)
        width = _cells(self.lines[first - 1])
        for number, line in enumerate(self.lines[first + 1 : last], first + 2):
            if line.strip() and _cells(line) != width:
                self._malformed(number, f"{_cells(line)} cells in a table with {width} columns")

    def _malformed(self, line: int, what: str) -> None:
        raise CorpusError(f"{self.guide.source}:{line}: malformed table: {what}.")

    def _notes(self, node: SyntaxTreeNode) -> Iterator[Passage]:
        """Footnote definitions, each a passage named by its label."""
        for note in node.children if node.type == "footnote_block" else [node]:
            text = " ".join(one_line(child) for child in note.children)
            if text.strip():
                label = str(note.meta.get("label") or note.meta.get("id", ""))
                yield self._passage(text, _lines(note), "note", (label,))

    def _take_intro(self, node: SyntaxTreeNode, notes_of: SyntaxTreeNode | None = None) -> _Intro:
        """The held line with the span and footnotes of it and the block together."""
        first, last = _lines(node)
        held, self.intro = self.intro, None
        notes = _note_ids(notes_of or node)
        if not held:
            return _Intro("", (first, last), notes)
        return _Intro(held.text, (held.lines[0], last), tuple(dict.fromkeys((*held.notes, *notes))))

    def _release(self) -> Iterator[Passage]:
        held, self.intro = self.intro, None
        if held:
            yield self._passage(held.text, held.lines, "paragraph", held.notes)

    def _passage(self, text: str, lines: tuple[int, int], kind: Kind, notes: tuple[str, ...] = ()) -> Passage:
        self.bare = None
        name = f"{self.guide.source}#{slug(self.path[-1][1])}"
        self.counts[name] += 1
        return Passage(
            id=f"{name}~{self.counts[name]}",
            text=text,
            source=self.guide.source,
            headings=tuple(title for _, title in self.path),
            first_line=lines[0],
            last_line=lines[1],
            as_of=self.guide.as_of,
            kind=kind,
            region=self.guide.region,
            currency=self.guide.currency,
            notes=notes,
        )


def _lines(node: SyntaxTreeNode) -> tuple[int, int]:
    first, end = node.map or next((n.map for n in node.walk() if n.map), (0, 1))
    return first + 1, max(end, first + 1)


def _note_ids(node: SyntaxTreeNode) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(n.meta["label"]) for n in node.walk() if n.type == "footnote_ref"))


def _item_lines(node: SyntaxTreeNode, depth: int) -> Iterator[str]:
    """A list's items as lines, with those of lists inside indented below theirs."""
    start = int(node.attrs.get("start", 1) or 1)
    for number, item in enumerate(node.children, start):
        mark = f"{number}." if node.type == "ordered_list" else "-"
        own = [child for child in item.children if child.type not in ("bullet_list", "ordered_list")]
        text = " ".join(" ".join((plain(child) or child.content).split()) for child in own)
        if text:
            yield f"{'  ' * depth}{mark} {text}"
        for child in item.children:
            if child not in own:
                yield from _item_lines(child, depth + 1)


def _cells(line: str) -> int:
    bare = re.sub(r"\\\\|\\\|", "", line.strip())
    return len(re.sub(r"^\||\|$", "", bare).split("|"))


def _stars(text: str) -> int:
    found = _STARS.match(text.strip())
    return len(re.findall("[⭐★☆]", text)) if found else 0


def _rating(text: str, best: int) -> str:
    """Stars as people say them; any other value as it is."""
    found = _STARS.match(text)
    return f"{len(re.findall('[⭐★]', found['full']))} of {best}" if found else text
