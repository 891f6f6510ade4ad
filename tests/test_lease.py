"""Several machines that write one index on a Chroma server: one at a time, and nobody harms what another has made.

Each "machine" is a process with a folder of its own, so that no lock of the folder can help.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from advisor import Advisor, Settings, doctor, index
from advisor.errors import IndexBusy
from advisor.store import connect, lease
from advisor.store.connection import client
from tests.chroma_server import chroma, free_port
from tests.conftest import LADDER, PATIENCE, ROLES, ROOT, Setup, environment, run, write

pytestmark = pytest.mark.slow
REMOTE = "what does a senior ML engineer earn remotely?"
WAITING = """
import sys
from advisor import Settings, index
from advisor.errors import AdvisorError
def pause(done, total):
    print("embedding", flush=True)
    sys.stdin.readline()
try:
    index.ingest(Settings.read(), pause, again=True)
except AdvisorError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chroma server for all of these tests."""
    with chroma(tmp_path_factory.mktemp("chroma"), free_port()) as running:
        yield running


@pytest.fixture
def machine(setup: Setup, address: str) -> Iterator[Settings]:
    """One machine's settings on a server that holds nothing yet; the small guides, a lease of some seconds."""
    settings = setup(chroma_url=address, chroma_lease=4)
    yield settings
    for collection in client(settings).list_collections():
        client(settings).delete_collection(collection.name)


def another(settings: Settings, tmp_path: Path) -> Settings:
    """The settings of a second machine with the same guides, server and weights."""
    home = tmp_path / "another"
    home.mkdir()
    (home / "graphs").symlink_to((settings.index / "graphs").resolve())
    return settings.model_copy(update={"index": home})


def surroundings(settings: Settings) -> dict[str, str]:
    """The environment of a process on such a machine."""
    return environment(
        settings, ADVISOR_CHROMA_URL=settings.chroma_url, ADVISOR_CHROMA_LEASE=f"{settings.chroma_lease:g}"
    )


