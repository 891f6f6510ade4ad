"""Runs one quick start in its own environment: `running.py SCRIPT ingest|first|ask CORPUS STORE WEIGHTS`.

Knows the standard library only, because each environment holds nothing but what its quick start installs. A script has
`ingest(corpus, store, weights)`, which returns the number of pieces, and `opened(corpus, store, weights)`, which
returns a search: a question and a number in, (file, text) of the best pieces out. `answering` is optional: a search
that ends in a whole answer. What is read comes as JSON on standard input, what is found leaves as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

LIMIT = 5
"""Pieces that are asked for when time is taken."""
DEEP = 20
"""Pieces that are asked for when they are judged, so that small ones can fill as many words as large ones."""


def script(name: str) -> ModuleType:
    """The quick start of this name beside this file."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise SystemExit(f"{name}: there is no such quick start")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def megabytes() -> float:
    """Peak resident memory of this process."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def timed(action: Callable[[str], Any], warm: list[str], questions: list[str]) -> list[tuple[float, float]]:
    """Seconds of each question by the clock and of all cores together, after others that are not counted."""
    for question in warm:
        action(question)
    took = []
    for question in questions:
        start, spent = time.perf_counter(), time.process_time()
        action(question)
        took.append((time.perf_counter() - start, time.process_time() - spent))
    return took


def main(name: str, act: str, corpus: str, store: str, weights: str) -> dict[str, Any]:
    """Do one act and say what it took."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "HAYSTACK_TELEMETRY_ENABLED": "False"}
    module = script(name)
    places = (Path(corpus), Path(store), weights)
    if act == "ingest":
        return {"pieces": module.ingest(*places), "megabytes": megabytes()}
    asked = json.load(sys.stdin)
    search = module.opened(*places)
    if act == "first":
        return {"hits": search(asked["timed"][0], LIMIT), "megabytes": megabytes()}
    told: dict[str, Any] = {"search": timed(lambda question: search(question, LIMIT), asked["warm"], asked["timed"])}
    told["megabytes"] = megabytes()
    if answering := getattr(module, "answering", None):
        told["answer"] = timed(answering(*places), asked["warm"], asked["timed"])
    told["hits"] = {question: search(question, DEEP) for question in asked["judged"]}
    return told


if __name__ == "__main__":
    out = os.dup(1)
    os.dup2(2, 1)  # libraries print progress on standard output
    told = main(*sys.argv[1:])
    with os.fdopen(out, "w", encoding="utf-8") as answer:
        json.dump(told, answer)
