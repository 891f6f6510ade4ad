"""A run as data, as Markdown, and as the result table of evals/README.md."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evals.asking import shown
from evals.engine import Record, Run
from evals.metrics import METRICS, Estimate, Metric, Row, estimate
from evals.samples import KINDS, SORTS
from evals.verdict import Compared, Limit, select

OVER = ("all", "dev", "test")
HEADLINE = (
    "facts_vital",
    "wrongly_refused",
    "answered_though_absent",
    "refusal_f1",
    "follow_facts",
    "profile_role",
    "missing_named",
    "citation_recall",
    "citation_precision",
    "phantom_citations",
    "number_leaks",
    "money_terms",
    "untouched",
    "recall_5",
    "words_p50",
    "words_p95",
    "table_cell",
)
"""What evals/README.md opens with."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report shows."""

    run: Run
    about: dict[str, str]
    compared: tuple[Compared, ...] = ()
    limits: tuple[Limit, ...] = ()
    gates: tuple[str, ...] = ()
    """Why the run does not pass."""
    against: str = ""
    """What it was compared with."""
    judged: tuple[dict[str, Any], ...] = ()
    tables: dict[str, dict[str, dict[str, Estimate]]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, about: dict[str, str], **rest: Any) -> Report:
        """A report with its estimates made."""
        return cls(run, about, tables=estimates(run.rows), **rest)


