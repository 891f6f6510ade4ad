"""A run as one HTML page that needs nothing from outside: plots, tables, every faulty sample with what was expected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from evals import plots
from evals.engine import Record
from evals.metrics import BY_NAME as METRIC
from evals.metrics import Metric, Row, estimate
from evals.report import Report, comparison, floors, is_fault, kinds, sorts, splits, states
from evals.samples import KINDS
from evals.verdict import select

_STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --paper: #fff; --soft: #f2f4f7; --line: #c9d1d9; --bar: #4c78a8; --accent: #b2431e;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --paper: #14171c; --soft: #1f242c; --line: #3a424d; --bar: #7fa7d6; --accent: #ff9a70; }
}
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
body { color: var(--ink); background: var(--paper); }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
td, th { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
td:first-child, th:first-child { text-align: left; }
figure { margin: 1.5rem 0; }
figcaption { font-size: .9rem; }
svg { font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); }
.bar { fill: var(--bar); }
.interval { stroke: var(--ink); stroke-width: 2; }
.grid { stroke: var(--line); }
.line { fill: none; stroke: var(--bar); stroke-width: 2; }
.point { fill: var(--accent); }
.fail { color: var(--accent); font-weight: 600; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .3rem .7rem; }
summary { cursor: pointer; }
pre { white-space: pre-wrap; background: var(--soft); padding: .6rem; border-radius: 6px; }
dt { font-weight: 600; }
"""


def html(report: Report) -> str:
    """The whole page as text."""
    faulty = [record for record in report.run.records if is_fault(record)]
    sections = [
        "<h1>Evaluation report</h1>",
        f"<p>{escape(' · '.join(f'{name} {value}' for name, value in report.about.items()))}</p>",
        _gates(report.gates),
        (
            f"<p>Golden samples: {states(select(report.run.rows, 'all'))}. "
            f"Table questions: {states(select(report.run.rows, 'table'))}.</p>"
        ),
        per_kind(report.run.rows),
        refusal_errors(report.run.rows),
        trade_off(report.run.records),
        latency(report.run.records),
        "<h2>Metrics</h2>",
        table(splits(report)),
        "<h2>Kinds</h2>",
        table(kinds(report)),
        "<h2>Follow-ups</h2>",
        table(sorts(report)),
    ]
    if report.compared:
        sections += [f"<h2>Against {escape(report.against)}</h2>", table(comparison(report.compared))]
    sections += ["<h2>Floors</h2>", table(floors(report.limits))]
    if report.judged:
        from evals.judge import table as judged

        sections += ["<h2>Judge (never gates)</h2>", table(judged(report.judged))]
    sections += [f"<h2>Samples with faults ({len(faulty)})</h2>", *map(_sample, faulty)]
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Evaluation report</title><style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _gates(gates: Sequence[str]) -> str:
    if not gates:
        return '<p class="pass">Passes every gate.</p>'
    return (
        '<p class="fail">Does not pass:</p><ul>' + "".join(f"<li>{escape(reason)}</li>" for reason in gates) + "</ul>"
    )


def _bar(label: str, metric: Metric, rows: Sequence[Row]) -> tuple[str, float, float, float, str] | None:
    found = estimate(metric, rows)
    return (label, found.value, found.low, found.high, f"{found.value:.0%} of {found.samples}") if found else None


def per_kind(rows: Sequence[Row]) -> str:
    """Plot: vital facts found by kind, with intervals."""
    drawn = [_bar(kind, METRIC["facts_vital"], select(rows, kind)) for kind in KINDS]
    drawn.append(_bar("table cells", METRIC["table_cell"], select(rows, "table")))
    return plots.bars(
        "Vital facts found, by kind (table cells: exact value, row and column)", [bar for bar in drawn if bar]
    )


def refusal_errors(rows: Sequence[Row]) -> str:
    """Plot: both refusal errors by kind."""
    drawn = [
        _bar(f"{kind}: {short}", METRIC[name], select(rows, kind))
        for name, short in (("wrongly_refused", "refused"), ("answered_though_absent", "answered"))
        for kind in KINDS
    ]
    return plots.bars("Both refusal errors: wrongly refused, and answered though absent", [bar for bar in drawn if bar])


