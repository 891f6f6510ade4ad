"""`python -m evals.peers`: the advisor beside LlamaIndex, Haystack and txtai, on the same guides and the same weights.

Each system runs in a virtual environment of its own, as its own quick start does it, with its own way of splitting.
Cold starts and rounds of questions alternate between the systems, and the best of several counts. What was found is
judged by the golden labels; follow-ups are asked as a person wrote them out, since only one of the systems knows
conversations.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from evals.peers.environments import SYSTEMS, Environment, System, made
from evals.peers.places import Guide, Piece, ranks, within, words
from evals.report import fill, rows_of
from evals.samples import HERE, Sample, headings, load

BUDGET = 200
"""Words that are read when pieces of different size are compared."""
TIMED = 60
"""Questions that are timed in each round."""
WARM = 10
"""Other questions that are asked before."""
RUNNER = Path(__file__).with_name("running.py")
Took = Sequence[float]
"""Seconds by the clock, and of all cores together."""


@dataclass
class Measured:
    """What one system took, and what it found."""

    ingest: list[Took] = field(default_factory=list)
    first: list[Took] = field(default_factory=list)
    search: list[list[Took]] = field(default_factory=list)
    answer: list[list[Took]] = field(default_factory=list)
    pieces: int = 0
    megabytes: float = 0.0
    ingesting: float = 0.0
    """Megabytes at the height of an ingest."""
    hits: Mapping[str, list[Piece]] = field(default_factory=dict)


def run(
    environment: Environment, system: System, act: str, corpus: Path, store: Path, asked: Any
) -> tuple[Took, dict[str, Any]]:
    """One act in the system's environment: what the whole process took, and what it says."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ADVISOR", "OPENAI", "PYTHON"))}
    command = [str(environment.python), "-P", str(RUNNER), system.script, act]
    command += [str(corpus), str(store), environment.weights]
    start, spent = time.perf_counter(), _of_children()
    ended = subprocess.run(
        command,
        input=json.dumps(asked),
        env=kept | {"HF_HUB_OFFLINE": "1"},
        cwd=store.parent,
        capture_output=True,
        check=False,
        text=True,
    )
    seconds = time.perf_counter() - start, _of_children() - spent
    if ended.returncode:
        raise RuntimeError(f"{system.title}, {act}: exit status {ended.returncode}\n{ended.stderr[-2000:]}")
    return seconds, json.loads(ended.stdout)


def _of_children() -> float:
    """Processor time of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def corpora(source: Path, folder: Path, systems: Sequence[System]) -> dict[str, Path]:
    """A corpus for each system: ours with all that stands beside the guides, the others' with the guides alone."""
    from advisor.corpus import files

    found: dict[str, Path] = {}
    for system in systems:
        target = folder / f"corpus {system.title}"
        if system.script == "with_ours":
            left_out = shutil.ignore_patterns(system.without) if system.without else None
            shutil.copytree(source, target, ignore=left_out)
        else:
            for path in files(source):
                (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target / path.relative_to(source))
        found[system.title] = target
    return found


def measure(
    systems: Sequence[System], environments: Mapping[str, Environment], source: Path, asked: Any, rounds: int
) -> dict[str, Measured]:
    """Every system over every round, one after the other within a round; the first cold start is not counted."""
    told = {system.title: Measured() for system in systems}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        places = corpora(source, home, systems)
        for number in range(rounds):
            for system in systems:
                has = told[system.title]
                at = environments[system.title], system
                store = home / f"store {system.title} {number}"
                given = places[system.title], store
                if number < 2:
                    seconds, said = run(*at, "ingest", *given, None)
                    has.ingest.append(seconds)
                    has.pieces, has.ingesting = said["pieces"], said["megabytes"]
                else:
                    given = places[system.title], home / f"store {system.title} 1"
                starts = [run(*at, "first", *given, asked)[0] for _ in range(3 if number else 2)]
                has.first += starts[1:]
                judged = asked if number == 0 else {**asked, "judged": []}  # the same pieces are found every time
                said = run(*at, "ask", *given, judged)[1]
                has.search.append(said["search"])
                has.answer += [said["answer"]] if "answer" in said else []
                has.megabytes = said["megabytes"]
                if number == 0:
                    has.hits = {question: [(file, text) for file, text in h] for question, h in said["hits"].items()}
                print(f"round {number + 1}: {system.title}", file=sys.stderr)
    return told


def found(has: Measured, samples: Sequence[Sample], guides: Mapping[str, Guide]) -> tuple[float, float, float]:
    """Mean share of the labels among the first five pieces and within a budget of words; words of five pieces."""
    five, budget, size = [], [], []
    for sample in samples:
        pieces = has.hits[asked_as(sample)]
        held = ranks(pieces[:5], sample.labels, guides)
        five.append(mean(rank is not None for rank in held))
        held = ranks(within(pieces, BUDGET), sample.labels, guides)
        budget.append(mean(rank is not None for rank in held))
        size.append(sum(len(words(text)) for _, text in pieces[:5]))
    return mean(five), mean(budget), median(size)


