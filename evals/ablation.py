"""`python -m evals.ablation`: what each mechanism buys, on the golden set; regenerates its table in evals/README.md.

Halves of the search are weighed through `Advisor.open(settings, mix=Mix(...))`; ways to read a follow-up are put in
front of the same advisor. A mechanism that buys nothing leaves the product.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.types import Answer, Hit, Passage, Turn
from evals.asking import Advisable, Words, put, world
from evals.engine import all_scores
from evals.metrics import BY_NAME, Row, State, difference, estimate
from evals.report import cell, fill, rows_of
from evals.samples import HERE, Sample, headings, load

if TYPE_CHECKING:
    from advisor.search import Mix
    from advisor.settings import Settings

COLUMNS = ("recall_5", "mrr_10", "ndcg_5", "facts_vital", "wrongly_refused", "answered_though_absent")
Reading = Callable[[str, Sequence[Turn]], str]


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table."""

    name: str
    advisor: Advisable
    follow_ups: bool = False
    """Whether it is measured on follow-ups alone."""


class Reads:
    """An advisor that reads follow-ups in another way."""

    def __init__(self, advisor: Advisable, reading: Reading) -> None:
        self._advisor = advisor
        self._reading = reading

    @property
    def vocabulary(self) -> Words:
        """The words of the corpus."""
        return self._advisor.vocabulary

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages of the corpus."""
        return self._advisor.passages

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that can be compared."""
        return self._advisor.roles

    def ask(self, question: str, turns: Sequence[Turn] = ()) -> Answer:
        """Answer the question as this reading writes it, as if it had been typed so."""
        return self._advisor.ask(self._reading(question, turns))

    def search(self, question: str, limit: int = 10) -> tuple[Hit, ...]:
        """Search as it is."""
        return self._advisor.search(question, limit)


def as_typed(question: str, turns: Sequence[Turn]) -> str:
    """Without the conversation."""
    return question


def glued_last(question: str, turns: Sequence[Turn]) -> str:
    """The question before, then this one."""
    return " ".join((*(turn.question for turn in turns[-1:]), question))


def glued_all(question: str, turns: Sequence[Turn]) -> str:
    """Every earlier question, then this one."""
    return " ".join((*(turn.question for turn in turns), question))


def mixes() -> Iterator[tuple[str, Mix | None]]:
    """The searches that are compared; the first is the product's."""
    from advisor.search import Mix

    ours = Mix()
    yield f"the product: dense {ours.dense:g}, lexical {ours.lexical:g}, rows as units", None
    yield "dense only", Mix(dense=1, lexical=0)
    yield "lexical only", Mix(dense=0, lexical=1)
    for dense in (0.85, 0.7, 0.5, 0.3):
        if dense != ours.dense:
            yield f"dense {dense:g}, lexical {1 - dense:g}", Mix(dense=dense, lexical=round(1 - dense, 2))
    yield "without table rows as units", Mix(rows=False)


def leaner(settings: Settings, folder: Path) -> Iterator[tuple[str, Settings]]:
    """The same guides without what stands beside them, each with an index of its own below `folder`."""
    for name, pattern in (("without ways of asking", "*.asked.yaml"), ("without known gaps", "not-covered.yaml")):
        home = folder / pattern.strip("*.")
        shutil.copytree(settings.corpus, home / "corpus", ignore=shutil.ignore_patterns(pattern))
        shutil.copytree(settings.index, home / "index")
        yield name, settings.model_copy(update={"corpus": home / "corpus", "index": home / "index"})


