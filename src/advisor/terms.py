"""Money with its terms: whatever an answer says about pay carries region, currency and the date of the guide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from advisor.types import Citation, Passage
from advisor.vocabulary import Vocabulary, english
from advisor.writing import listed, month, months_old

MONEY = re.compile(r"[$£€]\s?\d|\b(?:USD|EUR|GBP)\s?\d")
OLD = 12
"""A guide older than this many months is said to be so."""


def stated(text: str, cited: Sequence[Citation], vocabulary: Vocabulary, today: date | None = None) -> str:
    """The text with a closing line of terms when it speaks of money, and of age when its guide is old."""
    lines = []
    paid = [c.passage for c in cited if MONEY.search(c.quote)]
    if MONEY.search(text) and paid:
        lines.append(_terms(paid, vocabulary))
    old = {month(c.passage.as_of) for c in cited if months_old(c.passage.as_of, today) > OLD}
    if old:
        lines.append(f"The guide this comes from is more than {OLD} months old ({listed(sorted(old))}).")
    return text + "".join(f"\n\n*{line}*" for line in lines)


def _terms(paid: Sequence[Passage], vocabulary: Vocabulary) -> str:
    regions = dict.fromkeys(name for passage in paid for name in _regions(passage, vocabulary))
    currencies = dict.fromkeys(_currency(passage) for passage in paid)
    dates = dict.fromkeys(filter(None, (month(passage.as_of) for passage in paid)))
    said = [listed(list(regions)), listed([c for c in currencies if c])]
    if dates:
        said.append(f"as of {listed(list(dates))}")
    return "Figures: " + ", ".join(filter(None, said)) + "."


def _regions(passage: Passage, vocabulary: Vocabulary) -> list[str]:
    """Where a passage's figures hold: what it names itself, and its guide's region."""
    words = " ".join([*passage.headings[1:], passage.intro, passage.text])
    named = list(vocabulary.slots(words).regions)
    return list(dict.fromkeys([*named, passage.region])) if passage.region not in ("", "Worldwide") else named


def _currency(passage: Passage) -> str:
    names: dict[str, str] = english()["currencies"]
    symbol = re.search(r"[$£€]", passage.text)
    return names.get(passage.currency) or passage.currency or names.get(symbol.group() if symbol else "", "")
