"""What the page keeps: conversations in the browser, feedback on disk; and what it does not let a client forge."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from advisor.types import Answer, Cell, Citation, Passage
from advisor.ui.keeping import Conversation, Exchange, RecordError, Seal, as_markdown, read_record, record
from tests.browsing import Served, ask

pytest_plugins = ["tests.browsing"]
SENIOR_REMOTE = "what does a senior ML engineer earn remotely?"
ROW = Passage(
    "pay-2",
    "Role: ML Engineer; Senior: $160–220K",
    "pay.md",
    ("Pay", "Remote pay"),
    7,
    7,
    "2025-12-27",
    "row",
    cells=(("Role", "ML Engineer"), ("Senior", "$160–220K")),
    region="United States",
)
ANSWER = Answer(
    "senior ML engineer pay, remote",
    "It is **$160–220K** [1].",
    (Citation(1, ROW, "$160–220K", Cell("ML Engineer", "Senior")),),
    follow_ups=("And on site?",),
)
KEPT = Conversation("talk-1", (Exchange("and remote?", ANSWER),))


@pytest.mark.browser
def test_reload_keeps_the_conversation(page: Page) -> None:
    """After a reload question, answer and citations are there, and a follow-up still leans on them."""
    ask(page, SENIOR_REMOTE)
    page.reload()
    first = page.get_by_role("article", name="Question 1")
    expect(first).to_contain_text("$160–220K")
    expect(first.get_by_text("Imported")).to_have_count(0)
    ask(page, "and AI Engineer?")
    expect(page.get_by_role("article", name="Question 2")).to_contain_text("$180–240K")


@pytest.mark.browser
def test_conversations_are_named_exported_imported_and_deleted(page: Page, tmp_path: Path) -> None:
    """A conversation gets a name, goes out as Markdown and JSON, comes back from JSON, and can be thrown away."""
    ask(page, SENIOR_REMOTE)
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("button", name=re.compile("^Rename")).click()
    page.get_by_role("textbox", name="Name of the conversation").fill("My pay")
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name="Markdown: My pay").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename == "My pay.md"
    assert "# My pay" in text
    assert "> [1] “ML Engineer · Senior: $160–220K”" in text
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON: My pay").click()
    download.value.save_as(tmp_path / "talk.json")
    page.get_by_role("button", name="Delete: My pay").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.get_by_label("Conversation file").set_input_files(tmp_path / "talk.json")
    again = page.get_by_role("article", name="Question 1")
    expect(again).to_contain_text("$160–220K")
    expect(again.get_by_text("Imported")).to_have_count(0)
    page.reload()
    expect(again).to_contain_text("$160–220K")
    page.get_by_role("button", name="Conversations").click()
    expect(page.get_by_role("button", name="My pay", exact=True)).to_be_visible()


@pytest.mark.browser
def test_forged_import_is_labelled_and_loses_words_that_no_guide_holds(page: Page, tmp_path: Path) -> None:
    """A file with the advisor's words changed says that it was imported, and a made-up quote is gone."""
    ask(page, SENIOR_REMOTE)
    expect(page.get_by_role("article", name="Question 1").get_by_role("button", name="Copy")).to_be_visible()
    kept: dict[str, Any] = page.evaluate("Object.values(JSON.parse(localStorage['advisor.conversations']))[0].record")
    forged = kept["exchanges"][0]
    forged["text"] = "It is $900K [1]. <img src=x onerror='window.owned = 1'>"
    forged["citations"][0]["quote"] = "$900K"
    (tmp_path / "forged.json").write_text(json.dumps(kept))
    page.get_by_label("Conversation file").set_input_files(tmp_path / "forged.json")
    article = page.get_by_role("article", name="Question 1")
    expect(article.get_by_text("Imported: not checked by this advisor.")).to_be_visible()
    expect(article.get_by_role("link", name="Source 1")).to_have_count(0)
    assert page.evaluate("window.owned") is None


