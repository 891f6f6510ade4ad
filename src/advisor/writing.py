"""How a draft is put together: text and the evidence that its markers point at, and the small words of English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from advisor.types import Draft, Evidence, Passage

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Writing:
    """Collects what a draft says and what it cites."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.evidence: list[Evidence] = []

    def cite(self, evidence: Evidence) -> str:
        """The marker for a piece of evidence; the same evidence gets the same number."""
        if evidence not in self.evidence:
            self.evidence.append(evidence)
        return f"[{self.evidence.index(evidence) + 1}]"

    def quote(self, passage: Passage, line: str) -> str:
        """A line of a passage with its marker."""
        return f"{line.rstrip()} {self.cite(Evidence(passage, line))}"

    def add(self, *blocks: str) -> None:
        """Append paragraphs, lists or tables."""
        self.blocks += [block for block in blocks if block]

    def join(self, draft: Draft) -> None:
        """Append what another draft says, its markers counted on."""
        numbers = {str(n): self.cite(evidence) for n, evidence in enumerate(draft.evidence, 1)}
        self.add(re.sub(r"\[(\d+)\]", lambda m: numbers.get(m[1], m[0]), draft.text))

    def draft(self, missing: Iterable[str] = (), follow_ups: Iterable[str] = (), declined: bool = False) -> Draft:
        """What was written, as a draft."""
        text = "\n\n".join(self.blocks)
        return Draft(text, tuple(self.evidence), declined, tuple(dict.fromkeys(missing)), tuple(follow_ups))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as a phrase: `A, B and C`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def month(iso: str) -> str:
    """A date as people say it: `December 2025`; empty when there is none."""
    found = re.match(r"(\d{4})-(\d{2})", iso)
    return f"{_MONTHS[int(found[2]) - 1]} {found[1]}" if found else ""


def months_old(iso: str, today: date | None = None) -> int:
    """How many months ago a date was."""
    now = today or date.today()  # noqa: DTZ011 (the reader's own day)
    found = re.match(r"(\d{4})-(\d{2})", iso)
    return (now.year - int(found[1])) * 12 + now.month - int(found[2]) if found else 0


def article(noun: str) -> str:
    """A noun with `a` or `an`, by how its first letters are said."""
    first = noun.strip().partition(" ")[0]
    spelled = first.isupper() and len(first) < 4
    vowel = first[:1].lower() in ("aefhilmnorsx" if spelled else "aeiou")
    return f"{'an' if vowel else 'a'} {noun}"


def lowered(text: str) -> str:
    """A heading inside a sentence: its first letter small, unless the word is an abbreviation or a name in capitals."""
    first = text.split(" ", 1)[0]
    return text if any(c.isupper() for c in first[1:]) or len(first) == 1 else text[:1].lower() + text[1:]


def plain(text: str) -> str:
    """A sentence's words without a final stop, for use inside another one."""
    return text.strip().rstrip(".")
