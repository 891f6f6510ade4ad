"""Runs samples through an advisor with inspect_ai, no model involved, and brings back rows and records.

inspect_ai keeps the log (`inspect view --log-dir evals/logs`), isolates failures, and computes its own grouped means
and clustered standard errors; intervals and verdicts are made from the same scores in `metrics`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evals import scoring
from evals.asking import Advisable, Asked, Said, put, shown, world
from evals.cells import KIND as TABLE
from evals.figures import Names
from evals.metrics import Row, State
from evals.samples import Sample
from evals.scoring import Scores, World

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.scorer import Scorer as InspectScorer
    from inspect_ai.solver import Solver


@dataclass(frozen=True, slots=True)
class Record:
    """One sample of one run, for the report."""

    sample: Sample
    row: Row
    asked: Asked | None = None
    faults: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """All records of a run, in sample order, and where inspect_ai's logs lie."""

    records: tuple[Record, ...]
    seconds: float = 0.0
    logs: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> tuple[Row, ...]:
        """The scores of every sample."""
        return tuple(record.row for record in self.records)


def retrieved(sample: Sample, asked: Asked) -> Scores:
    """Retrieval scores of the answer's own standalone question."""
    return scoring.retrieval(asked.hits, sample)


def followed(sample: Sample, asked: Asked) -> Scores:
    """Follow-ups as typed, with the conversation, written out by hand; and whether what stands alone was left so."""
    scores = Scores()
    if sample.kind != "garbage" and (sample.sort == "self-contained" or not sample.turns):
        same = asked.answer.question == sample.question
        scores.add("untouched", same, 1, "" if same else f"became {asked.answer.question!r}")
    if asked.raw is None or asked.hand is None:
        return scores
    for name, answer, hits in (("", asked.answer, asked.hits), ("_raw", *asked.raw), ("_hand", *asked.hand)):
        found = scoring.facts(sample, answer, World(Names({}), {})).ratios.get("facts_vital")
        if found:
            scores.ratios[f"follow_facts{name}"] = found
        for metric, ratio in scoring.retrieval(hits, sample).ratios.items():
            scores.ratios[f"follow{name}_{metric}"] = ratio
    return scores


_FOLLOWED = (
    *(f"follow{name}_{metric}" for name in ("", "_raw", "_hand") for metric in ("recall_5", "mrr_10", "ndcg_5")),
    *("follow_facts", "follow_facts_raw", "follow_facts_hand", "untouched"),
)


def all_scores(sample: Sample, asked: Asked, about: World) -> Scores:
    """Every score of one sample."""
    found = [scorer(sample, asked.answer, about) for scorer in scoring.SCORERS.values()]
    together = Scores()
    for scores in (*found, retrieved(sample, asked), followed(sample, asked)):
        together.ratios |= scores.ratios
        together.faults += scores.faults
    return together


_FOLLOWED = (
    *(f"follow{name}_{metric}" for name in ("", "_raw", "_hand") for metric in ("recall_5", "mrr_10", "ndcg_5")),
    *("follow_facts", "follow_facts_raw", "follow_facts_hand", "untouched"),
)


NAMES = (*(name for names in scoring.NAMES.values() for name in names), "recall_5", "mrr_10", "ndcg_5", *_FOLLOWED)
"""The scores a sample can have; those that do not apply are NaN in inspect_ai's log: unscored, not zero."""
TABLE_NAMES = tuple(name for part in ("table", "citations", "numbers") for name in scoring.NAMES[part])
"""What is logged of a generated table question."""

_BY_KIND = ("facts_vital", "wrongly_refused", "answered_though_absent", "recall_5")
"""What inspect_ai's log shows by kind; its table of results takes seconds to draw when it is all of them."""


def run(advisor: Advisable, samples: Iterable[Sample], log_dir: Path, name: str = "golden") -> Run:
    """Ask and score every sample; a sample that raises is a failed one, and the run goes on."""
    wanted = tuple(samples)
    start = time.perf_counter()
    asked: dict[str, Asked] = {}
    scored: dict[str, Scores] = {}
    about = world(advisor)
    sets = [
        (title, tuple(s for s in wanted if (s.kind == TABLE) == is_table))
        for title, is_table in ((name, False), (f"{name}-tables", True))
    ]
    tasks = [_task(title, part, advisor, about, asked, scored) for title, part in sets if part]
    logs = _evaluate(tasks, log_dir) if tasks else []
    # reading a log back takes seconds, so only where something failed
    broken = logs if len(scored) < len(wanted) else []
    errors = {str(sample.id): sample for log in broken for sample in log.samples or [] if sample.error}
    records = tuple(
        _record(sample, asked.get(sample.id), scored.get(sample.id), errors.get(sample.id)) for sample in wanted
    )
    return Run(records, time.perf_counter() - start, tuple(log.location for log in logs))


