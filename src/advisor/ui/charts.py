"""A plot of an answer's cited cells: pay as range bars, ratings as bars out of their maximum.

Nothing is drawn that is not cited, and the numbers stand beside the bars, so the plot reads without seeing it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from advisor.types import Answer, Citation
from advisor.ui.markup import plain
from advisor.ui.sources import spoken_date

_MONEY = re.compile(
    r"^\s*(?P<sign>[$€£])(?P<low>[\d.,]+)\s*(?P<lowk>[KkMm]?)(?:\s*[-–—]\s*[$€£]?(?P<high>[\d.,]+)\s*(?P<highk>[KkMm]?))?\+?\s*$"
)
_RATING = re.compile(r"^\s*(?P<given>\d+(?:\.\d+)?)\s+(?:of|out of)\s+(?P<most>\d+)\s*$")
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6}
MOST_BARS = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One cited cell as numbers; cells of one table and one unit stand in one plot."""

    citation: Citation
    low: float
    high: float
    unit: str
    text: str


def chart(answer: Answer) -> str:
    """A figure of the cited cells, or nothing when fewer than two can be compared."""
    bars = [bar for citation in answer.citations if (bar := _bar(citation))]
    groups: dict[tuple[str, str], list[Bar]] = {}
    for bar in bars:
        groups.setdefault((bar.unit, bar.citation.passage.table or bar.citation.passage.headings[-1]), []).append(bar)
    return "".join(_figure(group) for group in groups.values() if 2 <= len(group) <= MOST_BARS)


def _bar(citation: Citation) -> Bar | None:
    if citation.cell is None:
        return None
    text = plain(citation.quote).strip()
    if money := _MONEY.match(text):
        last = money["highk"] or money["lowk"]
        low = _number(money["low"], money["lowk"] or last)
        return Bar(citation, low, _number(money["high"], last) if money["high"] else low, money["sign"], text)
    if rating := _RATING.match(text):
        return Bar(citation, 0, float(rating["given"]), f"of {rating['most']}", text)
    return None


def _number(digits: str, times: str) -> float:
    return float(digits.replace(",", "").rstrip(".")) * _TIMES[times.lower()]


def _figure(bars: Sequence[Bar]) -> str:
    top = float(bars[0].unit.removeprefix("of ")) if bars[0].unit.startswith("of") else max(bar.high for bar in bars)
    cells = [cell for bar in bars if (cell := bar.citation.cell)]
    rows, columns = {cell.row for cell in cells}, {cell.column for cell in cells}
    grouped = len(rows) > 1 and len(columns) > 1
    parts, group = [], ""
    for bar, cell in zip(bars, cells, strict=True):
        if grouped and cell.row != group:
            group = cell.row
            parts.append(f'<li class="bar-group">{escape(plain(group))}</li>')
        parts.append(_row(bar, plain(cell.column if len(rows) == 1 or grouped else cell.row), top))
    return (
        f'<figure class="chart"><figcaption>{escape(_caption(bars))}</figcaption>'
        f'<ul class="bars">{"".join(parts)}</ul></figure>'
    )


def _row(bar: Bar, label: str, top: float) -> str:
    start, width = 100 * bar.low / top, max(100 * (bar.high - bar.low) / top, 1.2)
    return (
        f'<li><span class="bar-label">{escape(label)}</span>'
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false"><rect class="bar-track" x="0" y="4.2" width="100" height="1.6"/>'
        f'<rect class="bar-range" x="{min(start, 98.8):.1f}" y="1" width="{width:.1f}" height="8"/></svg>'
        f'<span class="bar-value">{escape(bar.text)}</span></li>'
    )


def _caption(bars: Sequence[Bar]) -> str:
    cells = [cell for bar in bars if (cell := bar.citation.cell)]
    passages = [bar.citation.passage for bar in bars]
    same = {c.column for c in cells} if len({c.row for c in cells}) > 1 else {c.row for c in cells}
    parts = [
        " / ".join(dict.fromkeys(plain(p.headings[-1]) for p in passages)),
        plain(same.pop()) if len(same) == 1 else "",
        " / ".join(dict.fromkeys(p.region for p in passages if p.region)),
        " / ".join(dict.fromkeys(spoken_date(p.as_of) for p in passages if p.as_of)),
    ]
    return " · ".join(part for part in parts if part)
