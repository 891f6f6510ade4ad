"""`python -m evals.liar`: what the guard catches of a model that lies in known ways, and what it costs the truth.

Twice: through the whole advisor and a scripted endpoint on loopback, over the questions of the samples; and at the
guard itself, over every line and cell of the guides. `--serve` keeps the endpoint running for `python -m evals --llm`.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from evals import lies
from evals.cells import generate
from evals.endpoint import Request, Script, serving
from evals.lies import Sentence
from evals.report import fill, rows_of
from evals.samples import HERE, Sample, headings, load
from evals.scripted import IDEAL, LIAR, Beside, Ideal, Liar, Sent, liars
from evals.wording import MARKER, words

if TYPE_CHECKING:
    from advisor import Advisor
    from advisor.citations import Bound
    from advisor.types import Answer, Passage
    from advisor.vocabulary import Vocabulary

PHANTOM = "phantom citation"
UNSUPPORTED = ("unsupported sentence", "sentence about another role")
BESIDE = "uncovered question: something true beside it"
INVENTED = "uncovered question: an invented yes"
TRUTH = "true sentences removed"
REPLACED = "right answers replaced by the offline one"


@dataclass(slots=True)
class Tally:
    """What was said: kept from the reader (of the truth: lost), or shown."""

    caught: list[str] = field(default_factory=list)
    through: list[str] = field(default_factory=list)
    unsaid: int = 0
    """How many of those caught the model was never asked for."""

    def add(self, is_caught: bool, what: str) -> None:
        """Keep one, to be read and counted."""
        (self.caught if is_caught else self.through).append(what)

    @property
    def told(self) -> int:
        """How often it was said."""
        return len(self.caught) + len(self.through)

    @property
    def share(self) -> float:
        """Which share was caught."""
        return len(self.caught) / self.told if self.told else 0.0


Tallies = dict[str, Tally]


def caught(kind: str, lie: Sentence, text: str) -> bool:
    """Whether a reader of the text is kept from the lie."""
    if kind == PHANTOM:
        return lie.lie not in text
    if kind in (*UNSUPPORTED, INVENTED):
        return not _stands(lie.lie, text)
    return not lies.said(lie.lie, text)


def _stands(claim: str, text: str) -> bool:
    """Whether a line says the claim, cited, and neither cut nor marked as not found."""
    from advisor.citations import LEFT_OUT, NOT_FOUND

    said = words(claim)
    return any(
        said <= words(line) and MARKER.search(line) and LEFT_OUT not in line and NOT_FOUND not in line
        for line in text.splitlines()
    )


def _replaced(answer: Answer) -> bool:
    """Whether nothing of what the model said is shown."""
    from advisor.chat import NOTHING_CITED

    return answer.declined or NOTHING_CITED in answer.notice


@contextmanager
def speaking(advisor: Advisor, models: Mapping[str, Callable[[Request], str]]) -> Iterator[Mapping[str, Advisor]]:
    """The advisor speaking through each of the models, which answer over a real socket while the block runs."""
    from advisor.chat import Advisor

    script = Script(replies=dict(models), counts=True)
    with serving(script) as url:
        patient = {"openai_base_url": url, "llm_timeout": 20.0, "llm_retries": 0}
        yield {
            name: Advisor(advisor.settings.model_copy(update={"llm_model": name, **patient}), advisor.knowledge)
            for name in models
        }


def over_the_wire(advisor: Advisor, samples: Sequence[Sample], most: int) -> Tallies:
    """Ask through the endpoint until each kind of lie was told `most` times, or the questions are used up."""
    chance = random.Random(4711)
    questions = [sample for sample in samples if not sample.turns and sample.question.strip()]
    chance.shuffle(questions)
    answerable = [sample.question for sample in questions if sample.facts and not (sample.decline or sample.missing)]
    ideal, beside, inventor = Ideal.of(samples), Beside(), Beside(invents=True)
    liar = Liar(liars(advisor.passages, advisor.vocabulary, chance), ideal, most)
    tallies = {kind: Tally() for kind in (*liar.liars, BESIDE, INVENTED, TRUTH, REPLACED)}
    with speaking(advisor, {IDEAL: ideal, LIAR: liar, BESIDE: beside, INVENTED: inventor}) as spoken:
        for question in answerable[: 2 * most]:
            ideal.told = []
            answer = spoken[IDEAL].ask(question)
            _lost(tallies, ideal.told, answer)
        for question in answerable:
            if min(liar.told[kind] for kind in liar.liars) >= most:
                break
            liar.lie, liar.truth = None, ()
            answer = spoken[LIAR].ask(question)
            _lost(tallies, liar.truth, answer)
            if liar.lie:
                gone = _replaced(answer) or caught(liar.kind, liar.lie, answer.text)
                tallies[liar.kind].add(gone, f"{liar.lie.text} -> {answer.text}")
        for sample in [sample for sample in questions if sample.decline]:
            for kind, off in ((BESIDE, beside), (INVENTED, inventor)):
                off.said = ""
                answer = spoken[kind].ask(sample.question)
                gone = _replaced(answer) or (kind == INVENTED and not _stands(off.said, answer.text))
                tallies[kind].add(gone, f"{sample.question} -> {answer.text}")
                tallies[kind].unsaid += not off.said
    return tallies


def _lost(tallies: Tallies, told: Sequence[Sentence], answer: Answer) -> None:
    """Count true sentences, and the answers that hold any."""
    if told:
        tallies[REPLACED].add(_replaced(answer), f"{answer.question} | {told[0].text}")
    for true in told if not _replaced(answer) else ():
        tallies[TRUTH].add(not _stands(true.text, answer.text), f"{true.text} -> {answer.text}")


def at_the_guard(passages: Sequence[Passage], vocabulary: Vocabulary, step: int = 1) -> Tallies:
    """Every line and cell of the guides, true and spoiled, or every `step`-th of them, read by the guard alone."""
    from advisor.citations import bind
    from advisor.types import Draft, Evidence

    def read(said: Sentence) -> Bound:
        return bind(Draft(said.text, tuple(map(Evidence, said.passages)), by_model=True), said.question, vocabulary)

    tallies = {}
    every = Sent("", tuple(passages))
    for kind, told in liars(passages, vocabulary, random.Random(4711)).items():
        tally = tallies[kind] = Tally()
        for lie in islice(told(every), 0, None, step):
            bound = read(lie)
            tally.add(caught(kind, lie, bound.text), f"{lie.text} -> {bound.text}")
    tallies[BESIDE], tallies[TRUTH] = Tally(), Tally()
    for beside in islice(lies.off_question(passages), 0, None, step):
        tallies[BESIDE].add(not read(beside).answers, f"{beside.question} -> {beside.text}")
    for true in islice(lies.true(passages), 0, None, step):
        bound = read(true)
        tallies[TRUTH].add(not _stands(true.text, bound.text), f"{true.text} -> {bound.text}")
    return tallies


def table(wire: Tallies, guard: Tallies) -> str:
    """The result as Markdown."""
    body = [[kind, *_cells(wire.get(kind)), *_cells(guard.get(kind))] for kind in wire]
    header = ("a model's lie", "told over the wire", "caught", "told to the guard", "caught")
    off = wire[BESIDE]
    note = (
        "Over the wire: the whole advisor through a scripted endpoint, over the samples' questions. To the guard: "
        "every line and cell of the guides. Most uncovered questions are refused before the model is asked: "
        f"{off.told - off.unsaid} of {off.told} reached it, and {len(off.through)} of its answers beside them were "
        f"shown. {time.strftime('%Y-%m-%d')}. Made by `python -m evals.liar`."
    )
    return f"{rows_of(header, body)}\n\n{note}"


def _cells(tally: Tally | None) -> tuple[str, str]:
    if tally is None or not tally.told:
        return "–", "–"
    return f"{tally.told}", f"{tally.share:.1%}"


def _serve(advisor: Advisor, samples: Sequence[Sample]) -> None:
    """Keep the endpoint running until interrupted, for `python -m evals --llm` in another terminal."""
    told = liars(advisor.passages, advisor.vocabulary, random.Random(4711))
    script = Script(replies={IDEAL: Ideal.of(samples), LIAR: Liar(told, Ideal.of(samples))}, counts=True)
    with serving(script) as url:
        for name in script.replies:
            print(f"ADVISOR_LLM_MODEL={name} OPENAI_BASE_URL={url} python -m evals --llm", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write it into evals/README.md; with --serve, only answer."""
    from advisor.chat import Advisor
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.liar", description=__doc__)
    parser.add_argument("--most", type=int, default=60, help="how often each kind of lie is told over the wire")
    parser.add_argument("--serve", action="store_true", help="keep the scripted endpoint running")
    parser.add_argument("--through", action="store_true", help="print what got through and what truth was lost")
    parser.add_argument("--split", choices=("dev", "test"), help="only this half, and evals/README.md stays as it is")
    options = parser.parse_args(arguments)
    settings = Settings.read(llm_model="", feedback="off")
    golden, advisor = load(HERE, headings(settings.corpus)), Advisor.open(settings)
    every = (*golden, *generate(advisor.passages, advisor.vocabulary.roles))
    samples = [sample for sample in every if options.split in (None, sample.split)]
    if options.serve:
        _serve(advisor, samples)
        return 0
    wire, guard = over_the_wire(advisor, samples, options.most), at_the_guard(advisor.passages, advisor.vocabulary)
    if options.through:
        for kind, tally in (*wire.items(), *guard.items()):
            print(
                "\n".join(f"{kind}: {what}" for what in (tally.caught if kind in (TRUTH, REPLACED) else tally.through))
            )
    print(table(wire, guard))
    if not options.split:
        fill(HERE / "README.md", table(wire, guard), "liar")
    return 0


if __name__ == "__main__":
    sys.exit(main())
