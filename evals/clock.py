"""Times and memory of whole processes: run to their end, or until the page they serve is there. Knows no advisor."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evals.samples import HERE

ROOT = HERE.parent
# A child's peak memory counts what its parent held when it forked, so the parent must be a small one.
_LAUNCHER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, status]))
"""


@dataclass(frozen=True, slots=True)
class Child:
    """What a child process took."""

    seconds: float
    megabytes: float
    status: int


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without keys and endpoints; byte code is kept, as it is for a user."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ADVISOR_LLM", "OPENAI", "INSPECT"))
    }
    # byte code must be kept on both sides, or the first import of everything is what gets measured
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    own = {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False", "ADVISOR_FEEDBACK": "off"}
    return kept | own | (extra or {})


def child(command: Sequence[str], extra: dict[str, str] | None = None) -> Child:
    """Run a process to its end; wall time, peak memory, exit status."""
    launched = subprocess.run(
        [sys.executable, "-I", "-c", _LAUNCHER, *command],
        cwd=ROOT,
        env=environment(extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    seconds, megabytes, status = json.loads(launched.stdout)
    return Child(seconds, megabytes, status)


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


@dataclass(frozen=True, slots=True)
class Served:
    """A page that is up."""

    address: str
    seconds: float
    """From the start of its process to the first answer of its address."""
    megabytes: float


@contextmanager
def served(command: Sequence[str], limit: float = 120) -> Iterator[Served]:
    """Start a page on a free port (appended to the command) and stop it at the end of the block.

    Raises:
        RuntimeError: the process ended, or the time did, before the page was there.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, start = f"http://127.0.0.1:{port}/", time.perf_counter()
    process = subprocess.Popen(
        [*command, str(port)], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        if not _there(address, process, start + limit):
            raise RuntimeError(f"no page at {address} within {limit:g} s: {' '.join(command)}")
        yield Served(address, time.perf_counter() - start, _peak(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until_served(command: Sequence[str], limit: float = 120) -> Child:
    """Start a page and stop it as soon as it is served; status 1 when it never is."""
    start = time.perf_counter()
    try:
        with served(command, limit) as page:
            return Child(page.seconds, page.megabytes, 0)
    except RuntimeError:
        return Child(time.perf_counter() - start, 0.0, 1)


def until_answered(command: Sequence[str], question: str, limit: float = 120) -> float:
    """Seconds from the moment a Gradio page is up until its `ask` has answered a first question.

    Raises:
        RuntimeError: the page never came up, or answered with an error.
    """
    with served(command, limit) as page:
        start = time.perf_counter()
        call = f"{page.address}gradio_api/call/ask"
        body = json.dumps({"data": [question, []]}).encode()
        request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=limit) as accepted:
            event = json.load(accepted)["event_id"]
        with urllib.request.urlopen(f"{call}/{event}", timeout=limit) as answered:
            said = answered.read().decode()
        if "event: complete" not in said:
            raise RuntimeError(f"the page did not answer {question!r}: {said[:200]}")
        return time.perf_counter() - start


def _peak(pid: int) -> float:
    """Peak resident memory of a running process, in MB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def _there(address: str, process: subprocess.Popen[bytes], until: float) -> bool:
    while time.perf_counter() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answered:
                if answered.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    return False
