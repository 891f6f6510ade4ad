"""The index: only what changed is embedded, it is swapped in whole, and nothing that goes wrong loses the old one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor import Advisor, Settings, embed, index
from advisor.errors import CorpusError, IndexBusy, IndexUnusable
from tests.conftest import PATIENCE, ROLES, ROOT, SMALL, Setup, environment, run, write

REMOTE = "what does a senior ML engineer earn remotely?"
EXTRA = "# Extra\n\n## Kites\n\nFlying kites is a fine hobby for engineers.\n"
NO_HEADING = "# Extra\n\nFlying kites is a fine hobby for engineers.\n"


def remote(settings: Settings) -> str:
    """What an advisor on these settings says to the usual question."""
    return Advisor.open(settings).ask(REMOTE).text


def test_unchanged_guides_are_not_embedded_again(setup: Setup) -> None:
    """A second ingest of the same guides embeds nothing and leaves the version in use."""
    settings = setup()
    first = index.ingest(settings)
    version = index.Index.open(settings).version
    second = index.ingest(settings)
    assert first.embedded > 0
    assert second.embedded == 0
    assert second.fingerprint == first.fingerprint
    assert index.Index.open(settings).version == version
    assert (first.guides, first.tables) == (2, 2)
    assert first.passages == len(index.Index.open(settings).passages)


def test_again_embeds_everything_anew(indexed: Settings) -> None:
    """Whoever distrusts the index can have it rebuilt from nothing."""
    assert index.ingest(indexed).embedded == 0
    assert index.ingest(indexed, again=True).embedded > 20


def test_a_changed_heading_re_embeds_only_its_passages(indexed: Settings) -> None:
    """The lines under other headings keep their vectors."""
    write(
        indexed.corpus,
        {"roles.md": ROLES.replace("### Is a certification worth the money?", "### Are exams worth it?")},
    )
    assert 0 < index.ingest(indexed).embedded <= 2
    assert "Are exams worth it?" in {p.headings[-1] for p in index.Index.open(indexed).passages}


def test_a_guide_that_goes_takes_its_passages_along(indexed: Settings) -> None:
    """Removing a file embeds nothing and leaves nothing of it behind."""
    (indexed.corpus / "ladders.md").unlink()
    assert index.ingest(indexed).embedded == 0
    assert {p.source for p in index.Index.open(indexed).passages} == {"roles.md"}


def test_the_same_guides_make_the_same_index_anywhere(setup: Setup) -> None:
    """Two folders with the same guides have one fingerprint, passages and units."""
    one, two = setup(), setup(dict(reversed(SMALL.items())))
    assert index.ingest(one).fingerprint == index.ingest(two).fingerprint
    first, second = index.Index.open(one), index.Index.open(two)
    assert (first.passages, first.units) == (second.passages, second.units)


def test_what_was_stored_is_what_was_read(small: Settings) -> None:
    """Passages come back from the store as they were cut from the guide, cells and headings included."""
    opened = index.Index.open(small)
    row = next(p for p in opened.passages if p.kind == "row" and "Remote pay" in p.headings)
    assert row.cells[0] == ("Role", "AI Engineer")
    assert row.headings[0] == "Three jobs in AI"
    assert opened.guides[1].roles == ("AI Engineer", "ML Engineer", "Data Scientist")
    assert opened.guides[1].text == ROLES


def test_the_vocabulary_is_part_of_the_fingerprint(setup: Setup) -> None:
    """A new alias is a new index, so that questions and headings are read with the same words."""
    settings = setup()
    before = index.ingest(settings).fingerprint
    write(settings.corpus, {"vocabulary.yaml": "roles:\n  AI Engineer: [prompt wizard]\n"})
    assert index.ingest(settings).fingerprint != before


def test_an_open_advisor_takes_up_the_new_index(indexed: Settings) -> None:
    """After a swap the next question is answered from the new guides, without a restart."""
    advisor = Advisor.open(indexed)
    assert "160–220K" in advisor.ask(REMOTE).text
    write(
        indexed.corpus,
        {"roles.md": ROLES.replace("$160–220K |\n| Data Scientist | $85", "$161–221K |\n| Data Scientist | $85")},
    )
    index.ingest(indexed)
    assert "161–221K" in advisor.ask(REMOTE).text


def test_without_an_index_one_is_built(setup: Setup) -> None:
    """Opening an advisor for the first time ingests the guides; the index alone says what to run."""
    settings = setup()
    assert not index.exists(settings)
    with pytest.raises(IndexUnusable, match=r"there is no index yet\. Run `python ingest\.py`"):
        index.Index.open(settings)
    assert "160–220K" in remote(settings)
    assert index.exists(settings)


def test_another_model_is_a_clear_error(small: Settings, tmp_path: Path) -> None:
    """An index made with one model is not searched with another; the error names both and the way out."""
    other = small.model_copy(update={"embedding_model": "another-model"})
    with pytest.raises(IndexUnusable) as raised:
        Advisor.open(other)
    assert "made with the embedding model all-MiniLM-L6-v2" in str(raised.value)
    assert "ADVISOR_EMBEDDING_MODEL=another-model" in str(raised.value)
    assert "python ingest.py" in str(raised.value)


@pytest.mark.slow
def test_a_model_of_one_s_own_works(setup: Setup) -> None:
    """A folder that holds a model is a model: indexed with it, named in the index, answering by its own graph."""
    folder = embed.weights("all-MiniLM-L6-v2")
    settings = setup(embedding_model=folder)
    (settings.index / "graphs").unlink()
    index.ingest(settings)
    opened = Advisor.open(settings)
    assert opened.status.embedder == embed.identity(settings)
    assert embed.has_graph(embed.folder(settings, opened.status.embedder))
    assert "160–220K" in opened.ask(REMOTE).text


def test_a_bad_guide_keeps_what_it_had(indexed: Settings) -> None:
    """A guide that was broken since is reported, its earlier passages stay, the others are brought up to date."""
    write(indexed.corpus, {"roles.md": ROLES + "\n| a | b |\n| --- | --- |\n| 1 |\n", "extra.md": EXTRA})
    line = ROLES.count("\n") + 4
    done = index.ingest(indexed)
    assert done.problems == (f"roles.md:{line}: malformed table: 1 cells in a table with 2 columns.",)
    assert done.guides == 3
    assert "160–220K" in remote(indexed)
    assert "kites" in " ".join(p.text for p in index.Index.open(indexed).passages)
    assert index.ingest(indexed).embedded == 0


def test_a_bad_guide_keeps_what_it_had_when_all_is_embedded_again(indexed: Settings) -> None:
    """Rebuilding from nothing does not lose a guide that cannot be read today."""
    write(indexed.corpus, {"roles.md": b"\x00"})
    index.ingest(indexed, again=True)
    assert "160–220K" in remote(indexed)


def test_when_nothing_can_be_read_the_index_stays(indexed: Settings) -> None:
    """An emptied or missing folder is an error; the index still answers."""
    for path in indexed.corpus.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CorpusError, match="the guide is empty"):
        index.ingest(indexed)
    shutil.rmtree(indexed.corpus)
    with pytest.raises(CorpusError, match="there is no such folder"):
        index.ingest(indexed)
    assert index.Index.open(indexed).passages


def test_a_bad_vocabulary_leaves_the_index(indexed: Settings) -> None:
    """A mistake in the vocabulary file is named, and the index is as it was."""
    write(indexed.corpus, {"vocabulary.yaml": "rolls: {}\n", "extra.md": EXTRA})
    with pytest.raises(CorpusError, match=r"vocabulary\.yaml:1"):
        index.ingest(indexed)
    assert {guide.source for guide in index.Index.open(indexed).guides} == {"ladders.md", "roles.md"}


def test_ingest_reports_with_file_and_line_and_status_two(indexed: Settings) -> None:
    """The command prints the summary, names the bad line, and its exit status says that something was wrong."""
    write(indexed.corpus, {"bad.md": "# B\n\n|a|b|\n|--|--|\n|1|\n"})
    done = run(indexed, "ingest.py")
    assert done.returncode == 2
    assert "bad.md:5: malformed table" in done.stderr
    assert re.search(r"2 guides, \d+ sections, \d+ passages, 2 tables: 0 texts embedded in \d", done.stdout)
    assert "Traceback" not in done.stderr


def test_a_second_writer_is_told(indexed: Settings) -> None:
    """While one ingest writes, another says so at once and touches nothing."""
    holder = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(indexed.index / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as held:
        assert held.stdout is not None
        held.stdout.readline()
        with pytest.raises(IndexBusy, match="another ingest is writing this index"):
            index.ingest(indexed, again=True)
        assert "160–220K" in remote(indexed)
        held.communicate()
    assert index.ingest(indexed).embedded == 0


def damage(name: str, settings: Settings) -> None:
    """Do to an index what disks and people do."""
    version = settings.index / "versions" / (settings.index / "current").read_text()
    database = version / "chroma" / "chroma.sqlite3"
    if name == "no database":
        shutil.rmtree(version / "chroma")
    elif name == "truncated database":
        database.write_bytes(database.read_bytes()[:5000])
    elif name == "foreign database":
        database.write_bytes(b"this is no database at all" * 500)
    elif name == "no guides":
        (version / "guides.json").unlink()
    elif name == "broken guides":
        (version / "guides.json").write_text('[{"source": ')
    elif name == "foreign manifest":
        (version / "manifest.json").write_text('{"made": "by somebody else"}')
    elif name == "older manifest":
        (version / "manifest.json").write_text('{"format": "0", "fingerprint": "x", "model": "y", "units": 3}')
    else:
        (version / "manifest.json").write_text("[]")


@pytest.mark.parametrize(
    "name",
    [
        "no database",
        "truncated database",
        "foreign database",
        "no guides",
        "broken guides",
        "foreign manifest",
        "older manifest",
    ],
)
def test_a_damaged_index_says_what_to_do_and_is_rebuilt(indexed: Settings, name: str) -> None:
    """Whatever is wrong with the files, the error says to ingest, and ingesting makes it answer again."""
    damage(name, indexed)
    with pytest.raises(IndexUnusable, match=r"Run `python ingest\.py"):
        index.Index.open(indexed)
    index.ingest(indexed, again=True)
    assert "160–220K" in remote(indexed)


def test_a_manifest_that_is_none_counts_as_no_index(indexed: Settings) -> None:
    """A manifest with anything else in it is rebuilt when the advisor is opened."""
    damage("list for a manifest", indexed)
    assert "160–220K" in remote(indexed)


KILLER = """
import os, signal, sys
event, end, delay, below = *sys.argv[1:3], float(sys.argv[3]), sys.argv[4]
def kill(name, arguments):
    path = str(arguments[0]) if arguments else ""
    if name == event and below in path and path.endswith(end) and arguments[1:2] != ("r",):
        if delay:
            signal.setitimer(signal.ITIMER_REAL, delay)  # ends the process without asking it, like SIGKILL
        else:
            os.kill(os.getpid(), signal.SIGKILL)
