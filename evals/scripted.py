"""Models by script, which know nothing but what they are sent: one that answers ideally, and one that lies.

They read the numbered passages out of the prompt as a model would. The ideal one knows from the golden samples which
facts are wanted and says the lines and cells that hold them; the liar says something true, and then its lie.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from advisor.llm.prompts import MISSING, NOT_COVERED
from advisor.types import Passage
from advisor.vocabulary import Vocabulary
from evals import lies
from evals.endpoint import Request
from evals.lies import Sentence
from evals.samples import UNDECIDED, Sample
from evals.wording import says_any, words

IDEAL = "ideal"
LIAR = "liar"
_MOST = 4
"""Sentences of an ideal answer to a question without a golden sample."""
_NUMBERED = re.compile(r"^\[(\d+)\] (.*)\n")
_TERMS = re.compile(r" \((?:figures of )?[^()]*\)$")


@dataclass(frozen=True, slots=True)
class Sent:
    """What a model was sent: the question, and the passages counted from 1."""

    question: str
    passages: tuple[Passage, ...] = ()
    text: str = ""
    """All of it."""

    def marked(self, sentence: Sentence) -> str:
        """A sentence about its first passage, cited by the number that it has here."""
        return sentence.text.replace("[1].", f"[{self.passages.index(sentence.passages[0]) + 1}].")


def sent(material: str) -> Sent:
    """The prompt taken apart again."""
    given, _, asked = material.partition("</passages>")
    question = asked.partition("<question>\n")[2].partition("\n</question>")[0]
    numbered: dict[int, Passage] = {}
    for part in given.removeprefix("<passages>\n").strip().split("\n\n"):
        numbered |= _prose(part) if _NUMBERED.match(part) else _rows(part)
    return Sent(question, tuple(passage for _, passage in sorted(numbered.items())), given)


def _prose(part: str) -> dict[int, Passage]:
    head = _NUMBERED.match(part)
    assert head
    text = part[head.end() :]
    lines = text.splitlines()
    intro = lines[0] if len(lines) > 1 and lines[0].endswith(":") else ""
    kind = "list" if re.search(r"^(?:[-*]|\d+\.) ", text, re.MULTILINE) else "paragraph"
    made = Passage(head[1], text, "", _headings(head[2]), 0, 0, intro=intro)
    return {int(head[1]): replace(made, kind="list") if kind == "list" else made}


def _rows(part: str) -> dict[int, Passage]:
    lines = part.splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    above = [line for line in lines if not line.startswith("| ")]
    if len(table) < 3:
        return {}
    made = {}
    for marker, *values in table[2:]:
        cells = tuple(zip(table[0][1:], values, strict=False))
        text = "\n".join(f"{column}: {value}" for column, value in cells)
        row = Passage(marker, text, "", _headings(above[0]), 0, 0, intro=" ".join(above[1:]), cells=cells)
        made[int(marker.strip("[]"))] = replace(row, kind="row", table=above[0])
    return made


def _headings(place: str) -> tuple[str, ...]:
    return tuple(_TERMS.sub("", place).split(" > "))


def nearest(to: Sent, most: int = _MOST) -> list[Sentence]:
    """True sentences that share the most words with the question."""
    asked = words(to.question)
    every = list(lies.true(to.passages))
    every.sort(key=lambda said: -len(asked & words(f"{said.text} {said.passages[0].headings[-1]}")))
    return every[:most]


@dataclass(slots=True)
class Ideal:
    """Says what a right answer holds, as far as it was sent; refuses what the guides are known not to answer."""

    samples: Mapping[str, Sample]
    """By question, as asked and as written out."""
    told: list[Sentence] = field(default_factory=list)

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Ideal:
        """One that knows these samples."""
        every = tuple(samples)
        return cls({s.standalone: s for s in every if s.standalone} | {s.question: s for s in every if not s.turns})

    def __call__(self, request: Request) -> str:
        """The reply to one request."""
        if "<passages>" not in request.material:
            return self._rewritten(request.material)
        got = sent(request.material)
        sample = self.samples.get(got.question)
        if sample is not None and sample.decline:
            self.told = []
            return f"{NOT_COVERED}: {got.question}"
        if sample is not None and sample.role == (UNDECIDED,):
            self.told = []
            return "What have you done so far, and what do you enjoy?"
        self.told = self.holding(got) or self.suiting(got)
        text = "\n\n".join(map(got.marked, self.told or nearest(got)))
        lacking = "; ".join(_asked_with(forms, got.question) for forms in sample.missing) if sample else ""
        return f"{text}\n{MISSING}: {lacking}" if lacking else text

    def suiting(self, got: Sent) -> list[Sentence]:
        """For a profile, the lines that say whom the role suits that is expected, as far as they were sent."""
        sample = self.samples.get(got.question)
        for role in sample.role if sample else ():
            for passage in got.passages:
                if passage.kind == "list" and role in f"{passage.headings[-1]} {passage.intro}":
                    return [Sentence(f"{role}: {line} [1].", (passage,)) for line in lies.claims(passage)[:_MOST]]
        return []

    def holding(self, got: Sent) -> list[Sentence]:
        """For each fact that is wanted, the first line or cell that says it, nearest to the question first."""
        sample, every = self.samples.get(got.question), nearest(got, 10_000)
        if sample is None:
            return []
        if sample.value:
            return [said for said in every if said.text == f"{sample.row}, {sample.column}: {sample.value} [1]."][:1]
        found = (next((said for said in every if says_any(said.text, fact.any)), None) for fact in sample.facts)
        return list(dict.fromkeys(said for said in found if said))

    def _rewritten(self, material: str) -> str:
        """The question as a person wrote it out, where a sample of this conversation has it."""
        before, _, asked = material.partition("</turns>")
        question = asked.partition("<question>\n")[2].partition("\n</question>")[0]
        for sample in self.samples.values():
            if sample.turns and sample.question == question and sample.turns[-1].question in before:
                return sample.standalone
        return question


def _asked_with(forms: Sequence[str], question: str) -> str:
    """The name for what is missing that the question itself uses."""
    return next((form for form in forms if words(form) <= words(question)), forms[0])


Liars = Mapping[str, Callable[[Sent], Iterable[Sentence]]]


@dataclass(slots=True)
class Liar:
    """Says the first sentence of an ideal answer and then a lie, of the kind it has told least so far."""

    liars: Liars
    ideal: Ideal
    most: int = 10_000
    """How many lies of a kind it tells."""
    told: Counter[str] = field(default_factory=Counter)
    kind: str = ""
    """Kind of the last lie; empty when there was none."""
    lie: Sentence | None = None
    truth: tuple[Sentence, ...] = ()
    chance: random.Random = field(default_factory=lambda: random.Random(4711))

    def __call__(self, request: Request) -> str:
        """The reply to one request."""
        if "<passages>" not in request.material:
            return request.material.partition("</turns>")[2].partition("<question>\n")[2].partition("\n</question>")[0]
        got = sent(request.material)
        self.kind, self.lie, self.truth = "", None, tuple(self.ideal.holding(got)[:1])
        first = "\n\n".join(map(got.marked, self.truth or nearest(got, 1)))
        for kind in sorted(self.liars, key=lambda kind: self.told[kind]):
            possible = [said for said in self.liars[kind](got) if not lies.said(said.lie, first)]
            if possible and self.told[kind] < self.most:
                self.kind, self.lie = kind, self.chance.choice(possible)
                self.told[kind] += 1
                return f"{first}\n\n{got.marked(self.lie)}"
        return first


def liars(passages: Sequence[Passage], vocabulary: Vocabulary, chance: random.Random) -> Liars:
    """Every kind of lie about what was sent; `passages` are the guides, which tell what is true elsewhere."""
    held = lies.amounts(passages, vocabulary)
    roles = list(vocabulary.roles)

    def unknown(got: Sent, told: Iterable[Sentence]) -> Iterable[Sentence]:
        return (said for said in told if not lies.said(said.lie, got.text))

    def misnamed(kind: str) -> Callable[[Sent], Iterable[Sentence]]:
        return lambda got: lies.wrong_names(got.passages, vocabulary, kind, held)

    return {
        "wrong figure": lambda got: unknown(got, lies.wrong_figures(got.passages, chance)),
        "wrong day or year": lambda got: unknown(got, lies.wrong_dates(got.passages, chance)),
        "right figure of another role": misnamed("roles"),
        "right figure of another level": misnamed("levels"),
        "right figure of another region": misnamed("regions"),
        "right figure of another row or column": lambda got: lies.borrowed_figures(got.passages),
        "phantom citation": lambda got: lies.phantoms(got.passages),
        "unsupported sentence": lambda got: lies.unsupported(got.passages, roles),
        "sentence about another role": lambda got: lies.misattributed(got.passages, roles),
    }


@dataclass(slots=True)
class Beside:
    """Answers whatever it is asked: with a true sentence about something else, or with an invented yes."""

    invents: bool = False
    said: str = ""
    """What it said last."""

    def __call__(self, request: Request) -> str:
        """The reply to one request."""
        got = sent(request.material)
        if self.invents:
            self.said = f"Yes: {got.question.strip(' ?!.')} [1]."
        else:
            self.said = "".join(map(got.marked, nearest(got, 1)))
        return self.said
