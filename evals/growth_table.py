"""The figures of `evals.growth` as a table and as plots."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from evals import plots
from evals.report import fill, rows_of
from evals.samples import HERE

NAMES = {
    "reading": "the question read, typing errors mended",
    "vector": "its vector",
    "dense": "dense search",
    "lexical": "lexical search (BM25) and mixing",
    "tables": "tables matched",
    "rest": "the rest: the answer written, cited, checked",
}
Figures = Mapping[str, Any]


def text(found: Sequence[Figures]) -> str:
    """The table as Markdown, a size a column."""
    rows: list[tuple[str, list[str]]] = [
        ("texts embedded (lines, headings, ways of asking)", [f"{f['ingest']['texts']:,}" for f in found]),
        ("guides / tables / different words", [_counts(f) for f in found]),
        ("whole answer, p50", [_ms(f["ask"]["p50"]) for f in found]),
        ("whole answer, p95", [_ms(f["ask"]["p95"]) for f in found]),
        *((f"· {name}, p50", [_ms(f["ask"]["parts"][part]) for f in found]) for part, name in NAMES.items()),
        ("recall@10 of the dense search against an exact one", [f"{f['ask']['recall']:.3f}" for f in found]),
        ("· of Chroma's graph, whether used or not; p50", [_graph(f) for f in found]),
        ("opening the index", [f"{f['ask']['open']:.2f} s" for f in found]),
        ("memory after the questions", [f"{f['ask']['megabytes']:,.0f} MB" for f in found]),
        ("ingest without embedding", [f"{f['ingest']['seconds']:.1f} s" for f in found]),
        ("· passages a second", [f"{f['ingest']['passages'] / f['ingest']['seconds']:,.0f}" for f in found]),
        ("texts embedded a second", [f"{f['ingest']['texts_per_second']:.0f}" for f in found]),
        ("memory while ingesting, peak", [f"{f['ingest']['megabytes']:,.0f} MB" for f in found]),
        ("index on disk", [f"{f['ingest']['disk']:,.0f} MB" for f in found]),
        ("nearest other text, cosine: p5 / p50 / p95", [_near(f) for f in found]),
        ("texts with another nearer than 0.95", [f"{f['ask']['near']['alike']:.1%}" for f in found]),
    ]
    header = ("passages", *(f"{f['ingest']['passages']:,}" for f in found))
    loads = ", ".join(f"{f['load']:.1f}" for f in found)
    stamp = (
        f"Seconds are of one core. {found[0]['ask']['questions']} dev questions at each size; "
        f"Python {sys.version.split()[0]}, chromadb "
        f"{_version('chromadb')}, {time.strftime('%Y-%m-%d')}; load of the machine at each size: {loads}. "
        "Made by `python -m evals.growth --readme`."
    )
    return f"{rows_of(header, [[name, *cells] for name, cells in rows])}\n\n{stamp}"


def publish(found: Sequence[Figures]) -> None:
    """Write the table and the plots into evals/."""
    sizes = [f["ingest"]["passages"] for f in found]

    def line(name: str, values: Sequence[float]) -> tuple[str, list[tuple[float, float]]]:
        return name, list(zip(sizes, values, strict=True))

    times = [line("whole, p95", [f["ask"]["p95"] * 1000 for f in found])]
    times += [line("whole, p50", [f["ask"]["p50"] * 1000 for f in found])]
    short = {"dense": "dense search", "lexical": "lexical search", "tables": "tables", "vector": "vector"}
    times += [line(name, [f["ask"]["parts"][part] * 1000 for f in found]) for part, name in short.items()]
    costs = [
        line("memory, MB", [f["ask"]["megabytes"] for f in found]),
        line("disk, MB", [f["ingest"]["disk"] for f in found]),
        line("opening, ms", [f["ask"]["open"] * 1000 for f in found]),
        line("ingest, ms a passage", [1000 * f["ingest"]["seconds"] / f["ingest"]["passages"] for f in found]),
    ]
    (HERE / "growth-answers.svg").write_text(
        plots.growth("Milliseconds of processor time an answer takes, by passages", times), "utf-8"
    )
    (HERE / "growth-costs.svg").write_text(plots.growth("What the index costs, by passages", costs), "utf-8")
    fill(HERE / "README.md", text(found), "growth")


def _counts(figures: Figures) -> str:
    return f"{figures['ingest']['guides']:,} / {figures['ingest']['tables']:,} / {figures['ask']['words']:,}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _graph(figures: Figures) -> str:
    return f"{figures['ask']['graph']['recall']:.3f}; {_ms(figures['ask']['graph']['p50'])}"


def _near(figures: Figures) -> str:
    near = figures["ask"]["near"]
    return f"{near['p5']:.2f} / {near['p50']:.2f} / {near['p95']:.2f}"


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
