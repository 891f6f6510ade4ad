"""The optional judge: a model that grades each answer, in a column of its own. It never gates.

Uses inspect_ai's model-graded scorer with the model that ADVISOR_JUDGE_MODEL names as inspect_ai names models
("openai/gpt-5", "openai-api/local/qwen", "ollama/llama3" ...); what is sent there: question, answer and expected facts.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, pstdev
from typing import TYPE_CHECKING, Any

from evals.engine import Record
from evals.report import rows_of

if TYPE_CHECKING:
    from inspect_ai.model import Model
    from inspect_ai.solver import Solver

REPEATS = 3
"""How often each answer is graded; the spread is shown."""
_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0}


def model() -> str:
    """The judge's name, empty when there is none."""
    return os.environ.get("ADVISOR_JUDGE_MODEL", "").strip()


def judge(
    records: Sequence[Record], by: str | Model, log_dir: Path, repeats: int = REPEATS
) -> tuple[dict[str, Any], ...]:
    """Grade the answers to answerable golden samples; a verdict that could not be read is counted as `judge failed`."""
    from inspect_ai import Epochs, Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import MemoryDataset
    from inspect_ai.dataset import Sample as Entry
    from inspect_ai.model import get_model
    from inspect_ai.scorer import model_graded_qa

    graded = [record for record in records if record.asked and record.sample.facts]
    if not graded:
        return ()
    entries = [Entry(id=r.sample.id, input=r.asked.answer.question, target=_criterion(r)) for r in graded if r.asked]
    task = Task(
        name="judge",
        dataset=MemoryDataset(entries),
        solver=_given({r.sample.id: r.asked.answer.text for r in graded if r.asked}),
        scorer=model_graded_qa(partial_credit=True, model=get_model(by) if isinstance(by, str) else by),
        epochs=Epochs(repeats, "mean"),
    )
    (log,) = evaluate(
        task, model="none/none", display="none", log_dir=str(log_dir), log_level="error", fail_on_error=False
    )
    verdicts: dict[str, list[tuple[float | None, str]]] = defaultdict(list)
    for sample in log.samples or []:
        scores = list((sample.scores or {}).values())
        value = _GRADES.get(str(scores[0].value)) if scores and not sample.error else None
        reason = (scores[0].explanation or "") if scores else (sample.error.message if sample.error else "no score")
        verdicts[str(sample.id)].append((value, reason))
    return tuple(_verdict(record, verdicts[record.sample.id]) for record in graded)


def _criterion(record: Record) -> str:
    vital = [fact.any[0] for fact in record.sample.facts if fact.vital]
    okay = [fact.any[0] for fact in record.sample.facts if not fact.vital]
    return "must say: " + "; ".join(vital) + (f". May say: {'; '.join(okay)}" if okay else "")


def _given(answers: dict[str, str]) -> Solver:
    from inspect_ai.solver import Generate, TaskState, solver

    @solver(name="recorded")
    def recorded() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state.output.completion = answers[str(state.sample_id)]
            state.completed = True
            return state

        return solve

    return recorded()


def _verdict(record: Record, given: Sequence[tuple[float | None, str]]) -> dict[str, Any]:
    values = [value for value, _ in given if value is not None]
    return {
        "id": record.sample.id,
        "kind": record.sample.kind,
        "value": mean(values) if values else None,
        "spread": pstdev(values) if values else None,
        "judge_failed": len(given) - len(values),
        "reasons": [reason for _, reason in given],
    }


def table(judged: Sequence[dict[str, Any]]) -> str:
    """The judge's column as a Markdown table, a row a kind."""
    kinds = dict.fromkeys(verdict["kind"] for verdict in judged)
    body = []
    for kind in (*kinds, "all"):
        part = [verdict for verdict in judged if kind in ("all", verdict["kind"])]
        values = [verdict["value"] for verdict in part if verdict["value"] is not None]
        spreads = [verdict["spread"] for verdict in part if verdict["spread"] is not None]
        failed = sum(verdict["judge_failed"] for verdict in part)
        body.append(
            [
                kind,
                str(len(part)),
                f"{mean(values):.1%}" if values else "–",
                f"{mean(spreads):.3f}" if spreads else "–",
                str(failed),
            ]
        )
    return rows_of(("kind", "answers", "graded right", "mean spread over repeats", "judge failed"), body)