from advisor import index, Settings
import chromadb, filelock
sys.addaudithook(kill)
index.ingest(Settings.read())
"""
KILLED_AT = [
    ("open", "/lock"),
    ("os.scandir", "/versions"),
    ("open", "/guides.json"),
    ("open", "/manifest.json"),
    ("open", "/current.new"),
    ("os.rename", "/current.new"),
    ("os.listdir", "/versions"),
]
"""Which touch of the index's files. Vectors are written after the lock is taken and before `guides.json`; the renaming
is the swap, and the listing begins to clear away older versions."""
DELAYS = [0.01 * n for n in range(1, 16)]
"""Seconds after the lock is taken: somewhere in the writing of vectors, or after it, as fast as the machine is."""


def killed(settings: Settings, event: str, end: str, delay: float) -> int:
    """The exit status of an ingest that is killed at a step of its work."""
    command = [sys.executable, "-c", KILLER, event, end, str(delay), str(settings.index)]
    return subprocess.run(
        command, env=environment(settings), capture_output=True, check=False, timeout=PATIENCE
    ).returncode


@pytest.mark.slow
def test_killed_at_any_step_the_old_index_answers(indexed: Settings) -> None:
    """An ingest that is killed between any two of its steps leaves a whole index, the old one or the new one."""
    (indexed.corpus / "ladders.md").unlink()  # nothing to embed: quick, and every step is the store's
    for event, end in KILLED_AT:
        assert killed(indexed, event, end, 0.0) in (-signal.SIGKILL, -signal.SIGALRM), end
        swapped = event == "os.listdir"
        assert len(index.Index.open(indexed).guides) == (1 if swapped else 2), end
        assert "160–220K" in remote(indexed), end
    assert index.ingest(indexed).embedded == 0
    assert len(index.Index.open(indexed).guides) == 1


@pytest.mark.slow
def test_killed_at_any_moment_an_index_answers(indexed: Settings) -> None:
    """Wherever an ingest is killed, the index is the one before or the one after, and the next ingest mends it."""
    ladders = (indexed.corpus / "ladders.md").read_text(encoding="utf-8")
    for delay in DELAYS:
        had = len(index.Index.open(indexed).guides)
        if had == 2:
            (indexed.corpus / "ladders.md").unlink()
        else:
            write(indexed.corpus, {"ladders.md": ladders})
        killed(indexed, "open", "/lock", delay)
        assert len(index.Index.open(indexed).guides) in (1, 2), delay
        assert "160–220K" in remote(indexed), delay
        index.ingest(indexed)


@pytest.mark.slow
def test_killed_while_embedding_the_old_index_answers(indexed: Settings) -> None:
    """The long part of an ingest can be killed too; the next one does the work."""
    lines = "\n\n".join(f"Sentence number {n} about kites." for n in range(3_000))
    write(indexed.corpus, {"long.md": f"# Long\n\n{lines}\n"})
    with subprocess.Popen(
        [sys.executable, "ingest.py"], cwd=ROOT, env=environment(indexed), stderr=subprocess.PIPE
    ) as going:
        assert going.stderr is not None
        os.set_blocking(going.stderr.fileno(), False)
        said, end = b"", time.monotonic() + PATIENCE
        while b"embedding" not in said and time.monotonic() < end:
            said += going.stderr.read() or b""
            time.sleep(0.05)
        going.kill()
    assert b"embedding" in said
    assert "160–220K" in remote(indexed)
    (indexed.corpus / "long.md").unlink()
    assert index.ingest(indexed).embedded == 0


FULL = """
import resource, signal, sys
from advisor import index, Settings
from advisor.errors import AdvisorError
import chromadb, filelock
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
try:
    index.ingest(Settings.read())
