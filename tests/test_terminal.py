"""The terminal: one question, JSON, a chat through standard input, ingest; errors are sentences, not tracebacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor import Settings, __version__
from tests.conftest import ROOT, run

REMOTE = "what does a senior ML engineer earn remotely?"


def test_a_question_is_answered_with_its_passages(small: Settings) -> None:
    """The answer, then each citation with file, line, heading, cell and the exact words."""
    done = run(small, "-m", "advisor", *REMOTE.split())
    assert done.returncode == 0, done.stderr
    assert "$160–220K" in done.stdout
    line = (small.corpus / "roles.md").read_text().split("\n").index(
        "| ML Engineer | $95–120K | $120–160K | $160–220K |"
    ) + 1
    assert f"roles.md:{line}" in done.stdout
    assert "[ML Engineer / Senior]" in done.stdout
    assert "“$160–220K”" in done.stdout


def test_json_is_the_whole_answer(small: Settings) -> None:
    """Every field of the answer comes out as JSON, citations with passage, quote and cell."""
    done = run(small, "-m", "advisor", "--json", REMOTE)
    answer = json.loads(done.stdout)
    assert set(answer) >= {"question", "text", "citations", "declined", "missing", "follow_ups", "hits", "notice"}
    assert answer["question"] == REMOTE
    assert answer["declined"] is False
    citation = answer["citations"][0]
    assert (citation["number"], citation["quote"]) == (1, "$160–220K")
    assert citation["cell"] == {"row": "ML Engineer", "column": "Senior"}
    assert citation["passage"]["as_of"] == "2025-12-27"


def test_a_question_that_is_not_covered_is_declined(small: Settings) -> None:
    """A refusal is an answer: status 0, nothing cited."""
    done = run(small, "-m", "advisor", "--json", "how do I become a nurse?")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["declined"] is True
    assert answer["citations"] == []
    assert "nurse" in answer["text"]


def test_a_chat_understands_follow_ups(small: Settings) -> None:
    """Lines typed one after another are one conversation, which an empty line ends; how it was understood is shown."""
    done = run(small, "-m", "advisor", typed=f"{REMOTE}\nand AI Engineer?\n\nnever asked\n")
    assert done.returncode == 0, done.stderr
    first, _, second = done.stdout.partition("(understood as: ")
    assert "$160–220K" in first
    assert "AI Engineer" in second.split("\n")[0]
    assert "$180–240K" in second


def test_ingest_says_what_it_did(indexed: Settings) -> None:
    """A summary in one line; up-to-date guides are not embedded again; an unknown option is explained."""
    done = run(indexed, "ingest.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 guides, ")
    assert " 0 texts embedded in " in done.stdout
    assert "--again" in run(indexed, "ingest.py", "--agian").stderr + run(indexed, "ingest.py", "--help").stdout


@pytest.mark.parametrize("program", [("-m", "advisor", "hello"), ("ingest.py",), ("app.py",)])
def test_a_wrong_setting_is_a_sentence_and_status_two(small: Settings, program: tuple[str, ...]) -> None:
    """Every way in names the variable and its value."""
    done = run(small, *program, ADVISOR_PORT="http")
    assert done.returncode == 2
    assert done.stderr.startswith("ADVISOR_PORT=http: ")


def test_a_missing_folder_is_a_sentence_and_status_two(small: Settings, tmp_path: Path) -> None:
    """Nothing to answer from is said with the folder's name."""
    gone = small.model_copy(update={"corpus": tmp_path / "gone", "index": tmp_path / "index"})
    for program in (("-m", "advisor", "hello"), ("ingest.py",)):
        done = run(gone, *program)
        assert done.returncode == 2
        assert "gone: there is no such folder" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_loads_nothing_heavy(small: Settings) -> None:
    """`--help` explains itself without a vector store or model in sight, from any folder."""
    program = (
        "import sys\nfrom advisor.__main__ import main\ntry: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "print([n for n in ('chromadb', 'numpy', 'gradio', 'langchain_core', 'pydantic') if n in sys.modules])"
    )
    done = run(small, "-c", program)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert "--json" in done.stdout


def test_versions_agree() -> None:
    """The package says of itself what the changelog's newest heading says."""
    newest = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert __version__ in newest