def variants(settings: Settings) -> Iterator[Variant]:
    """Every row, one advisor at a time."""
    from advisor import index
    from advisor.chat import Advisor
    from advisor.knowledge import Knowledge

    for name, mix in mixes():
        yield Variant(name, Advisor.open(settings, mix=mix))
    held = Advisor.open(settings).knowledge
    plain = Knowledge(replace(held.index, adapter=None), held.vocabulary, held.embedder)
    yield Variant("without the adapter", Advisor(settings, plain))
    with tempfile.TemporaryDirectory() as folder:
        for name, lean in leaner(settings, Path(folder)):
            index.ingest(lean)
            yield Variant(name, Advisor.open(lean))
    advisor = Advisor.open(settings)
    yield Variant("the product: with the conversation step", advisor, True)
    yield Variant("question as typed", Reads(advisor, as_typed), True)
    yield Variant("question before glued on", Reads(advisor, glued_last), True)
    yield Variant("all questions before glued on", Reads(advisor, glued_all), True)


def measure(advisor: Advisable, samples: Sequence[Sample]) -> list[Row]:
    """Ask and score without a log."""
    about = world(advisor)
    rows = []
    for sample in samples:
        asked = put(advisor, sample)
        ratios = all_scores(sample, asked, about).ratios
        state: State = "refused" if asked.answer.declined else "scored"
        rows.append(
            Row(sample.id, sample.conversation, sample.kind, sample.split, sample.digest, state, ratios, sample.sort)
        )
    return rows


def by_hand(rows: Sequence[Row]) -> list[Row]:
    """The same rows with the scores of the questions that a person wrote out."""
    taken = {f"follow_hand_{name}": name for name in COLUMNS} | {"follow_facts_hand": "facts_vital"}
    return [
        Row(r.id, r.conversation, r.kind, r.split, r.digest, r.state,
            {taken[name]: ratio for name, ratio in r.scores.items() if name in taken}, r.sort)
        for r in rows
    ]  # fmt: skip


def table(made: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """Rows with their values and, from the second on, the paired difference in nDCG@5 and vital facts to the first."""
    first = made[0][1]
    body = []
    for name, rows in made:
        values = [cell(BY_NAME[column], estimate(BY_NAME[column], rows)) for column in COLUMNS]
        gaps = ["", ""] if rows is first else [_gap(column, rows, first) for column in ("ndcg_5", "facts_vital")]
        body.append([name, *values, *gaps])
    return rows_of(
        (
            "",
            *(BY_NAME[c].title.removeprefix("Retrieval: ") for c in COLUMNS),
            "nDCG@5, difference",
            "facts, difference",
        ),
        body,
    )


def _gap(column: str, rows: Sequence[Row], first: Sequence[Row]) -> str:
    found = difference(BY_NAME[column], rows, first)
    return "–" if found is None else f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def text(found: Sequence[tuple[Variant, list[Row]]], samples: Sequence[Sample]) -> str:
    """Both tables, with what they were measured on."""
    searches = [(variant.name, rows) for variant, rows in found if not variant.follow_ups]
    follow = [(variant.name, rows) for variant, rows in found if variant.follow_ups]
    parts = [f"Search, on the {len(samples)} golden samples that have an answer or must be declined:", table(searches)]
    if follow and follow[0][1]:
        follow.append(("written out by hand", by_hand(follow[0][1])))
        parts += [f"Conversation, on the {len(follow[0][1])} follow-ups among them:", table(follow)]
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; with --readme, write them into evals/README.md too."""
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.ablation", description=__doc__)
    parser.add_argument("--no-readme", action="store_true", help="print only")
    parser.add_argument("--samples", type=Path, default=HERE, metavar="DIR", help="folder of golden*.jsonl")
    options = parser.parse_args(arguments)
    settings = Settings.read(llm_model="", feedback="off")
    every = load(options.samples, headings(settings.corpus))
    samples = [sample for sample in every if sample.labels or sample.decline]
    if not samples:
        print("No samples with labels in evals/golden*.jsonl.", file=sys.stderr)
        return 2
    found = []
    for variant in variants(settings):
        part = [sample for sample in samples if sample.kind == "multi-turn" or not variant.follow_ups]
        found.append((variant, measure(variant.advisor, part)))
        print(f"measured: {variant.name}", file=sys.stderr)
    written = text(found, samples)
    print(written)
    if not options.no_readme:
        fill(HERE / "README.md", written, "ablation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
