"""`python -m evals.speed`: how long things take, as ratios to the bare libraries in the same run on the same machine.

Absolute times mean little on a shared machine; a ratio of two times taken side by side means more. Cold starts are
whole child processes, alternating ours and bare, the best of several; answers and bare vectors alternate question by
question. With `--profile` it also prints where the time of an answer goes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from evals.clock import ROOT, Child, best, child, until_answered, until_served
from evals.report import fill, rows_of
from evals.samples import HERE, headings, load

if TYPE_CHECKING:
    from advisor import Advisor
    from advisor.settings import Settings

_BARE_ENCODING = """
import json, sys
from advisor import embed
texts = json.load(open(sys.argv[1]))
from sentence_transformers import SentenceTransformer
SentenceTransformer(embed.weights(sys.argv[2]), device="cpu").encode(texts, batch_size=32, show_progress_bar=False)
"""
_BARE_INDEX = """
import sys
import chromadb, onnxruntime
from chromadb.config import Settings
client = chromadb.PersistentClient(sys.argv[1], settings=Settings(anonymized_telemetry=False))
assert client.get_collection("units", embedding_function=None).count()
"""
_BARE_PAGE = """
import sys
import gradio as gr
with gr.Blocks() as page:
    gr.Chatbot()
page.launch(server_port=int(sys.argv[1]), server_name="127.0.0.1", quiet=True)
"""
_PAGE = [sys.executable, str(ROOT / "app.py"), "--port"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One measured pair: seconds, or megabytes where the name says so; without a bare one, a time against a limit."""

    name: str
    ours: float
    bare: float
    against: str
    goal: float = 0.0
    """The most that the ratio (without a bare one: our time) may be; 0 where nothing is asked."""

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the bare one."""
        return self.ours / self.bare if self.bare else float("nan")

    @property
    def holds(self) -> bool:
        """Whether the goal is met; true where there is none."""
        return not self.goal or (self.ratio if self.bare else self.ours) <= self.goal


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of all values do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def answers(advisor: Advisor, questions: Sequence[str], model: str) -> list[Ratio]:
    """Whole answers against sentence-transformers' bare vector of the same question, alternating, one thread each."""
    from advisor import embed

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    bare = SentenceTransformer(embed.weights(model), device="cpu")
    vectors = Vectors(advisor)
    advisor.ask(questions[0])
    bare.encode([questions[0]], show_progress_bar=False)
    ours_took, bare_took, rest = [], [], []
    for question in questions:
        before = vectors.seconds
        ours_took.append(_timed(advisor.ask, question))
        rest.append(ours_took[-1] - (vectors.seconds - before))
        bare_took.append(_timed(lambda q: bare.encode([q], show_progress_bar=False), question))
    against = "sentence-transformers' bare vector of the same question"
    return [
        Ratio("answer, p50", median(ours_took), median(bare_took), against, 1.0),
        Ratio("answer, p95", quantile(ours_took, 0.95), quantile(bare_took, 0.95), against, 2.0),
        Ratio("answer without its vectors, p50", median(rest), 0, "", 0.010),
        Ratio("answer without its vectors, p95", quantile(rest, 0.95), 0, ""),
    ]


class Vectors:
    """Stands before an advisor's embedder and adds up the time it takes."""

    def __init__(self, advisor: Advisor) -> None:
        self._embed = advisor.knowledge.embedder.embed
        self.seconds = 0.0
        self.texts = 0
        advisor.knowledge.embedder.embed = self.embed  # type: ignore[method-assign]

    def embed(self, texts: Sequence[str]) -> object:
        """The embedder's vectors."""
        start = time.perf_counter()
        try:
            return self._embed(texts)
        finally:
            self.seconds += time.perf_counter() - start
            self.texts += len(texts)


def _timed(action: Callable[[str], object], question: str) -> float:
    start = time.perf_counter()
    action(question)
    return time.perf_counter() - start


def ingests(settings: Settings, pairs: int) -> list[Ratio]:
    """A first ingest against the bare encoding of the same texts, an unchanged one against importing chromadb."""
    embedded = texts(settings)
    with tempfile.TemporaryDirectory() as name:
        given = Path(name) / "texts.json"
        given.write_text(json.dumps(embedded), "utf-8")
        built = {"ADVISOR_INDEX": str(Path(name) / "index")}
        command = [sys.executable, "ingest.py"]
        first = child([*command, "--again"], built)
        encoding = child([sys.executable, "-c", _BARE_ENCODING, str(given), settings.embedding_model])
        if first.status or encoding.status:
            raise RuntimeError(
                f"a measured process failed with exit status {[first.status, encoding.status]} (ours, bare)"
            )
        again, bare = best(
            pairs, lambda: child(command, built), lambda: child([sys.executable, "-c", "import chromadb"])
        )
    against = (
        f"sentence-transformers' bare encoding of the same {len(embedded):,} texts: passages, their lines, "
        "ways of asking"
    )
    return [
        Ratio("ingest", first.seconds, encoding.seconds, against, 1.15),
        Ratio("ingest, nothing changed", again.seconds, bare.seconds, "bare import of chromadb", 1.5),
    ]


def texts(settings: Settings) -> list[str]:
    """What an ingest of these guides embeds, each text once."""
    from advisor import corpus
    from advisor.index.units import Words, units

    read = corpus.read(settings.corpus)
    return list(dict.fromkeys(unit.text for unit in units(read.passages, Words.read(settings, read))))


