"""`python -m evals.growth`: what happens to answers, memory, disk and ingest as the guides become many.

For each size a corpus is generated out of the guides there are (`evals.synthetic`), read and indexed as any other, and
the golden questions of the `dev` half are put to it. Each act runs in a process of its own. Texts are embedded once and
their vectors kept in a folder that git ignores; how fast the model embeds is measured on a part of them each time.
Times are processor time, which a busy machine distorts far less; an answer runs on one core and takes as long there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from evals import growth_table, synthetic
from evals.samples import HERE, headings, load
from evals.vectors import Kept

if TYPE_CHECKING:
    import numpy as np

    from advisor import Advisor, Settings

SIZES = (1_000, 10_000, 100_000)
CACHE = HERE / "cache" / "growth"
WARM = 20
"""Questions asked before any is timed."""
PROBED = 400
"""Texts that are embedded anew to measure how fast that goes."""
PARTS = ("reading", "vector", "dense", "lexical", "tables")
_NEIGHBOURS = 10
_SAMPLED = 500
_SLACK = 1e-5
"""Difference of two cosines that counts as none."""


def settings_of(home: Path) -> Settings:
    """Settings for one size, which has its corpus and index below a folder."""
    from advisor.settings import Settings

    return Settings.read(corpus=home / "corpus", index=home / "index", llm_model="", feedback="off", chroma_url="")


def prepare(home: Path, source: Path, size: int, graphs: Path | None = None) -> None:
    """Generate the corpus of a size, and take over a model's exported graph where there is one."""
    synthetic.write(home / "corpus", source, size)
    shutil.rmtree(home / "index", ignore_errors=True)
    (home / "index").mkdir(parents=True)
    if graphs and graphs.is_dir():
        shutil.copytree(graphs, home / "index" / "graphs")


