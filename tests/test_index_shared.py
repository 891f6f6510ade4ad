"""One index, several who use it at once or after one another: processes, machines, somebody who may only read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor import Advisor, Settings, index
from tests.chroma_server import chroma, free_port
from tests.conftest import LADDER, PATIENCE, ROLES, ROOT, SMALL, Setup, environment, run, write

REMOTE = "what does a senior ML engineer earn remotely?"
SHOWN = """
import hashlib, json
from advisor import Settings, index
done = index.ingest(Settings.read())
opened = index.Index.open(Settings.read())
vectors = opened.store.vectors(opened.version)
order = [[name, hashlib.sha256(vectors[name].round(5).tobytes()).hexdigest()] for name in sorted(vectors)]
print(json.dumps([done.fingerprint, repr(opened.passages), repr(opened.guides), opened.units, order]))
"""


@pytest.mark.slow
def test_two_machines_make_the_same_index(setup: Setup) -> None:
    """Other folders, order of files and seed of Python's hashes: fingerprint, passages and vectors agree."""
    made = []
    for seed, guides in (("1", SMALL), ("4711", dict(reversed(SMALL.items())))):
        settings = setup({**guides, "vocabulary.yaml": "roles:\n  AI Engineer: [prompt wizard, ai dev]\n"})
        done = run(settings, "-c", SHOWN, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        made.append(json.loads(done.stdout))
    assert made[0] == made[1]


@pytest.mark.slow
def test_of_processes_that_ingest_at_once_one_writes(setup: Setup) -> None:
    """Three on one folder: one builds the index, the others are told or find it done, and nothing is left behind."""
    settings = setup()
    command = [sys.executable, "ingest.py"]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=PATIENCE) for process in started]
    embedded = [int(found[1]) for out, _ in said if (found := re.search(r": (\d+) texts embedded", out))]
    assert sum(number > 0 for number in embedded) == 1
    for process, (_, error) in zip(started, said, strict=True):
        assert process.returncode == 0 or "another ingest is writing this index" in error
        assert "Traceback" not in error
    assert "160–220K" in Advisor.open(settings).ask(REMOTE).text
    assert len(list((settings.index / "versions").iterdir())) == 1


@pytest.fixture(params=["folder", "server"])
def kept(request: pytest.FixtureRequest, setup: Setup, tmp_path: Path) -> Iterator[Settings]:
    """Settings for the small guides with their index made, in a folder and on a server."""
    if request.param == "folder":
        settings = setup()
        index.ingest(settings)
        yield settings
        return
    with chroma(tmp_path / "chroma", free_port()) as address:
        settings = setup(chroma_url=address)
        index.ingest(settings)
        yield settings


@pytest.mark.slow
def test_ingesting_while_questions_are_answered_fails_none(kept: Settings) -> None:
    """Four threads ask on while the guides change three times: each answer is whole, none older than one before it."""
    opened = Advisor.open(kept)
    figures = ["160–220K", "161–221K", "162–222K", "163–223K"]
    heard: list[list[int]] = [[] for _ in range(4)]
    failed: list[BaseException] = []
    over = threading.Event()

    def ask(own: list[int]) -> None:
        try:
            while not over.is_set():
                text = opened.ask(REMOTE).text
                own.append(next(n for n, figure in enumerate(figures) if figure in text))
        except BaseException as error:  # noqa: BLE001 (whatever it is, the test fails with it)
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(own,), daemon=True) for own in heard]
    for thread in threads:
        thread.start()
    for figure in figures[1:]:
        changed = ROLES.replace("| $120–160K | $160–220K |", f"| $120–160K | ${figure} |")
        write(kept.corpus, {"roles.md": changed})
        index.ingest(kept)
        answers = [len(own) for own in heard]
        while not failed and any(len(own) < before + 2 for own, before in zip(heard, answers, strict=True)):
            over.wait(0.02)
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert failed == []
    for own in heard:
        assert own == sorted(own)
        assert own[-1] == 3


def unprivileged() -> list[str]:
    """What to put before a command so that root, too, is held to a folder's permissions."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv here")
    without = "-dac_override,-dac_read_search"
    return ["setpriv", f"--inh-caps={without}", f"--bounding-set={without}"]


@pytest.fixture
def locked_up(indexed: Settings) -> Iterator[Settings]:
    """An index that may be read and not written, as in a container's image."""
    folders = [indexed.index, *(path for path in indexed.index.rglob("*") if path.is_dir() and not path.is_symlink())]
    for folder in folders:
        folder.chmod(0o555)
    for path in indexed.index.rglob("*"):
        if path.is_file() and "graphs" not in path.parts:
            path.chmod(0o444)
    yield indexed
    for folder in folders:
        folder.chmod(0o755)


def confined(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of ours that may not write where permissions forbid it."""
    return subprocess.run(
        [*unprivileged(), sys.executable, *arguments],
        cwd=ROOT,
        env=environment(settings, ADVISOR_FEEDBACK="off"),
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.slow
def test_an_index_that_may_only_be_read_answers(locked_up: Settings) -> None:
    """Questions need nothing to be written; an unchanged ingest and a changed one say what to do, and harm nothing."""
    done = confined(locked_up, "-m", "advisor", REMOTE)
    assert done.returncode == 0, done.stderr
    assert "160–220K" in done.stdout
    write(locked_up.corpus, {"ladders.md": LADDER + "\nOne more line.\n"})
    refused = confined(locked_up, "ingest.py")
    assert refused.returncode == 2
    assert "cannot be written" in refused.stderr
    assert "Set ADVISOR_INDEX to a folder with room that you may write to." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "160–220K" in confined(locked_up, "-m", "advisor", REMOTE).stdout


@pytest.mark.slow
def test_a_folder_that_may_only_be_read_and_holds_no_index_is_told(setup: Setup) -> None:
    """Where no index can be made, the first question says so in one line."""
    settings = setup()
    settings.index.chmod(0o555)
    try:
        done = confined(settings, "-m", "advisor", REMOTE)
    finally:
        settings.index.chmod(0o755)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
