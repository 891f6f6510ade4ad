"""Metrics over many samples: sums of ratios, the refusal table, lengths; each with a bootstrap over conversations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from evals.scoring import Ratio

if TYPE_CHECKING:
    import numpy as np

REPLICATES = 2000
SEED = 20251227
State = Literal["scored", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one sample in one run."""

    id: str
    conversation: str
    kind: str
    split: str
    digest: str
    state: State
    scores: Mapping[str, Ratio] = field(default_factory=dict)
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """How a figure of the report is named, read and gated."""

    name: str
    title: str
    higher: bool = True
    """Whether more is better."""
    gated: bool = True
    """Whether being worse than the baseline fails the run."""
    of: str = "ratio"
    """`ratio` of sums, `count` of the numerators, `macro_f1` / `precision` / `recall` of refusals, `p50` / `p95`."""
    source: str = ""
    """The score it is made from, where its name is another."""
    kinds: str = "golden"
    """`golden` or `table`: which set it is taken on."""

    @property
    def score(self) -> str:
        """The score it is made from."""
        return self.source or self.name


METRICS: tuple[Metric, ...] = (
    Metric("facts_vital", "Vital facts found"),
    Metric("facts_complete", "Answers with every vital fact", gated=False),
    Metric("facts_all", "Vital and okay facts found", gated=False),
    Metric("facts_when_answered", "Vital facts found, where it answered", gated=False),
    Metric("never_said", "Never says what it must not"),
    Metric("wrongly_refused", "Wrongly refused", higher=False),
    Metric("answered_though_absent", "Answered though absent", higher=False),
    Metric("refusal_precision", "Refusals: precision", of="precision", gated=False),
    Metric("refusal_recall", "Refusals: recall", of="recall", gated=False),
    Metric("refusal_f1", "Refusals: macro-F1", of="macro_f1"),
    Metric("declined_without_citations", "Declined answers without citations"),
    Metric("missing_named", "Missing parts named"),
    Metric("profile_role", "Profiles: role expected"),
    Metric("small_talk", "Small talk answered as such"),
    Metric("recall_5", "Retrieval: R@5"),
    Metric("mrr_10", "Retrieval: MRR@10", gated=False),
    Metric("ndcg_5", "Retrieval: nDCG@5", gated=False),
    Metric("citation_recall", "Citation recall"),
    Metric("citation_precision", "Citation precision"),
    Metric("phantom_citations", "Phantom citations", higher=False, of="count"),
    Metric("number_leaks", "Number guard: leaks", higher=False, of="count"),
    Metric("money_terms", "Money with its terms"),
    Metric("money_region", "Money with its region", gated=False),
    Metric("money_role", "Money with its role", gated=False),
    Metric("money_level", "Money with its level", gated=False),
    Metric("money_currency", "Money with its currency", gated=False),
    Metric("money_date", "Money with its date", gated=False),
    Metric("untouched", "Self-contained questions left byte-identical"),
    Metric("follow_facts_raw", "Follow-ups, vital facts: question as typed", gated=False),
    Metric("follow_facts", "Follow-ups, vital facts: with the conversation"),
    Metric("follow_facts_hand", "Follow-ups, vital facts: written out by hand", gated=False),
    Metric("follow_raw_recall_5", "Follow-ups, R@5: question as typed", gated=False),
    Metric("follow_recall_5", "Follow-ups, R@5: with the conversation", gated=False),
    Metric("follow_hand_recall_5", "Follow-ups, R@5: written out by hand", gated=False),
    Metric("words_p50", "Words in an answer, median", higher=False, of="p50", source="words", gated=False),
    Metric("words_p95", "Words in an answer, 95th percentile", higher=False, of="p95", source="words", gated=False),
    Metric("failed", "Failed samples", higher=False, of="count"),
    Metric("table_cell", "Table cells: value, row and column", kinds="table"),
    Metric("table_value", "Table cells: exact value said", kinds="table", gated=False),
    Metric("table_cited", "Table cells: row and column cited", kinds="table", gated=False),
    Metric("table_recall_5", "Table cells: R@5", kinds="table", gated=False, source="recall_5"),
    Metric(
        "table_number_leaks",
        "Table cells: number guard leaks",
        higher=False,
        of="count",
        kinds="table",
        source="number_leaks",
    ),
    Metric("table_money_terms", "Table cells: money with its terms", kinds="table", source="money_terms"),
    Metric(
        "table_phantoms",
        "Table cells: phantom citations",
        higher=False,
        of="count",
        kinds="table",
        source="phantom_citations",
    ),
    Metric("table_failed", "Table cells: failed", higher=False, of="count", kinds="table", source="failed"),
)
BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, and how many samples it rests on."""

    value: float
    low: float
    high: float
    samples: int


def with_state(row: Row) -> dict[str, Ratio]:
    """A row's scores with whether it failed among them."""
    return {**row.scores, "failed": (row.state == "failed", 1)}


def estimate(metric: Metric, rows: Iterable[Row]) -> Estimate | None:
    """A metric over rows, with its interval; None when it applies to none of them."""
    table = _Table.of(metric, rows)
    if table is None:
        return None
    drawn = table.value(_weights(table.conversations))
    low, high = _interval(drawn)
    return Estimate(float(table.value(None)[0]), low, high, table.samples)