def _record(sample: Sample, asked: Asked | None, scores: Scores | None, failed: EvalSample | None) -> Record:
    identity = (sample.id, sample.conversation, sample.kind, sample.split, sample.digest)
    if asked is None or scores is None or failed is not None:
        message = failed.error.message if failed and failed.error else "was not run"
        return Record(sample, Row(*identity, "failed", {}, sample.sort), asked, (), message)
    state: State = "refused" if asked.answer.declined else "scored"
    # rounded here, so that a run equals its own baseline after a round trip through JSON
    ratios = {name: (round(float(a), 6), float(b)) for name, (a, b) in scores.ratios.items()}
    return Record(sample, Row(*identity, state, ratios, sample.sort), asked, tuple(scores.faults))


def _evaluate(tasks: Sequence[Task], log_dir: Path) -> list[EvalLog]:
    from inspect_ai import eval as evaluate

    # one sample at a time: answers must not depend on what runs beside them, nor their times
    return evaluate(
        list(tasks),
        model="none/none",
        display="none",
        log_dir=str(log_dir),
        log_level="error",
        log_realtime=False,
        max_samples=1,
        max_tasks=1,
        fail_on_error=False,
        score_display=False,
        acp_server=False,
        ctl_server=False,
    )


def _task(
    name: str,
    samples: Sequence[Sample],
    advisor: Advisable,
    about: World,
    asked: dict[str, Asked],
    scored: dict[str, Scores],
) -> Task:
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset
    from inspect_ai.dataset import Sample as Entry

    entries = [
        Entry(
            id=sample.id,
            input=sample.question or " ",
            target=[forms for fact in sample.facts for forms in fact.any[:1]],
            metadata={"kind": sample.kind, "split": sample.split, "conversation": sample.conversation},
        )
        for sample in samples
    ]
    return Task(
        name=name,
        dataset=MemoryDataset(entries, name=name),
        solver=_solver(advisor, {sample.id: sample for sample in samples}, about, asked, scored),
        scorer=_scorer(TABLE_NAMES if samples[0].kind == TABLE else NAMES, asked, scored),
    )


def _solver(
    advisor: Advisable,
    samples: Mapping[str, Sample],
    about: World,
    asked: dict[str, Asked],
    scored: dict[str, Scores],
) -> Solver:
    from inspect_ai.solver import Generate, TaskState, solver

    said: Said = {}

    @solver(name="advisor")
    def ask() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            sample = samples[str(state.sample_id)]
            asked[sample.id] = put(advisor, sample, said)
            scored[sample.id] = all_scores(sample, asked[sample.id], about)
            state.output.completion = asked[sample.id].answer.text
            # in the store, not with the score: inspect_ai copies a score once for each of its names
            state.store.set("answer", shown(asked[sample.id]))
            state.completed = True
            return state

        return solve

    return ask()


def _scorer(names: Sequence[str], asked: Mapping[str, Asked], scored: Mapping[str, Scores]) -> InspectScorer:
    """One scorer for all scores: each scorer of its own costs inspect_ai a millisecond a sample in events."""
    from inspect_ai.scorer import Score, Target, grouped, mean, scorer, stderr
    from inspect_ai.solver import TaskState

    by_kind = [grouped(mean(), "kind"), stderr(cluster="conversation")]
    metrics = {name: by_kind if name in _BY_KIND else [mean(), stderr(cluster="conversation")] for name in names}

    @scorer(name="exact", metrics=metrics)
    def exact() -> InspectScorer:
        async def score(state: TaskState, target: Target) -> Score:
            scores = scored[str(state.sample_id)]
            return Score(
                value={name: _share(scores, name) for name in names},
                answer="refused" if asked[str(state.sample_id)].answer.declined else "scored",
                explanation="\n".join(scores.faults) or None,
            )

        return score

    return exact()


def _share(scores: Scores, name: str) -> float:
    right, of = scores.ratios.get(name, (0, 0))
    return right / of if of else math.nan