def ingest(home: Path, vectors: Path) -> dict[str, Any]:
    """Build a size's index, vectors of known texts taken from the kept ones."""
    from advisor import embed, index

    settings = settings_of(home)
    plain = embed.for_guides
    spent: list[float] = []

    def for_guides(settings: Settings, texts: Sequence[str]) -> Any:
        """The embedder of the product, in front of it the kept vectors: what is not kept yet is embedded by it."""
        start = time.process_time()
        embedder = plain(settings, texts)
        kept = Kept(vectors, embedder)
        kept.embed(texts)
        spent.append(time.process_time() - start)
        return kept

    embed.for_guides = for_guides
    start = time.process_time()
    summary = index.ingest(settings)
    seconds = time.process_time() - start - sum(spent)
    peak = megabytes("VmHWM")
    texts = [text for _, text in _texts(settings)]
    some = texts[:: max(1, len(texts) // PROBED)][:PROBED]
    embedder = plain(settings, some)
    begun = time.process_time()
    embed.all_of(some, embedder)
    return {
        "passages": summary.passages,
        "guides": summary.guides,
        "tables": summary.tables,
        "texts": len(texts),
        "seconds": seconds,
        "texts_per_second": len(some) / (time.process_time() - begun),
        "megabytes": peak,
        "disk": sum(f.stat().st_size for f in (home / "index" / "versions").rglob("*") if f.is_file()) / 1e6,
    }


def ask(home: Path, vectors: Path, questions: Sequence[str]) -> dict[str, Any]:
    """Open a size's index, answer every question, and compare the dense search with an exact one."""
    from advisor import Advisor

    settings = settings_of(home)
    start = time.process_time()
    advisor = Advisor.open(settings)
    opened = time.process_time() - start
    for question in questions[-WARM:]:
        advisor.ask(question)
    rows = answered(advisor, questions[:-WARM] or questions)
    memory = megabytes("VmRSS")
    matrix = Kept(vectors, advisor.knowledge.embedder).embed([text for _, text in _texts(settings)])
    clear = [advisor.knowledge.reader.read(question).clear for question in questions]
    asked = advisor.knowledge.embedder.embed([text or " " for text in clear])
    return {
        "open": opened,
        "megabytes": memory,
        "rows": rows,
        "recall": recall(advisor, matrix, asked),
        "graph": through_graph(advisor, matrix, asked),
        "near": neighbours(matrix),
        "words": len(advisor.knowledge.lexicon.words),
    }


def answered(advisor: Advisor, questions: Sequence[str]) -> list[dict[str, float]]:
    """Seconds of each whole answer and of its parts."""
    from advisor import knowledge

    spent = dict.fromkeys(PARTS, 0.0)

    def around(name: str, action: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return action(*given, **named)
            finally:
                spent[name] += time.process_time() - start

        return timed

    known: Any = advisor.knowledge
    known.reader.read = around("reading", known.reader.read)
    known.embedder.embed = around("vector", known.embedder.embed)
    known.index.store.query = around("dense", known.index.store.query)
    known.finder.find = around("tables", known.finder.find)
    search, knowledge.search = knowledge.search, around("lexical", knowledge.search)
    rows = []
    try:
        for question in questions:
            spent.update(dict.fromkeys(PARTS, 0.0))
            start = time.process_time()
            advisor.ask(question)
            whole = time.process_time() - start
            rows.append({"whole": whole, **spent, "rest": whole - sum(spent.values())})
    finally:
        knowledge.search = search
    return rows


def recall(advisor: Advisor, matrix: np.ndarray, asked: np.ndarray) -> float:
    """Mean share of the ten texts nearest to a question that the dense search brings."""
    import numpy as np

    index = advisor.knowledge.index
    most = min(_NEIGHBOURS, len(matrix))
    return float(np.mean([_share(index.store.query(index.version, v, most), matrix @ v, most) for v in asked]))


def through_graph(advisor: Advisor, matrix: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Recall and time of Chroma's graph, whether or not the index uses it at this size."""
    import numpy as np

    from advisor.search import LOOK_AT
    from advisor.store import vectors

    store: Any = advisor.knowledge.index.store
    collection = store._collection(advisor.knowledge.index.version)
    most = min(_NEIGHBOURS, len(matrix))
    shares, took = [], []
    for vector in asked:
        start = time.process_time()
        found = vectors.nearest(collection, vector, min(LOOK_AT, len(matrix)))
        took.append(time.process_time() - start)
        shares.append(_share(found[:most], matrix @ vector, most))
    return {"recall": float(np.mean(shares)), "p50": median(took)}


def _share(found: Sequence[tuple[int, float]], exact: np.ndarray, most: int) -> float:
    """How many of the nearest were found; texts as near as the last of them are as good as it."""
    import numpy as np

    edge = np.partition(exact, -most)[-most] - _SLACK
    return float(sum(exact[number] >= edge for number, _ in found)) / most


def neighbours(matrix: np.ndarray) -> dict[str, float]:
    """How near the nearest other text is to a text: median, 5th and 95th percentile, and the share above 0.95."""
    import numpy as np

    chosen = np.random.default_rng(synthetic.SEED).choice(len(matrix), min(_SAMPLED, len(matrix)), replace=False)
    near = matrix[chosen] @ matrix.T
    near[np.arange(len(chosen)), chosen] = -1
    best = near.max(axis=1)
    low, middle, high = np.percentile(best, (5, 50, 95))
    return {"p5": float(low), "p50": float(middle), "p95": float(high), "alike": float((best > 0.95).mean())}


def megabytes(name: str) -> float:
    """Resident memory of this process, now (`VmRSS`) or at its height (`VmHWM`); 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name)), 0.0)


def _texts(settings: Settings) -> list[tuple[int, str]]:
    """Every text that a vector stands for, with the number of its passage, in the order of the index."""
    from advisor import corpus
    from advisor.index.units import Words, units

    read = corpus.read(settings.corpus)
    return [(unit.passage, unit.text) for unit in units(read.passages, Words.read(settings, read))]


def apart(act: str, home: Path, vectors: Path, questions: Sequence[str] = ()) -> dict[str, Any]:
    """One act in a process of its own, so that its memory is its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "evals.growth", "--act", act, str(home), str(vectors)],
        cwd=HERE.parent,
        input=json.dumps(list(questions)),
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if ended.returncode:
        raise RuntimeError(f"{act} of {home.name} passages: exit status {ended.returncode}")
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def grown(size: int, source: Path, cache: Path, questions: Sequence[str], graphs: Path | None) -> dict[str, Any]:
    """Everything that is measured at one size."""
    home = cache / str(size)
    prepare(home, source, size, graphs)
    built = apart("ingest", home, cache / "vectors")
    told = apart("ask", home, cache / "vectors", questions)
    return {"size": size, "ingest": built, "ask": summary(told), "load": os.getloadavg()[0]}


def summary(told: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of single questions as medians, and the 95th percentile of the whole."""
    rows = told["rows"]
    whole = sorted(row["whole"] for row in rows)
    return {
        **{name: value for name, value in told.items() if name != "rows"},
        "questions": len(rows),
        "p50": median(whole),
        "p95": whole[min(len(whole) - 1, int(0.95 * len(whole)))],
        "parts": {name: median(row[name] for row in rows) for name in (*PARTS, "rest")},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each size and print the table; with --readme, write it and its plots into evals/ too."""
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.growth", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="passages, separated by commas")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for corpora, indexes and vectors")
    parser.add_argument("--readme", action="store_true", help="write table and plots into evals/")
    parser.add_argument("--act", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.act:
        act, home, vectors = options.act[0], Path(options.act[1]), Path(options.act[2])
        told = ingest(home, vectors) if act == "ingest" else ask(home, vectors, json.load(sys.stdin))
        print(json.dumps(told))
        return 0
    settings = Settings.read()
    samples = load(HERE, headings(settings.corpus))
    asked = [s.standalone or s.question for s in samples if s.split == "dev" and s.question.strip()]
    questions = list(dict.fromkeys(asked))
    found = []
    for size in sorted(int(size) for size in options.sizes.split(",")):
        cache = options.cache.resolve()
        found.append(grown(size, settings.corpus, cache, questions, settings.index.resolve() / "graphs"))
        print(f"measured: {size} passages", file=sys.stderr)
    print(growth_table.text(found))
    (HERE / "report").mkdir(exist_ok=True)
    (HERE / "report" / "growth.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if options.readme:
        growth_table.publish(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