def confidence(record: Record) -> float | None:
    """What a threshold could be set on: `usage["confidence"]` where the advisor says it, else its best hit's score."""
    if record.asked is None:
        return None
    best = max((hit.score for hit in record.asked.hits), default=0.0)
    return float(record.asked.answer.usage.get("confidence", best))


def trade_off(records: Sequence[Record]) -> str:
    """Plot: both refusal errors as a threshold on confidence alone rises, and where the advisor stands."""
    known = [
        (confidence(r), r.sample.decline) for r in records if r.sample.kind not in ("table", "small-talk") and r.asked
    ]
    absent = sorted(value for value, decline in known if decline and value is not None)
    present = sorted(value for value, decline in known if not decline and value is not None)
    if not absent or not present:
        return ""
    thresholds = sorted({0.0, *absent, *present, 1.01})
    points = [
        (sum(value < bound for value in present) / len(present), sum(value >= bound for value in absent) / len(absent))
        for bound in thresholds
    ]
    rows = [record.row for record in records if record.sample.kind not in ("table", "small-talk")]
    now = [estimate(METRIC[name], rows) for name in ("wrongly_refused", "answered_though_absent")]
    marked = (now[0].value, now[1].value, "the advisor") if now[0] and now[1] else None
    title = (
        "Refusal trade-off: a threshold on confidence alone, from never refusing (top left) to always (bottom right)"
    )
    return plots.curve(title, points, ("wrongly refused", "answered though absent"), marked)


def latency(records: Sequence[Record]) -> str:
    """Plot: time an answer took, golden samples."""
    times = [record.asked.seconds * 1000 for record in records if record.asked and record.sample.kind != "table"]
    return plots.histogram("Time to an answer, golden samples", times, "ms")


def table(text: str) -> str:
    """A Markdown table of ours as HTML."""
    lines = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
        for line in text.splitlines()
    ]
    head = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in lines[0])
    body = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in line) + "</tr>" for line in lines[2:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _inline(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text))


def _sample(record: Record) -> str:
    sample, asked = record.sample, record.asked
    faults = "".join(
        f"<li>{escape(fault)}</li>" for fault in (*record.faults, *([record.error] if record.error else []))
    )
    shown = [f"<dt>Asked</dt><dd>{escape(sample.question)}</dd>"]
    if sample.turns:
        turns = asked.turns if asked else sample.turns
        shown.insert(
            0,
            "<dt>Before</dt><dd><pre>"
            + escape("\n".join(f"> {turn.question}\n{turn.answer or ''}" for turn in turns))
            + "</pre></dd>",
        )
    if asked:
        shown += [
            f"<dt>Understood as</dt><dd>{escape(asked.answer.question)}</dd>",
            f"<dt>Answer</dt><dd><pre>{escape(asked.answer.text)}</pre></dd>",
        ]
        if asked.answer.citations:
            shown.append(
                "<dt>Citations</dt><dd><pre>"
                + escape(
                    "\n".join(
                        f"[{c.number}] {c.passage.source} § {c.passage.headings[-1] if c.passage.headings else ''}"
                        f"{f' · {c.cell.row} / {c.cell.column}' if c.cell else ''}: {c.quote}"
                        for c in asked.answer.citations
                    )
                )
                + "</pre></dd>"
            )
    shown.append(f"<dt>Expected</dt><dd>{escape(_expected(record))}</dd>")
    return (
        f"<details><summary><code>{escape(sample.id)}</code> {escape(sample.kind)}, {sample.split}, "
        f"{record.row.state}: "
        f"{escape(sample.question[:120])}</summary><ul class='fail'>{faults}</ul><dl>{''.join(shown)}</dl></details>"
    )


def _expected(record: Record) -> str:
    sample = record.sample
    parts = ["a refusal"] if sample.decline else []
    parts += [("vital: " if fact.vital else "okay: ") + " / ".join(fact.any) for fact in sample.facts]
    parts += [f"missing: {' / '.join(forms)}" for forms in sample.missing]
    parts += [f"role: {' / '.join(sample.role)}"] if sample.role else []
    parts += [f"from {' or '.join(places)}" for places in sample.labels]
    parts += [f"never: {form}" for form in sample.never]
    return "; ".join(parts) or "a human sentence"