def difference(metric: Metric, ours: Sequence[Row], theirs: Sequence[Row]) -> Estimate | None:
    """Ours minus theirs over the samples that both have, unchanged; the same conversations are drawn for both."""
    digests = {row.id: row.digest for row in theirs if applies(metric, row)}
    shared = {row.id for row in ours if applies(metric, row) and digests.get(row.id) == row.digest}
    sides = [{row.id: row for row in rows if row.id in shared} for rows in (ours, theirs)]
    order = sorted(shared, key=lambda name: (sides[0][name].conversation, name))
    clusters = {name: n for n, name in enumerate(dict.fromkeys(sides[0][i].conversation for i in order))}
    mine, other = (_Table.of(metric, [side[i] for i in order], clusters) for side in sides)
    if mine is None or other is None:
        return None
    weights = _weights(len(clusters))
    low, high = _interval(mine.value(weights) - other.value(weights))
    return Estimate(float((mine.value(None) - other.value(None))[0]), low, high, len(shared))


def changed(metric: Metric, ours: Iterable[Row], theirs: Iterable[Row]) -> int:
    """On how many shared samples a metric's score differs."""
    before = {row.id: row for row in theirs}
    names = _parts(metric)
    return sum(
        any(with_state(row).get(name) != with_state(before[row.id]).get(name) for name in names)
        for row in ours
        if applies(metric, row) and row.id in before and before[row.id].digest == row.digest
    )


def applies(metric: Metric, row: Row) -> bool:
    """Whether a row is in the set that a metric is taken on."""
    return (row.kind == "table") == (metric.kinds == "table")


def _parts(metric: Metric) -> tuple[str, ...]:
    return (
        ("wrongly_refused", "answered_though_absent")
        if metric.of in ("precision", "recall", "macro_f1")
        else (metric.score,)
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """How a metric's value is made from the weights of its conversations."""

    conversations: int
    make: Callable[[np.ndarray], np.ndarray]
    samples: int

    def value(self, weights: np.ndarray | None) -> np.ndarray:
        """The metric for each row of weights (shape: replicates x conversations), or once with every weight 1."""
        import numpy as np

        return self.make(np.ones((1, self.conversations)) if weights is None else weights)

    @classmethod
    def of(cls, metric: Metric, rows: Iterable[Row], clusters: Mapping[str, int] | None = None) -> _Table | None:
        import numpy as np

        used = [(row, with_state(row)) for row in rows if applies(metric, row)]
        used = [(row, scores) for row, scores in used if any(name in scores for name in _parts(metric))]
        if not used:
            return None
        index = clusters or {name: n for n, name in enumerate(dict.fromkeys(row.conversation for row, _ in used))}
        if metric.of in ("p50", "p95"):
            return cls(len(index), _quantile(metric, used, index), len(used))
        sums = np.zeros((len(index), 4))
        for row, scores in used:
            sums[index[row.conversation]] += _columns(metric, scores)
        make = _FROM_SUMS[metric.of]
        return cls(len(index), lambda weights: make(weights @ sums), len(used))


def _columns(metric: Metric, scores: Mapping[str, Ratio]) -> tuple[float, float, float, float]:
    """For refusals: rightly refused, wrongly refused, answered though absent, rightly answered; else the ratio."""
    if metric.of in ("ratio", "count"):
        right, of = scores[metric.score]
        return right, of, 0, 0
    if "answered_though_absent" in scores:
        through = scores["answered_though_absent"][0]
        return 1 - through, 0, through, 0
    refused = scores["wrongly_refused"][0]
    return 0, refused, 0, 1 - refused


def _over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    import numpy as np

    share: np.ndarray = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
    return share


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    refused, wrongly, through, answered = sums.T
    classes = (
        _over(2 * refused, 2 * refused + wrongly + through),
        _over(2 * answered, 2 * answered + wrongly + through),
    )
    mean: np.ndarray = (classes[0] + classes[1]) / 2
    return mean


_FROM_SUMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ratio": lambda sums: _over(sums[:, 0], sums[:, 1]),
    "count": lambda sums: sums[:, 0],
    "precision": lambda sums: _over(sums[:, 0], sums[:, 0] + sums[:, 1]),
    "recall": lambda sums: _over(sums[:, 0], sums[:, 0] + sums[:, 2]),
    "macro_f1": _macro_f1,
}


def _quantile(
    metric: Metric, used: Sequence[tuple[Row, Mapping[str, Ratio]]], index: Mapping[str, int]
) -> Callable[[np.ndarray], np.ndarray]:
    import numpy as np

    share = 0.5 if metric.of == "p50" else 0.95
    values = np.array([scores[metric.score][0] for _, scores in used], dtype=float)
    order = np.argsort(values, kind="stable")
    cluster = np.array([index[row.conversation] for row, _ in used])[order]
    values = values[order]

    def make(weights: np.ndarray) -> np.ndarray:
        heaped = np.cumsum(weights[:, cluster], axis=1)
        quantile: np.ndarray = values[np.argmax(heaped >= share * heaped[:, -1:], axis=1)]
        return quantile

    return make


_drawn: dict[int, np.ndarray] = {}


def _weights(clusters: int) -> np.ndarray:
    """How often each conversation is drawn in each replicate; the same for the same number, whatever ran before."""
    import numpy as np

    if clusters not in _drawn:
        random = np.random.default_rng(SEED)
        _drawn[clusters] = random.multinomial(clusters, np.full(clusters, 1 / clusters), size=REPLICATES).astype(float)
    return _drawn[clusters]


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    import numpy as np

    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
