"""`python -m evals.load --minutes 10 --visitors 200`: many visitors at once on the real process, on loopback, bounded.

Three phases against `app.py`: visitors who think between their questions; visitors who do not, to find what the process
can do at most; and before and after, how many questions a second the bare embedder turns into vectors on the same
cores. Times and throughput are given as ratios to that. Exit status 1 when anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

from evals.speed import ROOT, quantile
from evals.visitors import Door, Script, Seen, scripts, visitors

if TYPE_CHECKING:
    from advisor import Advisor
    from advisor.types import Embedder

GROWTH = 0.05
"""How much memory may grow after the first minute."""
AT_ONCE = 16
"""Visitors without pauses who ask at the same time, to find the most that can be answered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run measured. Times in seconds, memory in MB."""

    visitors: int
    seconds: float
    seen: Seen
    most: Seen
    most_seconds: float
    most_cpu: float
    """Seconds of a core that the page's process took for one answer, then."""
    bare_rate: float
    """Questions a second that the bare embedder turns into vectors, on all cores, one by one."""
    bare_time: float
    bare_cpu: float
    """Seconds of a core for one bare vector."""
    memory: tuple[float, ...]
    """Of the process, once a second."""
    warm: int
    """Seconds after which memory must be flat."""

    @property
    def growth(self) -> float:
        """How much more memory there is at the end than after warming up, as a share."""
        window = max(5, len(self.memory) // 20)
        early = median(self.memory[self.warm : self.warm + window] or self.memory[-1:])
        return median(self.memory[-window:]) / early - 1

    @property
    def rate(self) -> float:
        """Answers a second when nobody pauses."""
        return len(self.most.seconds) / self.most_seconds

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        found = [*self.seen.errors, *self.most.errors]
        if self.growth > GROWTH:
            found.append(f"memory grew by {self.growth:.1%}")
        if self.seen.busy:
            found.append(f"{self.seen.busy} times a visitor with pauses was told to come back later")
        return found


@contextmanager
def serving(index: Path, **environment: str) -> Iterator[tuple[str, int]]:
    """The page's real process on a free port; its address and its process number."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADVISOR_LLM", "OPENAI"))}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--port", "0"],
            cwd=ROOT,
            env=kept | {"ADVISOR_INDEX": str(index), "ADVISOR_FEEDBACK": "off"} | environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout is not None
            said = process.stdout.readline()  # it ends at once, or says where it listens
            address = re.search(r"http://\S+", said)
            if address is None:
                errors.seek(0)
                raise RuntimeError(f"the page did not start: {said}{errors.read().decode()}")
            yield address[0], process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def memory(process: int) -> float:
    """Resident memory of a process, in MB."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def cpu(process: int) -> float:
    """Seconds of a core that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare(graph: Embedder, questions: Sequence[str], seconds: float) -> tuple[float, float, float]:
    """The bare embedder on all cores: questions a second, median seconds of one, seconds of a core for one."""
    took: list[float] = []
    used = time.process_time()
    end = time.perf_counter() + seconds

    def embed(offset: int) -> None:
        number = offset
        while time.perf_counter() < end:
            start = time.perf_counter()
            graph.embed([questions[number % len(questions)]])
            took.append(time.perf_counter() - start)
            number += 1

    threads = [threading.Thread(target=embed, args=(n * 17,)) for n in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / seconds, median(took), (time.process_time() - used) / len(took)


async def _watched(process: int, heard: list[float]) -> None:
    while True:
        heard.append(memory(process))
        await asyncio.sleep(1)


async def _run(
    address: str, process: int, plan: Sequence[Script], count: int, think: tuple[float, float], seconds: float
) -> tuple[Seen, Seen, float, float, list[float]]:
    heard: list[float] = []
    async with Door(address) as door:
        most_seconds = min(20.0, seconds / 3)
        used = cpu(process)
        most = await visitors(door, plan, AT_ONCE, (0.0, 0.0), most_seconds)
        used = (cpu(process) - used) / max(1, len(most.seconds))
        watch = asyncio.create_task(_watched(process, heard))
        seen = await visitors(door, plan, count, think, seconds)
        watch.cancel()
    return seen, most, most_seconds, used, heard


def measured(advisor: Advisor, count: int, seconds: float, think: tuple[float, float], warm: int) -> Outcome:
    """Run all phases."""
    from advisor import embed

    plan = scripts(advisor)
    questions = [question for script in plan for question in script.questions]
    opened = advisor.knowledge.index
    graph = embed.for_questions(advisor.settings, opened.model, opened.dimensions)
    before = bare(graph, questions, 3)
    with serving(advisor.settings.index, ADVISOR_CORPUS=str(advisor.settings.corpus)) as (address, process):
        seen, most, most_seconds, used, heard = asyncio.run(_run(address, process, plan, count, think, seconds))
    after = bare(graph, questions, 3)
    rate, one, core = (mean(pair) for pair in zip(before, after, strict=True))
    return Outcome(count, seconds, seen, most, most_seconds, used, rate, one, core, tuple(heard), warm)


def report(outcome: Outcome) -> str:
    """The outcome in lines."""
    seen, most = outcome.seen, outcome.most
    if not seen.seconds or not most.seconds:
        return "\n".join(["nobody got an answer", *outcome.faults[:10]])
    p50, p95 = median(seen.seconds), quantile(seen.seconds, 0.95)
    q50, q95 = median(most.seconds), quantile(most.seconds, 0.95)
    came = f"{len(seen.arrivals)} came, {len(seen.seconds)} answers, {len(seen.errors)} errors, {seen.busy} sent away"
    bare_times = f"{p50 / outcome.bare_time:.1f}x and {p95 / outcome.bare_time:.1f}x a bare vector"
    quick = f"p50 {q50 * 1000:.0f} ms, p95 {q95 * 1000:.0f} ms, {len(most.errors)} errors"
    ratio = f"{outcome.bare_rate:.1f} a second; ratio of throughputs {outcome.rate / outcome.bare_rate:.3f}"
    early = outcome.memory[min(outcome.warm, len(outcome.memory) - 1)]
    lines = [
        f"{outcome.visitors} visitors with pauses, {outcome.seconds:.0f} s: {came}",
        f"an answer: p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, slowest {max(seen.seconds):.1f} s; {bare_times}",
        f"{AT_ONCE} visitors without pauses: {outcome.rate:.1f} answers a second, {quick}",
        f"bare embedder on the same cores: {ratio}",
        f"of a core: {outcome.most_cpu * 1000:.1f} ms an answer, {outcome.bare_cpu * 1000:.1f} ms a bare vector",
        f"memory {early:.0f} MB after {outcome.warm} s, {outcome.memory[-1]:.0f} MB at the end: {outcome.growth:+.1%}",
        *(f"FAULT {fault}" for fault in outcome.faults[:10]),
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the outcome; 1 when anything was wrong."""
    from advisor.chat import Advisor
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--think", type=float, nargs=2, default=(5.0, 20.0), metavar=("LEAST", "MOST"))
    options = parser.parse_args(arguments)
    seconds = min(options.minutes, 60) * 60
    advisor = Advisor.open(Settings.read(llm_model="", feedback="off"))
    outcome = measured(advisor, min(options.visitors, 1000), seconds, tuple(options.think), min(60, int(seconds / 3)))
    print(report(outcome))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
