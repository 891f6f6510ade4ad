"""`python -m evals.speed`: how long things take, as ratios to the bare libraries in the same run on the same machine.

Absolute times mean little on a shared machine; a ratio of two times taken side by side means more. Cold starts are
whole child processes, alternating ours and bare, the best of several; answers and bare vectors alternate question by
question.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from evals.report import fill, rows_of
from evals.samples import HERE, headings, load

if TYPE_CHECKING:
    from advisor import Advisor

ROOT = HERE.parent
_BARE_ENCODING = """
import json, sys
from advisor import embed
texts = json.load(open(sys.argv[1]))
from sentence_transformers import SentenceTransformer
SentenceTransformer(embed.weights(sys.argv[2]), device="cpu").encode(texts, batch_size=32, show_progress_bar=False)
"""
# A child's peak memory counts what its parent held when it forked, so the parent must be a small one.
_LAUNCHER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, status]))
"""
_BARE_PAGE = """
import sys
import gradio as gr
with gr.Blocks() as page:
    gr.Chatbot()
page.launch(server_port=int(sys.argv[1]), server_name="127.0.0.1", quiet=True)
"""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One measured pair: seconds, or megabytes where the name says so."""

    name: str
    ours: float
    bare: float
    against: str

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the bare one."""
        return self.ours / self.bare if self.bare else float("nan")


