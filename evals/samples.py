"""Samples: one question each, with what a right answer holds. The format is described in evals/README.md.

`python -m evals.samples` checks every line of evals/golden*.jsonl, each label against the corpus.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evals.wording import folded

HERE = Path(__file__).resolve().parent
"""The folder of the samples, floors and report."""

ANSWERABLE = ("direct", "paraphrase", "fragment", "comparison", "superlative", "list", "cell", "how-long")
UNANSWERABLE = ("near-miss", "off-topic", "garbage")
KINDS = (*ANSWERABLE, "profile", "multi-turn", "partial", *UNANSWERABLE, "injection", "small-talk")
"""Every kind of sample, in the order of the report."""
SORTS = ("role", "level", "region", "topic", "which", "why", "pronoun", "and", "change", "self-contained")
"""What a follow-up can do to the conversation."""
UNDECIDED = "undecided"
"""The role of a profile that says too little."""

Split = Literal["dev", "test"]
_FIELDS = frozenset(
    ("id", "kind", "turns", "question", "standalone", "sort", "facts", "labels", "decline", "missing", "role", "never")
)


class SampleError(Exception):
    """Samples that cannot be used; one line each, with file and line."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a right answer says, in any of the acceptable forms."""

    any: tuple[str, ...]
    vital: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier turn; without an answer, the advisor's own is used."""

    question: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A question and what a right answer to it holds."""

    id: str
    kind: str
    question: str
    turns: tuple[Earlier, ...] = ()
    standalone: str = ""
    sort: str = ""
    facts: tuple[Fact, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()
    """Each entry lists places of which one is enough, as `file.md#Heading`."""
    decline: bool = False
    missing: tuple[tuple[str, ...], ...] = ()
    """Each entry lists acceptable forms of one missing part."""
    role: tuple[str, ...] = ()
    """Acceptable first roles of a profile."""
    never: tuple[str, ...] = ()
    value: str = ""
    """For a generated table question: the exact value of the cell."""
    row: str = ""
    column: str = ""
    passage: tuple[str, ...] = ()
    """For a generated table question: the passages of this row (several where a table repeats a row's name)."""

    @property
    def conversation(self) -> str:
        """Samples of one conversation are resampled together and never divided between the splits."""
        return self.id.rpartition(".")[0]

    @property
    def split(self) -> Split:
        """`dev` or `test`, by a fixed hash of the conversation's name."""
        return "test" if hashlib.sha256(self.conversation.encode()).digest()[0] % 2 else "dev"

    @property
    def digest(self) -> str:
        """Changes when anything about the sample does: only equal samples are compared with a baseline."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def headings(corpus: Path) -> dict[str, frozenset[str]]:
    """The folded headings of each guide below a corpus folder, read from the Markdown itself."""
    return {
        path.relative_to(corpus).as_posix(): frozenset(_headings_of(path.read_text("utf-8", "replace")))
        for path in sorted(corpus.rglob("*.md"))
    }


def _headings_of(text: str) -> Iterator[str]:
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        found = None if fenced else re.match(r" {0,3}#{1,6}\s+(.*?)\s*#*\s*$", line)
        if found:
            yield folded(found[1])


def load(folder: Path, places: Mapping[str, frozenset[str]], pattern: str = "golden*.jsonl") -> tuple[Sample, ...]:
    """All samples of the folder's files, in file and line order.

    Raises:
        SampleError: names every malformed line, and every label whose file or heading is not among `places`.
    """
    problems: list[str] = []
    samples: dict[str, Sample] = {}
    for path in sorted(folder.glob(pattern)):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            where = f"{path.name}:{number}"
            try:
                sample = parse(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                problems.append(f"{where}: {error}")
                continue
            problems += [f"{where}: {sample.id}: {problem}" for problem in (*faults(sample), *lost(sample, places))]
            if sample.id in samples:
                problems.append(f"{where}: {sample.id}: this id was used before")
            samples[sample.id] = sample
    if problems:
        raise SampleError("\n".join(problems))
    return tuple(samples.values())


def parse(record: Any) -> Sample:
    """A sample from one JSON object; raises ValueError, TypeError or KeyError with what is wrong."""
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    if unknown := sorted(set(record) - _FIELDS):
        raise ValueError(f"unknown field {', '.join(unknown)}")
    for name in ("id", "kind", "question"):
        if not isinstance(record.get(name), str):
            raise TypeError(f"`{name}` is missing or not a string")
    return Sample(
        id=record["id"],
        kind=record["kind"],
        question=record["question"],
        turns=tuple(_earlier(turn) for turn in record.get("turns", ())),
        standalone=record.get("standalone", ""),
        sort=record.get("sort", ""),
        facts=tuple(Fact(_forms(fact["any"]), bool(fact.get("vital", False))) for fact in record.get("facts", ())),
        labels=tuple(_forms(label) for label in record.get("labels", ())),
        decline=bool(record.get("decline", False)),
        missing=tuple(_forms(part) for part in record.get("missing", ())),
        role=_forms(record["role"]) if record.get("role") else (),
        never=tuple(record.get("never", ())),
    )


def _earlier(turn: Any) -> Earlier:
    return Earlier(turn) if isinstance(turn, str) else Earlier(turn["question"], turn.get("answer"))


def _forms(value: Any) -> tuple[str, ...]:
    forms = (value,) if isinstance(value, str) else tuple(value)
    if not forms or not all(isinstance(form, str) and form.strip() for form in forms):
        raise ValueError(f"expected text or a list of texts, got {value!r}")
    return forms


def faults(sample: Sample) -> list[str]:
    """What a sample lacks, or has too much of, for its kind."""
    if sample.kind not in KINDS:
        return [f"unknown kind {sample.kind!r}; one of {', '.join(KINDS)}"]
    return [said for is_wrong, said in _checks(sample) if is_wrong]


def _checks(sample: Sample) -> Iterator[tuple[bool, str]]:
    kind, answerable = sample.kind, not sample.decline
    forms = [form for fact in sample.facts for form in fact.any]
    places = [place for alternatives in sample.labels for place in alternatives]
    is_talk = bool(sample.turns and sample.standalone and sample.sort in SORTS)
    yield not sample.conversation, "the id must be `conversation.n`"
    yield kind in UNANSWERABLE and answerable, f"a {kind} sample must have decline: true"
    yield kind in (*ANSWERABLE, "partial", "profile") and sample.decline, f"a {kind} sample cannot be declined"
    if answerable and kind not in ("small-talk", "profile"):
        yield not any(fact.vital for fact in sample.facts), "no vital fact"
    if answerable and kind != "small-talk" and sample.role != (UNDECIDED,):
        yield not sample.labels, "no label"
    yield sample.decline and bool(forms or places), "a sample to decline has neither facts nor labels"
    yield kind == "partial" and not sample.missing, "a partial sample names what is missing"
    yield kind == "profile" and not sample.role, "a profile sample has a role"
    yield (
        kind == "multi-turn" and not is_talk,
        f"a multi-turn sample has turns, standalone and a sort ({', '.join(SORTS)})",
    )
    rewritten = sample.sort == "self-contained" and sample.standalone != sample.question
    yield rewritten, "self-contained: standalone must equal question, byte for byte"
    yield "TODO" in (sample.standalone, *forms, *places), "a TODO is still to be filled in"
    yield not all(map(folded, forms)), "a form that is nothing but signs cannot be found in an answer"


def lost(sample: Sample, places: Mapping[str, frozenset[str]]) -> list[str]:
    """The labels that point at no heading of the corpus."""
    problems = []
    for label in (place for alternatives in sample.labels for place in alternatives):
        source, mark, heading = label.partition("#")
        if source not in places:
            problems.append(f"label {label!r}: there is no guide {source!r}")
        elif not mark or folded(heading) not in places[source]:
            problems.append(f"label {label!r}: {source} has no such heading")
    return problems


def counts(samples: Iterable[Sample]) -> list[tuple[str, int, int]]:
    """How many samples of each kind are in `dev` and in `test`."""
    found = Counter((sample.kind, sample.split) for sample in samples)
    return [
        (kind, found[kind, "dev"], found[kind, "test"]) for kind in KINDS if found[kind, "dev"] + found[kind, "test"]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check all samples; print the count of each kind. Exit status 2 when a sample cannot be used."""
    from advisor.settings import Settings

    given = list(sys.argv[1:] if arguments is None else arguments)
    corpus = Path(given[0]) if given else Settings.read().corpus
    try:
        samples = load(HERE, headings(corpus))
    except SampleError as error:
        print(error, file=sys.stderr)
        return 2
    for kind, dev, test in counts(samples):
        print(f"{kind:12} dev {dev:4} test {test:4}")
    print(f"{'all':12} {len(samples)} samples, {len({sample.conversation for sample in samples})} conversations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
