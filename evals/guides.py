"""The guides in numbers: what they state, what vouches for it, and which figures nothing vouches for.

`python -m evals.guides` prints the table of corpus/README.md. A statement is a paragraph, a list item or a table row;
a figure is any number in one that is no date, no list numeral and no part of a name (AI-300).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.samples import HERE

CHECKLIST = HERE.parent / "tests" / "facts.yaml"
SOURCES = "Sources"
"""The heading of a guide's footnotes."""
COLUMNS = ("Guide", "Figures as of", "Checklist facts", "Cited statements", "Figures", "Sources")

_MARK = re.compile(r"\[\^([\w-]+)\]")
_NOTE = re.compile(r"^\[\^([\w-]+)\]: (.+)$", re.MULTILINE)
_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_UNREAD = re.compile(r"\[\^[\w-]+\]|\]\([^)]*\)|<https?://[^>]*>|^\s*(?:[-*]|\d+\.)\s", re.MULTILINE)
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"\b(?:{_YEAR}-\d\d-\d\d|(?:(?:\d\d? )?{_MONTH} )?{_YEAR}(?:[–-](?:\d\d)?\d\d)?|\d\d? {_MONTH})\b(?![,.%]?\d|%)"
)
_NAME = re.compile(
    r"\b\d\d-\d{4}(?:\.\d\d)?\b|\b[A-Za-z][\w*]*(?:-[A-Z]*\d[\w.]*)+|\b[A-Za-z]+\d\w*|\b\d+(?:st|nd|rd|th|D)\b"
)
_NUMBER = r"\$?\d+(?:,\d{3})*(?:\.\d+)?[KM]?%?"
_COUNT = "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty)"
_FIGURE = re.compile(
    rf"{_NUMBER}(?:(?:–| (?:out )?of ){_NUMBER})?\+?"
    rf"|\b{_COUNT}[ -](?:hour|day|week|month|year|percent|dollar)s?\b"
    r"|\ba year of\b|\b(?:half|quarter|third|fifth|tenth) of\b|\bdozens\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A paragraph, list item or table row, as written."""

    line: int
    text: str
    marks: tuple[str, ...]
    """Ids of the footnotes in it or in the line that introduces it."""
    around: tuple[str, ...]
    """Ids in the opening paragraph of its section, or of the `##` section above."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A guide as it stands on file."""

    name: str
    about: dict[str, Any]
    """The front matter."""
    text: str
    """Everything, with the front matter, so that line numbers are those of the file."""
    statements: tuple[Statement, ...]
    notes: dict[str, str]
    """Footnote definitions by id."""

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading, in order."""
        return tuple(re.findall(r"^#{1,6} +(.+?) *$", self.text, re.MULTILINE))

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Figures that neither a footnote nor an attributed section vouches for, with file and line."""
        bare = (s for s in self.statements if not s.marks and not s.around)
        return tuple(f"{self.name}:{s.line}: {figure}" for s in bare for figure in figures(s.text))


def read(path: Path) -> Sheet:
    """One guide from its file."""
    import yaml

    text = path.read_text("utf-8")
    front = _FRONT.match(text)
    about = yaml.safe_load(front[1]) if front else {}
    return Sheet(path.name, about, text, tuple(_statements(text)), dict(_NOTE.findall(text)))


def read_all(corpus: Path) -> tuple[Sheet, ...]:
    """Every guide below a corpus folder, in the order of their paths."""
    from advisor.corpus import files

    return tuple(read(path) for path in files(corpus))


def figures(text: str) -> tuple[str, ...]:
    """The numbers a statement gives: money, shares, durations, counts, scores; spelled out where they measure time."""
    read = " ".join(_UNREAD.sub(" ", text).split())
    return tuple(found.group() for found in _FIGURE.finditer(_NAME.sub(" ", _DATE.sub(" ", read))))


def _statements(text: str) -> Iterator[Statement]:
    """The blocks of a guide from its first heading to its footnotes, each with the marks that vouch for it."""
    from markdown_it import MarkdownIt

    body = _FRONT.sub(lambda front: "\n" * front[0].count("\n"), text)
    lines = body.split("\n")
    level, items, in_header = 0, 0, False
    intro: tuple[str, ...] = ()
    opening: dict[int, tuple[str, ...]] = {}
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        items += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        in_header = {"thead_open": True, "thead_close": False}.get(token.type, in_header)
        if token.type not in ("heading_open", "paragraph_open", "tr_open") or in_header or not token.map:
            continue
        block = "\n".join(lines[token.map[0] : token.map[1]])
        marks = tuple(_MARK.findall(block))
        if token.type == "heading_open":
            if block.strip("# ") == SOURCES:
                return
            level, intro = int(token.tag[1]), ()
            opening = {above: marks for above, marks in opening.items() if above < level}
        elif items or token.type == "tr_open":
            yield Statement(token.map[0] + 1, block, tuple(dict.fromkeys((*marks, *intro))), _around(opening))
        else:
            opening.setdefault(level, marks)
            intro = marks if _MARK.sub("", block).rstrip().endswith(":") else ()
            yield Statement(token.map[0] + 1, block, tuple(dict.fromkeys(marks)), _around(opening))


def _around(opening: dict[int, tuple[str, ...]]) -> tuple[str, ...]:
    """What vouches for a whole section; the opening of the guide itself does not."""
    return tuple(mark for level in (2, 3) for mark in opening.get(level, ()))


def table(sheets: Sequence[Sheet], checklist: Iterable[dict[str, Any]]) -> str:
    """A Markdown table: how many facts, figures and sources each guide holds."""
    asked = [fact["heading"] for fact in checklist]
    lines: list[tuple[str, ...]] = [COLUMNS, ("---", "---", "--:", "--:", "--:", "--:")]
    totals = [0, 0, 0]
    for sheet in sheets:
        facts = sum(heading in sheet.headings for heading in asked)
        cited = sum(bool(statement.marks) for statement in sheet.statements)
        stated = sum(len(figures(statement.text)) for statement in sheet.statements)
        totals = [total + count for total, count in zip(totals, (facts, cited, stated), strict=True)]
        counts = map(str, (sheet.about["as_of"], facts, cited, stated, len(sheet.about["sources"])))
        lines.append((f"[{sheet.name}]({sheet.name})", *counts))
    pages = {source["address"] for sheet in sheets for source in sheet.about["sources"].values()}
    lines.append((f"{len(sheets)} guides", "", *map(str, totals), f"{len(pages)} pages"))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines).replace("|  |", "| |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of a corpus folder, and the figures without a source. Exit status 1 when there are any."""
    import yaml

    from advisor.settings import Settings

    given = list(sys.argv[1:] if arguments is None else arguments)
    sheets = read_all(Path(given[0]) if given else Settings.read().corpus)
    print(table(sheets, yaml.safe_load(CHECKLIST.read_text("utf-8"))))
    missing = [line for sheet in sheets for line in sheet.uncovered]
    for line in missing:
        print(f"no source: {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