def estimates(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Metric → estimate, over everything, each split, each kind and each sort of follow-up."""
    parts: dict[str, dict[str, Sequence[Row]]] = {
        "split": {over: rows if over == "all" else [row for row in rows if row.split == over] for over in OVER},
        "kind": {kind: select(rows, kind) for kind in KINDS},
        "sort": {sort: [row for row in rows if row.sort == sort] for sort in SORTS},
    }
    return {
        by: {over: made for over, part in sets.items() if part and (made := _estimates(part, by))}
        for by, sets in parts.items()
    }


def _estimates(rows: Sequence[Row], by: str) -> dict[str, Estimate]:
    metrics = METRICS if by == "split" else tuple(metric for metric in METRICS if metric.kinds == "golden")
    return {metric.name: found for metric in metrics if (found := estimate(metric, rows)) is not None}


def number(metric: Metric, value: float) -> str:
    """A value as a reader wants it: shares in percent, counts and words whole."""
    if math.isnan(value):
        return "–"
    if metric.of in ("count", "p50", "p95"):
        return f"{value:.0f}"
    return f"{value:.3f}" if metric.name.endswith(("mrr_10", "ndcg_5")) else f"{value:.1%}"


def cell(metric: Metric, found: Estimate | None) -> str:
    """A value with its interval."""
    if found is None:
        return "–"
    if found.low == found.high == found.value:
        return number(metric, found.value)
    return f"{number(metric, found.value)} [{number(metric, found.low)}, {number(metric, found.high)}]"


def states(rows: Sequence[Row]) -> str:
    """How many samples were scored, refused, failed."""
    count = {state: sum(row.state == state for row in rows) for state in ("scored", "refused", "failed")}
    return ", ".join(f"{number} {state}" for state, number in count.items())


def rows_of(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table; figures to the right."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *body]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)


def headline(report: Report) -> str:
    """The result table of evals/README.md."""
    by_split = report.tables["split"]
    body = [
        [metric.title, *(cell(metric, by_split.get(over, {}).get(metric.name)) for over in ("dev", "test"))]
        for metric in METRICS
        if metric.name in HEADLINE and metric.name in by_split["all"]
    ]
    golden, tables = select(report.run.rows, "all"), select(report.run.rows, "table")
    note = (
        f"{len(golden)} golden samples in {len({row.conversation for row in golden})} conversations "
        f"({states(golden)}) and {len(tables)} generated table questions ({states(tables)}); "
        f"{report.about.get('answerer', '')}, {report.about.get('embedder', '')}, {report.about.get('date', '')}. "
        "In brackets: 95 % intervals, bootstrap over conversations. Made by `python -m evals --readme`."
    )
    return f"{rows_of(('', 'dev', 'test'), body)}\n\n{note}\n\n{kinds(report)}"


def kinds(report: Report) -> str:
    """A row for each kind."""
    shown_metrics = [
        metric
        for metric in METRICS
        if metric.name in ("facts_vital", "wrongly_refused", "answered_though_absent", "recall_5")
    ]
    body = [
        [
            kind,
            str(len(select(report.run.rows, kind))),
            *(cell(metric, found.get(metric.name)) for metric in shown_metrics),
        ]
        for kind, found in report.tables["kind"].items()
    ]
    return rows_of(("kind", "samples", *(metric.title for metric in shown_metrics)), body)


def splits(report: Report) -> str:
    """Every metric, on everything and on each half."""
    by_split = report.tables["split"]
    body = [
        [
            metric.title + ("" if metric.gated else " (not gated)"),
            *(cell(metric, by_split.get(over, {}).get(metric.name)) for over in OVER),
        ]
        for metric in METRICS
        if metric.name in by_split["all"]
    ]
    return rows_of(("metric", *OVER), body)


def sorts(report: Report) -> str:
    """Follow-ups by what they do to the conversation."""
    names = (
        "follow_facts_raw",
        "follow_facts",
        "follow_facts_hand",
        "untouched",
        "wrongly_refused",
        "answered_though_absent",
    )
    metrics = [metric for metric in METRICS if metric.name in names]
    body = [
        [sort, *(cell(metric, found.get(metric.name)) for metric in metrics)]
        for sort, found in report.tables["sort"].items()
    ]
    return rows_of(("follow-up", *(metric.title.removeprefix("Follow-ups, ") for metric in metrics)), body)


def comparison(compared: Sequence[Compared]) -> str:
    """Each metric against the baseline: paired difference, interval, verdict."""
    body = [
        [
            c.metric.title,
            _signed(c.metric, c.difference),
            str(c.difference.samples),
            str(c.changed),
            c.verdict + ("" if c.metric.gated else " (not gated)"),
        ]
        for c in compared
    ]
    return rows_of(("metric", "difference, 95 % interval", "samples in both", "changed", "verdict"), body)


def _signed(metric: Metric, gap: Estimate) -> str:
    scale, unit = (1, "") if metric.of in ("count", "p50", "p95") else (100, " points")
    return f"{gap.value * scale:+.2f} [{gap.low * scale:+.2f}, {gap.high * scale:+.2f}]{unit}"


def floors(limits: Sequence[Limit]) -> str:
    """Each floor with the value it holds, or does not."""
    body = [
        [
            f"{limit.metric.title} ({limit.over})",
            ("≥ " if limit.metric.higher else "≤ ") + f"{limit.bound:g}",
            "not measured" if limit.value is None else f"{limit.value:.4g}",
            "holds" if limit.holds else "**does not hold**",
        ]
        for limit in limits
    ]
    return rows_of(("floor", "bound", "measured", ""), body)


def is_fault(record: Record) -> bool:
    """Whether a sample has anything wrong with it."""
    return bool(record.faults or record.error)


def markdown(report: Report) -> str:
    """The whole report."""
    faulty = [record for record in report.run.records if is_fault(record)]
    parts = [
        "# Evaluation report",
        " · ".join(f"{name} {value}" for name, value in report.about.items()),
        "**Passes.**"
        if not report.gates
        else "**Does not pass:**\n\n" + "\n".join(f"- {reason}" for reason in report.gates),
        (
            f"Samples: {states(select(report.run.rows, 'all'))}; "
            f"table questions: {states(select(report.run.rows, 'table'))}."
        ),
        "## Metrics",
        splits(report),
        "## Kinds",
        kinds(report),
        "## Follow-ups",
        sorts(report),
    ]
    if report.compared:
        parts += [f"## Against {report.against}", comparison(report.compared)]
    parts += ["## Floors", floors(report.limits)]
    if report.judged:
        from evals.judge import table

        parts += ["## Judge (never gates)", table(report.judged)]
    parts += [f"## Samples with faults ({len(faulty)})", "\n".join(map(_fault_line, faulty[:100]))]
    if len(faulty) > 100:
        parts.append(f"… and {len(faulty) - 100} more: see index.html.")
    return "\n\n".join(parts) + "\n"


def _fault_line(record: Record) -> str:
    said = "; ".join((*record.faults, *([record.error] if record.error else [])))
    return f"- `{record.sample.id}` {record.sample.question!r}: {said}"


def data(report: Report) -> dict[str, Any]:
    """The report as plain data; everything but `timing` is the same in two runs of the same code."""
    return {
        "about": report.about,
        "metrics": {
            by: {over: {name: asdict(e) for name, e in found.items()} for over, found in sets.items()}
            for by, sets in report.tables.items()
        },
        "compared": [
            {"metric": c.metric.name, **asdict(c.difference), "changed": c.changed, "verdict": c.verdict}
            for c in report.compared
        ],
        "floors": [
            {"metric": f.metric.name, "over": f.over, "bound": f.bound, "value": f.value, "holds": f.holds}
            for f in report.limits
        ],
        "gates": list(report.gates),
        "judge": list(report.judged),
        "samples": [
            {
                "id": r.sample.id,
                "kind": r.sample.kind,
                "split": r.sample.split,
                "state": r.row.state,
                "scores": {name: list(ratio) for name, ratio in r.row.scores.items()},
                "faults": list(r.faults),
                "error": r.error,
                **({"answer": shown(r.asked)} if r.asked and r.sample.kind != "table" else {}),
            }
            for r in report.run.records
        ],
        "timing": {
            "seconds": round(report.run.seconds, 3),
            "answers": {r.sample.id: round(r.asked.seconds, 5) for r in report.run.records if r.asked},
        },
    }


def write(report: Report, folder: Path) -> None:
    """Write report.md, report.json and index.html into a folder."""
    from evals.page import html

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown(report), "utf-8")
    (folder / "report.json").write_text(json.dumps(data(report), ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "index.html").write_text(html(report), "utf-8")


def fill(readme: Path, text: str, name: str = "results") -> None:
    """Replace what stands between a README's `<!-- name -->` and `<!-- /name -->` marks."""
    sections = re.compile(rf"(<!-- {name}\b[^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    before = readme.read_text("utf-8")
    after, count = sections.subn(lambda found: found[1] + text + "\n" + found[2], before)
    if count != 1:
        raise ValueError(f"{readme}: expected one <!-- {name} --> section, found {count}")
    readme.write_text(after, "utf-8")
