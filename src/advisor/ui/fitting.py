"""Which role fits me: the guides' own criteria, one at a time, until the order of the roles is settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Literal

from advisor.ui.markup import plain

if TYPE_CHECKING:
    from advisor.profiles import Criterion

Reply = Literal["agree", "disagree", "skip"]
FEWEST = 3
"""Replies other than skips before a result can be asked for."""


@dataclass(frozen=True, slots=True)
class Form:
    """How far somebody has come in the form: one reply for each criterion shown."""

    replies: tuple[Reply, ...] = ()

    def replied(self, reply: Reply) -> Form:
        """The form with one more reply."""
        return replace(self, replies=(*self.replies, reply))

    def picked(self, criteria: Sequence[Criterion], reply: Reply) -> tuple[Criterion, ...]:
        """The criteria that got this reply."""
        return tuple(c for c, given in zip(criteria, self.replies, strict=False) if given == reply)

    @property
    def ready(self) -> bool:
        """Whether enough was said for a result."""
        return sum(reply != "skip" for reply in self.replies) >= FEWEST


def deck(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """The criteria with the roles taking turns, so that no role is asked about on and on."""
    roles = dict.fromkeys(criterion.role for criterion in criteria)
    columns = [[c for c in criteria if c.role == role] for role in roles]
    return tuple(c for c in chain.from_iterable(zip_longest(*columns)) if c is not None)


def settled(form: Form, criteria: Sequence[Criterion]) -> bool:
    """Whether nothing is left to ask, or no reply to what is left can change which role comes first."""
    if len(form.replies) >= len(criteria):
        return True
    scores: Counter[str] = Counter({criterion.role: 0 for criterion in criteria})
    for criterion, reply in zip(criteria, form.replies, strict=False):
        scores[criterion.role] += {"agree": 1, "disagree": -1, "skip": 0}[reply]
    left = Counter(criterion.role for criterion in criteria[len(form.replies) :])
    (first, best), *others = scores.most_common()
    return form.ready and all(best - left[first] > score + left[role] for role, score in others)


def card(form: Form, criteria: Sequence[Criterion]) -> str:
    """The statement to reply to."""
    if not criteria:
        return '<p class="quiet">The guides name no criteria for choosing a role.</p>'
    if len(form.replies) >= len(criteria):
        return '<p class="quiet">That was the last one.</p>'
    number, most = len(form.replies) + 1, len(criteria)
    statement = plain(criteria[len(form.replies)].text)
    return (
        f'<p class="quiet">Statement {number} of at most {most}</p>'
        f'<div class="progress" aria-hidden="true"><span style="width:{100 * (number - 1) / most:.0f}%"></span></div>'
        f'<p class="statement" role="status">{escape(statement)}</p>'
    )
