"""Which role fits me: the guides' own criteria, one at a time, until the order of the roles is settled.

Every role gets a statement first; after that, those that somebody warms to. The statements shown follow from the
replies alone, so the replies are all that is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Literal

from advisor.ui.markup import plain

if TYPE_CHECKING:
    from advisor.criteria import Criterion

Reply = Literal["agree", "disagree", "skip"]
WORTH = {"agree": 1, "disagree": -1, "skip": 0}
FEWEST = 3
"""Replies other than skips before there can be a result."""
MOST = 16
"""Statements that are shown at most."""


@dataclass(frozen=True, slots=True)
class Form:
    """How far somebody has come in the form: one reply for each statement shown."""

    replies: tuple[Reply, ...] = ()

    def replied(self, reply: Reply) -> Form:
        """The form with one more reply."""
        return replace(self, replies=(*self.replies, reply))

    @property
    def ready(self) -> bool:
        """Whether enough was said for a result."""
        return sum(reply != "skip" for reply in self.replies) >= FEWEST


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the form stands, as its replies tell."""

    shown: tuple[Criterion, ...]
    """The statements replied to, in order."""
    left: tuple[Criterion, ...]
    scores: Counter[str]
    """Agreements less disagreements of each role."""

    @property
    def next(self) -> Criterion | None:
        """The statement to show: of the roles close behind the first, the one asked about least."""
        if not self.left or len(self.shown) >= MOST:
            return None
        times = Counter(criterion.role for criterion in self.shown)
        best = max(self.scores[criterion.role] for criterion in self.left)
        return min(self.left, key=lambda c: (self.scores[c.role] < best - 1, times[c.role]))

    @property
    def settled(self) -> bool:
        """Whether no reply to what is left can change which role comes first."""
        if self.next is None:
            return True
        (first, best), *others = self.scores.most_common()
        left = Counter(criterion.role for criterion in self.left)
        budget = MOST - len(self.shown)
        return all(best - score > min(left[first] + left[role], budget) for role, score in others)


def standing(form: Form, criteria: Sequence[Criterion]) -> Standing:
    """Where a form stands among the guides' criteria."""
    now = Standing((), tuple(criteria), Counter({criterion.role: 0 for criterion in criteria}))
    for reply in form.replies:
        if (criterion := now.next) is None:
            break
        scores = Counter({role: score + WORTH[reply] * (role == criterion.role) for role, score in now.scores.items()})
        now = Standing((*now.shown, criterion), tuple(c for c in now.left if c is not criterion), scores)
    return now


def picked(form: Form, criteria: Sequence[Criterion], reply: Reply) -> tuple[Criterion, ...]:
    """The criteria that got this reply."""
    shown = standing(form, criteria).shown
    return tuple(criterion for criterion, given in zip(shown, form.replies, strict=False) if given == reply)


def settled(form: Form, criteria: Sequence[Criterion]) -> bool:
    """Whether the form is at its end: nothing left to show, or enough said and the first role certain."""
    now = standing(form, criteria)
    return now.next is None or (form.ready and now.settled)


def card(form: Form, criteria: Sequence[Criterion]) -> str:
    """The statement to reply to."""
    if not criteria:
        return '<p class="quiet">The guides name no criteria for choosing a role.</p>'
    now = standing(form, criteria)
    if now.next is None:
        return '<p class="quiet">That was the last statement.</p>'
    number, most = len(now.shown) + 1, min(MOST, len(criteria))
    return (
        f'<p class="quiet">Statement {number} of at most {most}</p>'
        f'<div class="progress" aria-hidden="true"><span style="width:{100 * (number - 1) / most:.0f}%"></span></div>'
        f'<p class="statement" role="status">{escape(plain(now.next.text))}</p>'
    )