@dataclass(frozen=True, slots=True)
class Child:
    """What a child process took."""

    seconds: float
    megabytes: float
    status: int


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of all values do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def child(command: Sequence[str], extra: dict[str, str] | None = None) -> Child:
    """Run a process to its end; wall time, peak memory, exit status."""
    launched = subprocess.run(
        [sys.executable, "-I", "-c", _LAUNCHER, *command],
        cwd=ROOT,
        env=_environment(extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    seconds, megabytes, status = json.loads(launched.stdout)
    return Child(seconds, megabytes, status)


def _environment(extra: dict[str, str] | None) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ADVISOR_LLM", "OPENAI", "INSPECT"))
    }
    # byte code must be kept on both sides, or the first import of everything is what gets measured
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return (
        kept | {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False", "ADVISOR_FEEDBACK": "off"} | (extra or {})
    )


def best(pairs: int, ours: Callable[[], Child], bare: Callable[[], Child]) -> tuple[Child, Child]:
    """The fastest of several alternating runs of each, after one of each that is not counted.

    Raises:
        RuntimeError: a run ended with an error, so that its time means nothing.
    """
    runs: list[tuple[Child, Child]] = []
    for number in range(pairs + 1):
        pair = ours(), bare()
        if any(run.status for run in pair):
            raise RuntimeError(
                f"a measured process failed with exit status {[run.status for run in pair]} (ours, bare)"
            )
        runs += [pair] if number else []
    first, second = zip(*runs, strict=True)
    return min(first, key=lambda run: run.seconds), min(second, key=lambda run: run.seconds)


def answers(advisor: Advisor, questions: Sequence[str], model: str) -> list[Ratio]:
    """Whole answers against sentence-transformers' bare vector of the same question, alternating, one thread each."""
    from advisor import embed

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    bare = SentenceTransformer(embed.weights(model), device="cpu")
    advisor.ask(questions[0])
    bare.encode([questions[0]], show_progress_bar=False)
    took = [(_timed(advisor.ask, question), _timed(lambda q: bare.encode([q]), question)) for question in questions]
    ours_took, bare_took = zip(*took, strict=True)
    against = "sentence-transformers' bare vector of the same question"
    return [
        Ratio("answer, p50", median(ours_took), median(bare_took), against),
        Ratio("answer, p95", quantile(ours_took, 0.95), quantile(bare_took, 0.95), against),
    ]


def _timed(action: Callable[[str], object], question: str) -> float:
    start = time.perf_counter()
    action(question)
    return time.perf_counter() - start


def ingests(advisor: Advisor, model: str, pairs: int) -> list[Ratio]:
    """A first ingest against the bare encoding of the same passages, an unchanged one against importing chromadb."""
    with tempfile.TemporaryDirectory() as name:
        texts = Path(name) / "passages.json"
        texts.write_text(json.dumps([passage.text for passage in advisor.passages]), "utf-8")
        built = {"ADVISOR_INDEX": str(Path(name) / "index")}
        command = [sys.executable, "ingest.py"]
        first = child([*command, "--again"], built)
        encoding = child([sys.executable, "-c", _BARE_ENCODING, str(texts), model])
        if first.status or encoding.status:
            raise RuntimeError(
                f"a measured process failed with exit status {[first.status, encoding.status]} (ours, bare)"
            )
        again, bare = best(
            pairs, lambda: child(command, built), lambda: child([sys.executable, "-c", "import chromadb"])
        )
    against = f"sentence-transformers' bare encoding of the same {len(advisor.passages)} passages"
    return [
        Ratio("ingest", first.seconds, encoding.seconds, against),
        Ratio("ingest, nothing changed", again.seconds, bare.seconds, "bare import of chromadb"),
    ]


def starts(pairs: int, question: str) -> list[Ratio]:
    """Cold start to the first answer and its peak memory; cold start to a served page."""
    ours, bare = best(
        pairs,
        lambda: child([sys.executable, "-m", "advisor", question]),
        lambda: child([sys.executable, "-c", "import chromadb, onnxruntime"]),
    )
    transformer = child([sys.executable, "-c", "import sentence_transformers"])
    page_ours, page_bare = best(
        pairs,
        lambda: until_served([sys.executable, "app.py", "--port"]),
        lambda: until_served([sys.executable, "-c", _BARE_PAGE]),
    )
    return [
        Ratio("cold start to the first answer", ours.seconds, bare.seconds, "bare import of chromadb and onnxruntime"),
        Ratio(
            "cold start to the first answer", ours.seconds, transformer.seconds, "bare import of sentence-transformers"
        ),
        Ratio(
            "peak memory of one answer, MB",
            ours.megabytes,
            transformer.megabytes,
            "bare import of sentence-transformers",
        ),
        Ratio("cold start to the served page", page_ours.seconds, page_bare.seconds, "a bare Gradio page with a chat"),
        Ratio(
            "memory when the page is served, MB",
            page_ours.megabytes,
            page_bare.megabytes,
            "a bare Gradio page with a chat",
        ),
    ]


def until_served(command: Sequence[str], limit: float = 120) -> Child:
    """Start a page on a free port (its last argument) and stop it as soon as it is served."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(port)], cwd=ROOT, env=_environment(None), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    served = _wait(f"http://127.0.0.1:{port}/", process, start + limit)
    seconds = time.perf_counter() - start
    megabytes = _peak(process.pid)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return Child(seconds, megabytes, 0 if served else 1)


def _peak(pid: int) -> float:
    """Peak resident memory of a running process, in MB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def _wait(address: str, process: subprocess.Popen[bytes], until: float) -> bool:
    while time.perf_counter() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answered:
                if answered.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    return False


def table(ratios: Sequence[Ratio]) -> str:
    """The result as Markdown."""
    body = [[r.name, _amount(r, r.ours), _amount(r, r.bare), r.against, f"{r.ratio:.2f}"] for r in ratios]
    header = rows_of(("", "ours", "bare", "bare is", "ratio"), body)
    where = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"
    return f"{header}\n\n{where}. Made by `python -m evals.speed`."


def _amount(ratio: Ratio, value: float) -> str:
    if ratio.name.endswith("MB"):
        return f"{value:.0f}"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every ratio; with --readme, write them into evals/README.md too."""
    from advisor.chat import Advisor
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.speed", description=__doc__)
    parser.add_argument("--readme", action="store_true", help="write the table into evals/README.md")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each cold start that are counted")
    parser.add_argument("--only", choices=("answers", "ingest", "start"), help="one part")
    options = parser.parse_args(arguments)
    settings = Settings.read(llm_model="", feedback="off")
    advisor = Advisor.open(settings)
    questions = [s.question for s in load(HERE, headings(settings.corpus)) if s.question.strip()] or list(
        advisor.starters
    )
    parts: dict[str, Callable[[], list[Ratio]]] = {
        "start": lambda: starts(options.pairs, questions[0]),
        "ingest": lambda: ingests(advisor, settings.embedding_model, options.pairs),
        "answers": lambda: answers(advisor, questions, settings.embedding_model),
    }
    ratios = [ratio for name, part in parts.items() if options.only in (None, name) for ratio in part()]
    print(table(ratios))
    (HERE / "report").mkdir(exist_ok=True)
    (HERE / "report" / "speed.json").write_text(
        json.dumps([asdict(r) | {"ratio": r.ratio} for r in ratios], indent=1) + "\n", "utf-8"
    )
    if options.readme:
        fill(HERE / "README.md", table(ratios), "speed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