except AdvisorError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("room", [20_000, 200_000])
def test_a_full_disk_leaves_the_old_index(indexed: Settings, room: int) -> None:
    """When files cannot grow any further the error says what to do, and the index answers as before."""
    (indexed.corpus / "ladders.md").unlink()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(room)],
        env=environment(indexed),
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout
    assert "160–220K" in remote(indexed)
    assert len(index.Index.open(indexed).guides) == 2


def test_only_the_version_in_use_and_the_one_before_are_kept(setup: Setup) -> None:
    """Ingesting often does not fill the disk."""
    settings = setup()
    for n in range(4):
        write(settings.corpus, {"extra.md": NO_HEADING + f"\nLine {n}.\n" * (n > 2)})
        index.ingest(settings)
        (settings.corpus / "extra.md").unlink()
        index.ingest(settings)
    assert len(list((settings.index / "versions").iterdir())) == 2


def test_vectors_find_what_they_mean(small: Settings, advisor: Advisor) -> None:
    """The nearest unit to a text is that text, with cosine one."""
    opened = index.Index.open(small)
    (unit,) = {(p, line) for p, line in opened.units if line == "Prompts: writing prompts and testing them"}
    vector = advisor.knowledge.embedder.embed(["What an AI Engineer does: An AI Engineer's daily work: " + unit[1]])[0]
    number, line, cosine = opened.nearest(vector, 3)[0]
    assert (number, line) == unit
    assert cosine > 0.98
