"""The comparison with other systems judges all of them alike: where a piece stands, and what a label asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.corpus import read
from evals.peers.__main__ import corpora
from evals.peers.environments import SYSTEMS
from evals.peers.places import RUN, Guide, ranks, within, words
from evals.samples import HERE, headings, load
from evals.wording import folded
from tests.conftest import PATIENCE, ROLES, ROOT, SMALL

GUIDE = Guide(ROLES)


def lines_of(text: str) -> list[str]:
    """The lines of the small guide that a piece stands on."""
    return [GUIDE.lines[number - 1] for number in sorted(GUIDE.place(text))]


def test_a_piece_is_found_whatever_a_splitter_did_to_it() -> None:
    """Spaces, marks and line ends that a splitter changes do not matter, nor where in a line a piece begins."""
    assert lines_of("writing prompts and testing them Agents: building agents that use tools") == [
        "- **Prompts:** writing prompts and testing them",
        "- **Agents:** building agents that use tools",
    ]
    assert lines_of("employers of ai engineers LOOK at what you have built") == [
        "No, you do not need a PhD for AI engineering. Employers of AI Engineers look at what you have built."
    ]
    assert lines_of("| AI Engineer | $100–130K | $130–180K |") == [
        "| AI Engineer | $100–130K | $130–180K | $180–240K |"
    ]
    assert lines_of("words that stand nowhere in any guide at all") == []


def test_a_links_address_is_no_word_of_a_text() -> None:
    """A reader that drops the addresses of links does not lose the place."""
    assert words("see [the list](https://example.org/a-list) now") == ["see", "the", "list", "now"]


def test_a_section_holds_its_sub_sections_and_not_its_own_heading() -> None:
    """A label is met by a line of the body, also under a sub-heading; a heading alone answers nothing."""
    pay = [["roles.md#What each role pays"]]
    remote = [["roles.md#Remote pay"]]
    row = ("roles.md", "| ML Engineer | $95–120K | $120–160K | $160–220K |")
    guides = {"roles.md": GUIDE}
    assert ranks([row], pay, guides) == [1]
    assert ranks([row], remote, guides) == [1]
    assert ranks([row], [["roles.md#Pay in US tech hubs"]], guides) == [None]
    assert ranks([("roles.md", "### Remote pay")], remote, guides) == [None]
    assert ranks([("roles.md", "## Questions people ask"), row], remote, guides) == [2]
    assert ranks([row], [["other.md#X", "roles.md#Remote pay"]], guides) == [1]


def test_pieces_are_read_up_to_a_number_of_words() -> None:
    """The first piece counts whatever its length; of the others only what still fits."""
    pieces = [("a.md", "one two three"), ("a.md", "four five"), ("a.md", "six")]
    assert within(pieces, 5) == pieces[:2]
    assert within(pieces, 1) == pieces[:1]


def test_every_label_points_at_lines_of_a_guide() -> None:
    """All the places that the golden labels name have a body in their file, so that each system can find them."""
    corpus = ROOT / "corpus"
    guides = {path.name: Guide(path.read_text("utf-8")) for path in corpus.glob("*.md")}
    labels = [s.labels for s in load(HERE, headings(corpus)) if s.labels]
    named = {place for label in labels for alternatives in label for place in alternatives}
    assert len(named) > 100
    for place in named:
        source, _, heading = place.partition("#")
        lines = guides[source].sections[folded(heading)][0]
        first = guides[source].lines[min(lines) - 1]
        assert ranks([(source, first)], [[place]], guides) == [1] or len(words(first)) < RUN, place


def test_others_get_the_guides_and_ours_what_stands_beside_them(tmp_path: Path) -> None:
    """The other systems read the Markdown alone; ours has its data too, or none of the ways of asking where told so."""
    found = corpora(ROOT / "corpus", tmp_path, SYSTEMS)
    theirs = {path.name for path in found["LlamaIndex"].rglob("*") if path.is_file()}
    assert theirs == {path.name for path in (ROOT / "corpus").glob("*.md")} - {"README.md"}
    assert {path.name for path in found["Career Advisor"].rglob("*.yaml")} == {
        path.name for path in (ROOT / "corpus").glob("*.yaml")
    }


@pytest.mark.slow
def test_the_runner_puts_a_system_to_every_act(tmp_path: Path) -> None:
    """Ingest, first hits and questions run as processes and answer in JSON, here for our own system."""
    corpus, store = tmp_path / "corpus", tmp_path / "index"
    corpus.mkdir()
    for name, text in SMALL.items():
        (corpus / name).write_text(text, "utf-8")
    question = "What does a senior ML engineer earn remotely?"
    asked = {"timed": [question], "warm": ["Do I need a PhD?"], "judged": [question]}
    told = {}
    for act in ("ingest", "first", "ask"):
        command = [sys.executable, "-P", str(ROOT / "evals/peers/running.py"), "with_ours", act]
        ended = subprocess.run(
            [*command, str(corpus), str(store), ""],
            input=json.dumps(asked),
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE,
        )
        assert ended.returncode == 0, ended.stderr
        told[act] = json.loads(ended.stdout)
    assert told["ingest"]["pieces"] == len(read(corpus).passages)
    assert "ML Engineer" in told["first"]["hits"][0][1]
    assert len(told["ask"]["search"]) == len(told["ask"]["answer"]) == 1
    assert ranks(told["ask"]["hits"][question][:5], [["roles.md#Remote pay"]], {"roles.md": GUIDE, "ladders.md": GUIDE})