@contextmanager
def writing(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of an ingest, until a line is sent to it."""
    command = [sys.executable, "-c", WAITING]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings(settings), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "embedding\n"
        try:
            yield process
        finally:
            process.kill()


def names(settings: Settings) -> list[str]:
    """What stands on the server."""
    return sorted(collection.name for collection in client(settings).list_collections())


def test_the_second_of_two_machines_is_told_who_writes(
    machine: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one ingests, another is refused with the holder's process and host; the doctor names it; then it works."""
    other = another(machine, tmp_path)
    with writing(machine) as holder:
        refused = run(other, "ingest.py", **surroundings(other))
        assert refused.returncode == 2
        who = f"process {holder.pid} on {socket.gethostname()}, writing since"
        assert f"{machine.chroma_url}: another ingest is writing this index ({who}" in refused.stderr
        assert "Traceback" not in refused.stderr
        for name, value in surroundings(other).items():
            monkeypatch.setenv(name, value)
        found = {finding.what: finding for finding in doctor.examine()}
        assert who in found["writer"].said
        _, said = holder.communicate("on\n" * 100, timeout=PATIENCE)
        assert holder.returncode == 0, said
    assert index.ingest(other).embedded == 0
    assert "160–220K" in Advisor.open(other).ask(REMOTE).text


def test_a_lease_is_renewed_for_as_long_as_the_work_takes(machine: Settings, tmp_path: Path) -> None:
    """An ingest that takes longer than its lease keeps it."""
    short, other = machine.model_copy(update={"chroma_lease": 1.0}), another(machine, tmp_path)
    with writing(short) as holder:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with pytest.raises(IndexBusy, match=f"process {holder.pid}"):
                index.ingest(other)
            time.sleep(0.3)
        holder.communicate("on\n" * 100, timeout=PATIENCE)
        assert holder.returncode == 0


def test_a_killed_writer_is_replaced_when_its_lease_is_over(machine: Settings, tmp_path: Path) -> None:
    """At once the next one is told how long to wait; after that it writes, and clears away what the killed one left."""
    index.ingest(machine)
    other = another(machine, tmp_path)
    with writing(machine) as holder:
        holder.kill()
        holder.wait(PATIENCE)
    with pytest.raises(IndexBusy, match="one that was killed is replaced once it was silent for 4 s"):
        index.ingest(other)
    assert "160–220K" in Advisor.open(other).ask(REMOTE).text
    write(other.corpus, {"extra.md": "# Extra\n\nFlying kites is a fine hobby.\n"})
    end = time.monotonic() + PATIENCE
    while True:
        try:
            done = index.ingest(other)
            break
        except IndexBusy:
            assert time.monotonic() < end
            time.sleep(0.2)
    assert done.guides == 3
    assert len([name for name in names(other) if name.endswith("-lease")]) == 1
    assert len([name for name in names(other) if name.endswith("-units")]) == 2


def test_a_writer_that_was_suspended_is_told_that_it_was_replaced(machine: Settings, tmp_path: Path) -> None:
    """One that wakes up after its lease was taken over writes in vain, says so, and the newer index stays."""
    other = another(machine, tmp_path).model_copy(update={"corpus": tmp_path / "newer"})
    (tmp_path / "newer").mkdir()
    write(other.corpus, {"roles.md": ROLES.replace("$160–220K |\n| Data", "$161–221K |\n| Data"), "ladders.md": LADDER})
    with writing(machine.model_copy(update={"chroma_lease": 1.0})) as sleeper:
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        index.ingest(other)
        sleeper.send_signal(signal.SIGCONT)
        _, said = sleeper.communicate("on\n" * 100, timeout=PATIENCE)
        assert sleeper.returncode == 1
    assert f"it was replaced by process {os.getpid()} on {socket.gethostname()}" in said
    assert "161–221K" in Advisor.open(other).ask(REMOTE).text
    assert index.complete(other)


def test_even_one_that_does_not_look_cannot_put_older_work_in_use(
    machine: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and acting a writer may sleep, too: its number is lower, so what came after it stays in use."""
    other = another(machine, tmp_path)
    index.ingest(machine)
    stale = connect(machine.model_copy(update={"chroma_lease": 0.2}))
    first = stale.current()
    assert first
    held, vectors = stale.load(first.version), stale.vectors(first.version)
    hashes = list(vectors)[: first.units]
    matrix = __import__("numpy").stack([vectors[h] for h in hashes])
    few = type(held)(held.guides, held.passages, held.units[: len(hashes)])
    with monkeypatch.context() as asleep:
        asleep.setattr(lease.Lease, "start", lambda _: None)
        asleep.setattr(lease.Lease, "held", lambda _: None)
        with stale.writing():
            older = stale.write(few, hashes, matrix, first)
            time.sleep(0.3)
            write(other.corpus, {"extra.md": "# Extra\n\nFlying kites is a fine hobby.\n"})
            index.ingest(other)
            newer = connect(other).current()
            stale.swap(older)
    assert newer
    assert connect(other).current() == newer
    assert connect(other).complete(newer)
    assert any("kites" in passage.text for passage in Advisor.open(other).passages)


def test_of_many_that_begin_at_once_one_writes(machine: Settings, tmp_path: Path) -> None:
    """Four machines start together on a server without an index: one builds it, the others are told or find it done."""
    machines = [
        machine,
        *(another(machine, tmp_path / str(n)) for n in range(3) if (tmp_path / str(n)).mkdir() is None),
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "ingest.py"], cwd=ROOT, env=surroundings(m), stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for m in machines
    ]
    said = [process.communicate(timeout=PATIENCE) for process in started]
    embedded = [int(found[1]) for out, _ in said if (found := re.search(rb": (\d+) texts embedded", out))]
    assert sum(number > 0 for number in embedded) == 1
    for process, (_, error) in zip(started, said, strict=True):
        assert process.returncode == 0 or b"another ingest is writing this index" in error, error
    assert "160–220K" in Advisor.open(machine).ask(REMOTE).text
    assert len([name for name in names(machine) if name.endswith("-units")]) == 1


def test_a_number_is_given_once(machine: Settings) -> None:
    """Sixteen threads that all reach for the lease at the same moment: one has it."""
    got: list[int] = []
    refused: list[str] = []
    together = threading.Barrier(16)
    over = threading.Event()

    def reach() -> None:
        together.wait()
        try:
            with lease.taken(client(machine), machine.chroma_url, 30) as mine:
                got.append(mine.number)
                over.wait(PATIENCE)
        except IndexBusy as error:
            refused.append(str(error))
        if len(refused) == 15:
            over.set()

    threads = [threading.Thread(target=reach) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (len(got), len(refused)) == (1, 15)


def test_advisors_that_start_without_an_index_wait_for_the_one_that_builds_it(
    machine: Settings, tmp_path: Path
) -> None:
    """Two processes are asked at once where there is no index yet: both answer, and the guides were embedded once."""
    machines = (machine, another(machine, tmp_path))
    asked = [
        subprocess.Popen(
            [sys.executable, "-m", "advisor", REMOTE],
            cwd=ROOT,
            env=surroundings(m),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for m in machines
    ]
    for process in asked:
        out, error = process.communicate(timeout=PATIENCE)
        assert "$160–220K" in out, error
    assert len([name for name in names(machine) if name.endswith("-units")]) == 1


KILLED = """
import os, signal, sys
from advisor import Settings, index
import chromadb, httpx
send = httpx.Client.send
def sent(self, request, **more):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return send(self, request, **more)
httpx.Client.send = sent
for line in sys.stdin:  # each ingest in a process of its own, without its imports
    left = int(line)
    child = os.fork()
    if child == 0:
        index.ingest(Settings.read())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_killed_at_any_request_an_index_answers(machine: Settings) -> None:
    """An ingest is killed before each of its requests in turn: the index is the one before or the one after."""
    ladders = machine.corpus / "ladders.md"
    index.ingest(machine)
    machine = machine.model_copy(update={"chroma_lease": 0.1})
    opened, kills, pipe = Advisor.open(machine), 0, subprocess.PIPE
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, env=surroundings(machine), stdin=pipe, stdout=pipe, text=True) as killer:
        assert killer.stdin is not None
        assert killer.stdout is not None
        for request in range(4, 100):  # the first ones only say hello
            if len(opened.guides) == 2:
                ladders.unlink(missing_ok=True)
            else:
                ladders.write_text(LADDER, encoding="utf-8")
            killer.stdin.write(f"{request}\n")
            killer.stdin.flush()
            status = int(killer.stdout.readline())
            assert index.complete(machine)
            assert "160–220K" in opened.ask(REMOTE).text
            if status == 0:
                break
            assert status == -signal.SIGKILL
            kills += 1
            time.sleep(0.1)
        killer.stdin.close()
    assert status == 0
    assert kills >= 15
    index.ingest(machine)
    assert len([name for name in names(machine) if name.endswith("-units")]) <= 2