def asked_as(sample: Sample) -> str:
    """The question that every system is asked: of a follow-up, what a person wrote out."""
    return sample.standalone or sample.question


def table(
    told: Mapping[str, Measured],
    environments: Mapping[str, Environment],
    samples: Sequence[Sample],
    guides: Mapping[str, Guide],
) -> str:
    """The result as Markdown, a system a column."""
    halves = {half: [s for s in samples if s.split == half] for half in ("dev", "test")}
    rows: dict[str, list[str]] = {}
    for title, has in told.items():
        at = environments[title]
        shares = {half: found(has, chosen, guides) for half, chosen in halves.items()}
        said = {
            "version": at.version,
            **_times("cold start to the first hits", has.first),
            **_quantiles("five hits to a question", has.search),
            **_quantiles("whole answer", has.answer),
            **_times("ingest, whole process", has.ingest),
            "pieces": f"{has.pieces:,}",
            "memory while asked, peak": f"{has.megabytes:,.0f} MB",
            "memory while ingesting, peak": f"{has.ingesting:,.0f} MB",
            "R@5, dev / test": " / ".join(f"{shares[half][0]:.1%}" for half in halves),
            "words in five hits, median, dev / test": " / ".join(f"{shares[half][2]:.0f}" for half in halves),
            f"found within {BUDGET} words, dev / test": " / ".join(f"{shares[half][1]:.1%}" for half in halves),
            "packages installed": str(at.packages),
            "installed, without torch": f"{at.megabytes - at.torch:,.0f} MB",
        }
        for name, value in said.items():
            rows.setdefault(name, []).append(value)
    body = [[name, *values] for name, values in rows.items()]
    count = f"{len(halves['dev'])} dev and {len(halves['test'])} test questions with labels"
    where = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end"
    stamp = f"{time.strftime('%Y-%m-%d')}; {where}; {count}. Made by `python -m evals.peers --readme`."
    return f"{rows_of(('', *told), body)}\n\n{stamp}"


def _times(name: str, took: Sequence[Took]) -> dict[str, str]:
    """The best of several whole processes, by the clock and by processor time."""
    clock, spent = (f"{min(column):.2f} s" for column in zip(*took, strict=True))
    return {name: clock, f"· {name}, processor time": spent}


def _quantiles(name: str, rounds: Sequence[Sequence[Took]]) -> dict[str, str]:
    """Median and 95th percentile of the best round, by the clock and by processor time."""
    said = {}
    for column, sort in ((0, f"{name}, p50 / p95"), (1, f"· {name}, processor time")):
        values = [sorted(took[column] for took in taken) for taken in rounds]
        best = min(values, key=median) if values else []
        ends = [best[int(share * len(best))] * 1000 for share in (0.5, 0.95) if best]
        said[sort] = " / ".join(f"{end:.1f} ms" for end in ends) or "none without a model"
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the environments, measure, print the table; with --readme, write it into evals/README.md too."""
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.peers", description=__doc__)
    parser.add_argument("--environments", type=Path, default=HERE / "cache" / "peers", help="where they are kept")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds; the best counts")
    parser.add_argument("--only", help="systems whose name holds this")
    parser.add_argument("--readme", action="store_true", help="write the table into evals/README.md")
    options = parser.parse_args(arguments)
    source = Settings.read().corpus.resolve()
    bare = replace(SYSTEMS[0], title="the same without ways of asking", without="*.asked.yaml")
    chosen = [s for s in (SYSTEMS[0], bare, *SYSTEMS[1:]) if (options.only or "").lower() in s.title.lower()]
    ready = {s.script: made(s, options.environments.resolve()) for s in {c.script: c for c in chosen}.values()}
    environments = {system.title: ready[system.script] for system in chosen}
    samples = [s for s in load(HERE, headings(source)) if s.labels]
    dev = [asked_as(s) for s in samples if s.split == "dev"]
    dev = list(dict.fromkeys(dev))
    some = dev[:: max(1, len(dev) // (TIMED + WARM))][: TIMED + WARM]
    asked = {"timed": some[WARM:], "warm": some[:WARM]}
    asked["judged"] = list(dict.fromkeys(map(asked_as, samples)))
    told = measure(chosen, environments, source, asked, options.rounds)
    guides = {p.relative_to(source).as_posix(): Guide(p.read_text("utf-8")) for p in sorted(source.rglob("*.md"))}
    written = table(told, environments, samples, guides)
    print(written)
    (HERE / "report").mkdir(exist_ok=True)
    (HERE / "report" / "peers.md").write_text(written + "\n", "utf-8")
    if options.readme:
        fill(HERE / "README.md", written, "peers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
