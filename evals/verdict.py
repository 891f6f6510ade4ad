"""Better, worse or cannot tell: a run against its baseline, sample by sample, and against the floors."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evals.metrics import BY_NAME, METRICS, Estimate, Metric, Row, applies, changed, difference, estimate
from evals.samples import KINDS

Verdict = Literal["better", "worse", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric against the baseline."""

    metric: Metric
    difference: Estimate
    changed: int
    """On how many samples it differs."""

    @property
    def verdict(self) -> Verdict:
        """Better or worse only where the whole interval of the paired difference lies on one side of zero."""
        sign = 1 if self.metric.higher else -1
        if self.difference.low * sign > 0 and self.difference.high * sign > 0:
            return "better"
        if self.difference.low * sign < 0 and self.difference.high * sign < 0:
            return "worse"
        return "cannot tell"


@dataclass(frozen=True, slots=True)
class Limit:
    """A floor (or, where less is better, a ceiling) and the value that was measured."""

    metric: Metric
    over: str
    bound: float
    value: float | None

    @property
    def holds(self) -> bool:
        """Whether the value is on the right side; nothing measured holds nothing."""
        if self.value is None or math.isnan(self.value):
            return False
        slack = 1e-9
        return self.value >= self.bound - slack if self.metric.higher else self.value <= self.bound + slack


def compare(ours: Sequence[Row], theirs: Sequence[Row]) -> tuple[Compared, ...]:
    """Every metric that both runs have, as a paired difference over the samples both share unchanged."""
    found = []
    for metric in METRICS:
        gap = difference(metric, ours, theirs)
        if gap is not None:
            found.append(Compared(metric, gap, changed(metric, ours, theirs)))
    return tuple(found)


def limits(rows: Sequence[Row], path: Path) -> tuple[Limit, ...]:
    """Every floor of the file with its measured value; sets of which the run has no sample are left out."""
    found = []
    for over, bounds in tomllib.loads(path.read_text("utf-8")).items():
        part = tuple(select(rows, over))
        if not part:
            continue
        for name, bound in bounds.items():
            measured = estimate(BY_NAME[name], part)
            found.append(Limit(BY_NAME[name], over, float(bound), measured.value if measured else None))
    return tuple(found)


def select(rows: Iterable[Row], over: str) -> list[Row]:
    """The rows of `all` (golden), `dev`, `test`, `table`, or a kind."""
    if over == "table":
        return [row for row in rows if row.kind == "table"]
    golden = [row for row in rows if row.kind != "table"]
    if over == "all":
        return golden
    if over not in ("dev", "test", *KINDS):
        raise ValueError(f"floors: {over!r} is no split and no kind")
    return [row for row in golden if over in (row.split, row.kind)]


def failed_gates(compared: Iterable[Compared], bounds: Iterable[Limit]) -> list[str]:
    """Why the run does not pass: a line for each gated metric that got worse, and for each floor that does not hold."""
    worse = [
        f"{c.metric.title}: worse than the baseline by {abs(c.difference.value):.4g} "
        f"[{c.difference.low:+.4g}, {c.difference.high:+.4g}]"
        for c in compared
        if c.metric.gated and c.verdict == "worse"
    ]
    under = [
        f"{limit.metric.title} ({limit.over}): "
        f"{'not measured' if limit.value is None else format(limit.value, '.4g')}, "
        f"{'floor' if limit.metric.higher else 'ceiling'} {limit.bound:g}"
        for limit in bounds
        if not limit.holds
    ]
    return worse + under


def save(rows: Iterable[Row], path: Path, about: dict[str, str]) -> None:
    """Write a run as a baseline, a line a sample, in the order of the ids."""
    lines = [
        json.dumps([row.id, row.kind, row.split, row.sort, row.digest, row.state, _kept(row)], separators=(",", ":"))
        for row in sorted(rows, key=lambda row: row.id)
    ]
    path.write_text(
        "{\n" + f'"about": {json.dumps(about, sort_keys=True)},\n"samples": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8"
    )


def _kept(row: Row) -> dict[str, list[float]]:
    """Scores that some metric is made from."""
    used = {
        name
        for metric in METRICS
        if applies(metric, row)
        for name in (metric.score, "wrongly_refused", "answered_though_absent")
    }
    return {name: [round(right, 6), of] for name, (right, of) in sorted(row.scores.items()) if name in used}


def read(path: Path) -> tuple[Row, ...]:
    """The rows of a baseline."""
    rows = []
    for name, kind, split, sort, digest, state, scores in json.loads(path.read_text("utf-8"))["samples"]:
        ratios = {metric: (right, of) for metric, (right, of) in scores.items()}
        rows.append(Row(name, name.rpartition(".")[0], kind, split, digest, state, ratios, sort))
    return tuple(rows)
