"""The guides' own reasons to choose a role: the lines of their "Choose X if" lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from advisor.types import Passage
from advisor.vocabulary import Vocabulary, english
from advisor.words import folded


@dataclass(frozen=True, slots=True)
class Criterion:
    """A guide's reason to choose a role."""

    role: str
    text: str
    passage: Passage


def read(passages: Iterable[Passage], vocabulary: Vocabulary) -> tuple[Criterion, ...]:
    """The lines of lists whose heading or intro says that they are about whom one role suits."""
    found: dict[tuple[str, str], Criterion] = {}
    for passage in passages:
        if passage.kind != "list":
            continue
        for said in (passage.headings[-1], passage.intro):
            roles = vocabulary.slots(said).roles or vocabulary.slots(passage.headings[-1]).roles
            if len(roles) == 1 and roles[0] in vocabulary.roles and _heading().search(folded(said)):
                for line in passage.lines:
                    if line != passage.intro:
                        found.setdefault((roles[0], line), Criterion(roles[0], line, passage))
                break
    return tuple(found.values())


@lru_cache(maxsize=1)
def _heading() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(english()["criteria"]) + r")\b")