def starts(settings: Settings, pairs: int, question: str) -> list[Ratio]:
    """Cold start to the first answer and its peak memory; cold start to a served page and to its first answer."""
    version = (settings.index / "current").read_text("utf-8").strip()
    database = str((settings.index / "versions" / version / "chroma").resolve())
    ours, bare = best(
        pairs,
        lambda: child([sys.executable, "-m", "advisor", question]),
        lambda: child([sys.executable, "-c", _BARE_INDEX, database]),
    )
    transformer = child([sys.executable, "-c", "import sentence_transformers"])
    page, bare_page = best(pairs, lambda: until_served(_PAGE), lambda: until_served([sys.executable, "-c", _BARE_PAGE]))
    answered = min(until_answered(_PAGE, question) for _ in range(pairs))
    reference = "bare import of sentence-transformers"
    opening = "bare import of chromadb and onnxruntime, and opening the index"
    return [
        Ratio("cold start to the first answer", ours.seconds, bare.seconds, opening, 1.2),
        *_beside("cold start to the first answer", "one answer", ours, transformer, reference),
        *_beside("cold start to the served page", "the served page", page, bare_page, "a bare Gradio page", 1.2),
        Ratio("first answer, from the moment the page is up", answered, 0, "", 0.2),
    ]


def _beside(name: str, holder: str, ours: Child, bare: Child, against: str, goal: float = 0.0) -> list[Ratio]:
    """The time and the peak memory of two processes."""
    return [
        Ratio(name, ours.seconds, bare.seconds, against, goal),
        Ratio(f"peak memory of {holder}, MB", ours.megabytes, bare.megabytes, against),
    ]


def table(ratios: Sequence[Ratio]) -> str:
    """The result as Markdown."""
    body = [
        [
            r.name,
            _amount(r, r.ours),
            _amount(r, r.bare) if r.bare else "",
            r.against,
            f"{r.ratio:.2f}" if r.bare else "",
            (f"≤ {r.goal:g}" if r.bare else f"≤ {_amount(r, r.goal)}") if r.goal else "",
            ("yes" if r.holds else "**no**") if r.goal else "",
        ]
        for r in ratios
    ]
    header = rows_of(("", "ours", "bare", "bare is", "ratio", "goal", "holds"), body)
    where = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"
    return f"{header}\n\n{where}. Made by `python -m evals.speed`."


def _amount(ratio: Ratio, value: float) -> str:
    if ratio.name.endswith("MB"):
        return f"{value:.0f}"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def profile(advisor: Advisor, questions: Sequence[str], most: int = 10) -> str:
    """Where the time of the answers goes: the functions that hold most of it themselves, as Markdown."""
    from pyinstrument import Profiler

    advisor.ask(questions[0])
    profiler = Profiler(interval=0.0005, async_mode="disabled")
    with profiler:
        for question in questions:
            advisor.ask(question)
    assert profiler.last_session is not None
    own: dict[tuple[str, str], float] = {}
    waiting = [profiler.last_session.root_frame(trim_stem=False)]
    while waiting:
        frame = waiting.pop()
        if frame is not None and not frame.is_synthetic:
            builtin = frame.parent is not None and frame.file_path == "<built-in>"
            path = Path((frame.parent if builtin else frame).file_path or "").as_posix()
            place = path.rpartition("site-packages/")[2].rpartition("src/")[2], frame.function.rpartition(".")[2]
            own[place] = own.get(place, 0.0) + frame.total_self_time
            waiting += frame.children
    total = sum(own.values())
    top = sorted(own.items(), key=lambda item: -item[1])[:most]
    body = [[f"`{name}`", place, f"{100 * took / total:.1f} %"] for (place, name), took in top]
    said = f"{len(questions)} questions, each answered once, {1000 * total / len(questions):.1f} ms each when watched."
    return f"{rows_of(('function', 'in', 'of the time'), body)}\n\n{said} Made by `python -m evals.speed --profile`."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every ratio with its goal; with --readme, write the tables into evals/README.md too."""
    from advisor import index
    from advisor.chat import Advisor
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.speed", description=__doc__)
    parser.add_argument("--readme", action="store_true", help="write what is printed into evals/README.md")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each cold start that are counted")
    parser.add_argument("--only", choices=("answers", "ingest", "start"), help="one part")
    parser.add_argument("--profile", action="store_true", help="only where the time of an answer goes")
    options = parser.parse_args(arguments)
    settings = Settings.read(llm_model="", feedback="off", chroma_url="", embedding_url="")
    index.ingest(settings)  # what is measured must be up to date
    advisor = Advisor.open(settings)
    samples = load(HERE, headings(settings.corpus))
    questions = [s.question for s in samples if s.question.strip()] or list(advisor.starters)
    if options.profile:
        text, name = profile(advisor, questions), "profile"
    else:
        ratios = measured(settings, advisor, questions, options.pairs, options.only)
        text, name = table(ratios), "speed"
        kept = HERE / "report" / "speed.json"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps([asdict(r) | {"ratio": r.ratio} for r in ratios], indent=1) + "\n", "utf-8")
    print(text)
    if options.readme:
        fill(HERE / "README.md", text, name)
    return 0


def measured(
    settings: Settings, advisor: Advisor, questions: Sequence[str], pairs: int, only: str | None
) -> list[Ratio]:
    """Every ratio, or those of one part."""
    parts: dict[str, Callable[[], list[Ratio]]] = {
        "start": lambda: starts(settings, pairs, questions[0]),
        "ingest": lambda: ingests(settings, pairs),
        "answers": lambda: answers(advisor, questions, settings.embedding_model),
    }
    return [ratio for name, part in parts.items() if only in (None, name) for ratio in part()]


if __name__ == "__main__":
    sys.exit(main())
