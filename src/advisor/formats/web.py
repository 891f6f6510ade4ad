"""HTML → Markdown: what a browser shows of a page, with tables as tables, and nothing that could do something."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag
from markdownify import ATX, BACKSLASH, MarkdownConverter

from advisor.errors import CorpusError

UNSEEN = (
    "script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "svg", "math", "canvas",
    "audio", "video", "map", "nav", "button", "input", "select", "textarea", "datalist", "dialog",
)  # fmt: skip
"""Elements that hold no words of a guide: programs, other files, pictures, forms and menus."""
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_DATES = ("article:modified_time", "article:published_time", "date", "dcterms.modified", "dcterms.date")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile("[0-9]{1,9}")
_DEEPEST = 100
_WIDEST = 100
"""Columns of a table, and how many of its cells one may span."""
_BLOCKS = ("p", "div", "li", "br", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "dt", "dd")


def markdown(html: str, source: str) -> str:
    """The Markdown of a page, or of what Word and PDF were turned into.

    Raises:
        CorpusError: its elements are nested too deep to be read; names the file.
    """
    soup = BeautifulSoup(html, "html.parser")
    if _depth(soup) > _DEEPEST:
        raise CorpusError(f"{source}:1: nested too deep to be read.")
    title, day = _title(soup), _day(soup)
    for element in list(soup.find_all([*UNSEEN, "head", "title"])) + list(soup.find_all(_is_hidden)):
        element.decompose()
    for said in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        said.extract()  # comments, declarations and what only other programs read
    for picture in soup.find_all("img"):
        picture.replace_with(NavigableString(str(picture.get("alt") or "")))
    for table in reversed(soup.find_all("table")):
        _flatten(table, soup)
    for cell in soup.find_all(["tr", "td", "th"]):
        if not cell.find_parent("table"):
            cell.name = "div"
    for element in soup.find_all(True):
        start = str(element.get("start") or "")
        element.attrs = {"start": start} if _NUMBER.fullmatch(start) else {}
    if title and not soup.find("h1"):
        heading = soup.new_tag("h1")
        heading.string = title
        soup.insert(0, heading)
    soup.smooth()
    text = _Converter(
        heading_style=ATX, newline_style=BACKSLASH, escape_misc=True, bullets="-", table_infer_header=True
    ).convert_soup(soup)
    # A rule at the very top would read as the beginning of front matter.
    text = re.sub(r"\A(?:\s*---\s*\n)+", "", "\n".join(line.rstrip() for line in f"{text}\n".split("\n"))).strip()
    return (f"---\nas_of: {day}\n---\n\n{text}\n" if day else f"{text}\n") if text else ""


class _Converter(MarkdownConverter):
    """Leaves the addresses of links out: nothing that a file from elsewhere says leads out of the page."""

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A link is its words."""
        return text

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Code, in a fence that nothing inside of it closes."""
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        return f"\n\n{fence}\n{text.strip(chr(10))}\n{fence}\n\n" if text.strip() else ""

    def convert_dd(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A definition is a paragraph: CommonMark knows no other form for it."""
        return f"\n\n{text.strip()}\n\n"


def _depth(soup: BeautifulSoup) -> int:
    deepest, open_now = 0, [(child, 1) for child in soup.children if isinstance(child, Tag)]
    while open_now:
        element, depth = open_now.pop()
        deepest = max(deepest, depth)
        open_now += [(child, depth + 1) for child in element.children if isinstance(child, Tag)]
    return deepest


def _title(soup: BeautifulSoup) -> str:
    return " ".join(soup.title.get_text().split()) if soup.title else ""


def _day(soup: BeautifulSoup) -> str:
    """The day a page says it was last changed or published; what its figures hold for."""
    said = {str(meta.get("property") or meta.get("name")).lower(): str(meta.get("content")) for meta in soup("meta")}
    days = [found[0] for name in _DATES if (found := _DAY.match(said.get(name, "")))]
    return days[0] if days else ""


def _is_hidden(element: Tag) -> bool:
    return element.has_attr("hidden") or bool(_HIDDEN.search(str(element.get("style") or "")))


def _flatten(table: Tag, soup: BeautifulSoup) -> None:
    """A table as Markdown can hold it: a cell in every place, one line in each, and the first row its header.

    A cell that spans rows or columns is said again in each of them, for a row has to be understood alone.
    """
    if table.find_parent(["td", "th"]):
        for cell in table.find_all(["td", "th"]):
            cell.insert_after(" ")
        _unwrap(table)
        return
    rows = [row for row in table.find_all("tr") if row.find(["td", "th"])]
    grid = list(_grid(rows))
    width = max((len(row) for row in grid), default=0)
    caption = table.find("caption")
    title = caption.get_text(" ", strip=True) if caption else ""
    if width < 2 or len(grid) < 2:
        _unwrap(table)
        return
    for old in list(table.contents):
        old.extract()
    for number, row in enumerate(grid):
        made = soup.new_tag("tr")
        for text in [*row, *[""] * (width - len(row))]:
            cell = soup.new_tag("th" if number == 0 else "td")
            cell.string = text
            made.append(cell)
        table.append(made)
    if title:
        above = soup.new_tag("p")
        above.string = title if title.endswith(":") else f"{title}:"
        table.insert_before(above)


def _unwrap(table: Tag) -> None:
    """A table inside a cell, or one that only lays out a page, as the paragraphs it holds."""
    for part in table.find_all(["caption", "thead", "tbody", "tfoot", "colgroup", "tr", "td", "th"]):
        part.name = "div"
    table.name = "div"


def _grid(rows: list[Tag]) -> Iterator[list[str]]:
    held: dict[int, tuple[str, int]] = {}
    for row in rows:
        values: list[str] = []
        for cell in row.find_all(["td", "th"]):
            _fill(values, held)
            text, down = _one_line(cell), _span(cell, "rowspan")
            for _ in range(_span(cell, "colspan")):
                held |= {len(values): (text, down - 1)} if down > 1 else {}
                values.append(text)
        _fill(values, held)
        yield values[:_WIDEST]


def _fill(values: list[str], held: dict[int, tuple[str, int]]) -> None:
    """Put what comes down from the rows above where the row has arrived."""
    while (at := len(values)) in held:
        text, left = held.pop(at)
        values.append(text)
        if left > 1:
            held[at] = (text, left - 1)


def _span(cell: Tag, name: str) -> int:
    said = str(cell.get(name) or "1")
    return min(max(int(said), 1), _WIDEST) if said.isascii() and said.isdigit() else 1


def _one_line(cell: Tag) -> str:
    """The words of a cell; what stood on lines of its own is parted by semicolons where nothing else parts it."""
    for block in cell.find_all(_BLOCKS):
        block.insert_before("\n")
        block.insert_after("\n")
    lines = [" ".join(line.split()) for line in cell.get_text().split("\n")]
    kept = [line for line in lines if line]
    return " ".join(line if line[-1] in ".,;:!?" or line is kept[-1] else f"{line};" for line in kept)