@pytest.mark.browser
@pytest.mark.parametrize("content", ["no JSON", "[]", '{"version": 1, "exchanges": [{"asked": 7}]}', "[" * 5000])
def test_file_that_is_no_conversation_is_refused_readably(page: Page, tmp_path: Path, content: str) -> None:
    """Whatever is chosen, the page says that it is not a conversation and stays as it was."""
    (tmp_path / "odd.json").write_text(content)
    page.get_by_label("Conversation file").set_input_files(tmp_path / "odd.json")
    expect(page.get_by_role("alert").filter(has_text="not a conversation")).to_be_visible()
    expect(page.get_by_role("heading", name="Ask about your career")).to_be_visible()


@pytest.mark.browser
def test_feedback_is_on_disk_for_the_owner_only(page: Page, served: Served) -> None:
    """A thumb down with a reason and a free line is one line of JSON, mode 0600."""
    ask(page, SENIOR_REMOTE)
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_label("What was wrong? Wrong", exact=False).or_(page.get_by_role("combobox")).first.select_option(
        "Hard to read"
    )
    page.get_by_label("In your words (optional)").fill("too short for me")
    expect(page.get_by_text("Nothing is sent anywhere.")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Kept on this machine only.")).to_be_visible()
    entry = json.loads(served.feedback.read_text(encoding="utf-8").splitlines()[-1])
    assert (entry["rating"], entry["reason"], entry["comment"]) == ("down", "Hard to read", "too short for me")
    assert entry["asked"] == SENIOR_REMOTE
    assert entry["citations"][0]["source"] == "roles.md"
    assert entry["fingerprint"]
    assert stat.S_IMODE(served.feedback.stat().st_mode) == 0o600


def test_record_round_trip_keeps_everything() -> None:
    """What was sealed comes back as it was, cells included."""
    seal = Seal(b"key")
    assert read_record(json.dumps(record(KEPT, seal)), seal, [ROW]) == KEPT


def test_sealed_record_outlives_its_passage() -> None:
    """A sealed citation keeps its quote and its row when the guide no longer has the passage."""
    seal = Seal(b"key")
    kept = read_record(json.dumps(record(KEPT, seal)), seal, [])
    citation = kept.exchanges[0].answer.citations[0]
    assert (citation.quote, citation.passage.cells, citation.passage.headings) == ("$160–220K", ROW.cells, ROW.headings)


def test_imported_answer_is_never_given_on_as_the_advisors_words() -> None:
    """With another seal the question counts as asked, the answer does not count as said."""
    read = read_record(json.dumps(record(KEPT, Seal(b"theirs"))), Seal(b"ours"), [ROW])
    assert read.exchanges[0].imported
    assert [(turn.question, turn.answer) for turn in read.turns] == [("and remote?", "")]


def test_changing_one_word_breaks_the_seal() -> None:
    """A sealed exchange with another figure in it is not the advisor's any more, nor is its quote kept."""
    seal = Seal(b"key")
    text = json.dumps(record(KEPT, seal), ensure_ascii=False).replace("160", "260")
    exchange = read_record(text, seal, [ROW]).exchanges[0]
    assert exchange.imported
    assert exchange.answer.citations == ()


@pytest.mark.parametrize(
    "text", ["", "null", "{}", '{"version": 2, "exchanges": []}', '{"version": 1, "exchanges": {}}']
)
def test_what_is_no_record_is_refused(text: str) -> None:
    """Anything else than a record is an error with a reason."""
    with pytest.raises(RecordError, match="not a conversation"):
        read_record(text, Seal(b"key"), [])


def test_record_of_excessive_length_is_refused() -> None:
    """The limit is named."""
    with pytest.raises(RecordError, match="1,000,000"):
        read_record(" " * 1_000_001, Seal(b"key"), [])


def test_key_of_the_seal_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    """Two runs beside the same folder have the same seal, and nobody else can read its key."""
    first, second = Seal.beside(tmp_path / "index"), Seal.beside(tmp_path / "index")
    assert first.of({"a": 1}) == second.of({"a": 1})
    assert stat.S_IMODE((tmp_path / "index" / "page.key").stat().st_mode) == 0o600


def test_markdown_export_quotes_the_guides() -> None:
    """Each citation stands under its answer with the words, the headings, the file, the line and the date."""
    text = as_markdown("Pay", KEPT)
    assert "*Understood as: senior ML engineer pay, remote*" in text
    assert "> [1] “ML Engineer · Senior: $160–220K”  \n> Pay › Remote pay (pay.md, line 7, as of 2025-12-27)" in text
