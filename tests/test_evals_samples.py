"""The loader takes what is right and names what is not; wording that says the same compares equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evals_stand_in import GOLDEN, GUIDE, ROLES, StandIn

from evals.cells import generate
from evals.from_feedback import draft, drafts
from evals.from_feedback import main as from_feedback
from evals.samples import Sample, SampleError, headings, load, main
from evals.wording import folded, says


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with the stand-in's guide."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "kitchen.md").write_text(GUIDE + "\n```\n# not a heading\n```\n", "utf-8")
    return folder


def _load(tmp_path: Path, corpus: Path, *records: dict[str, Any]) -> tuple[Sample, ...]:
    (tmp_path / "golden.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    return load(tmp_path, headings(corpus))


def test_all_kinds_of_samples_load(tmp_path: Path, corpus: Path) -> None:
    """The fixture's samples load in order, with their alternatives and turns."""
    samples = _load(tmp_path, corpus, *GOLDEN)
    assert [sample.id for sample in samples] == [record["id"] for record in GOLDEN]
    assert len(samples[1].labels[0]) == 2
    assert samples[4].turns[0].answer == "£30–36K"


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"labels": ["kitchen.md#What cooks eat"]}, "no such heading"),
    ({"labels": ["cellar.md#Wine"]}, "there is no guide 'cellar.md'"),
    ({"labels": ["kitchen.md#not a heading"]}, "no such heading"),
    ({"labels": []}, "no label"),
    ({"facts": [{"any": ["£28–33K"]}]}, "no vital fact"),
    ({"kind": "riddle"}, "unknown kind"),
    ({"kind": "near-miss"}, "must have decline"),
    ({"decline": True}, "cannot be declined"),
    ({"kind": "partial"}, "names what is missing"),
    ({"kind": "profile", "role": ""}, "has a role"),
    ({"kind": "multi-turn"}, "has turns, standalone and a sort"),
    ({"kind": "multi-turn", "turns": ["a"], "standalone": "other", "sort": "self-contained"}, "byte for byte"),
    ({"id": "lonely"}, "conversation.n"),
    ({"labls": []}, "unknown field labls"),
    ({"question": None}, "`question` is missing"),
    ({"facts": [{"vital": True}]}, "any"),
    ({"facts": [{"vital": True, "any": ["TODO"]}]}, "TODO"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_broken_sample_is_named(tmp_path: Path, corpus: Path, change: dict[str, Any], message: str) -> None:
    """Each fault is reported with file, line and what is wrong."""
    with pytest.raises(SampleError, match=r"golden\.jsonl:1: .*") as caught:
        _load(tmp_path, corpus, {**GOLDEN[0], **change})
    assert message in str(caught.value)


def test_every_problem_is_reported_at_once(tmp_path: Path, corpus: Path) -> None:
    """Two bad lines give two lines of error, and a repeated id is one of them."""
    with pytest.raises(SampleError) as caught:
        _load(tmp_path, corpus, GOLDEN[0], GOLDEN[0], {**GOLDEN[0], "id": "x.1", "labels": ["kitchen.md#Gone"]})
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == ["golden.jsonl:2", "golden.jsonl:3"]


def test_the_check_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a corpus without the guides, the check ends with 2 and names the labels."""
    status = main([str(tmp_path)])
    said = capsys.readouterr()
    assert (status, "there is no guide" in said.err) in ((2, True), (0, False))


def test_the_split_keeps_conversations_together_and_halves_them() -> None:
    """All turns of a conversation fall into one half, and over many the halves are near equal."""
    samples = [Sample(f"talk-{n}.{turn}", "direct", "?") for n in range(400) for turn in (1, 2)]
    assert all(a.split == b.split for a, b in zip(samples[::2], samples[1::2], strict=True))
    assert 160 < sum(sample.split == "test" for sample in samples[::2]) < 240
    assert Sample("pay-1.1", "direct", "?").split == "test"


SAME = [
    (
        "$160-220K",
        "$160–220K",
        "$160K to $220K",
        "**$160,000 – $220,000**",
        "USD 160-220K",
        "between $160K and $220K",
        "$160–220K.",
    ),
    ("6–12 months", "6 to 12 mo.", "6-12 month", "6 months to 12 months"),
    ("20–30%", "20% to 30%", "20 to 30 percent"),
    ("4 of 5", "4/5", "4 out of 5"),
    ("master’s degree", "Master's degree"),
    ("take-home", "take home"),
    ("$112,590", "$112590"),
]


@pytest.mark.parametrize("forms", SAME)
def test_wordings_that_say_the_same_are_equal(forms: tuple[str, ...]) -> None:
    """Dashes, case, units, thousands and Markdown do not matter."""
    assert len({folded(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("They earn **$160–220K** [1].", "$160K to $220K", True),
        ("They earn $280–400K+ a year", "$280–400K", True),
        ("They earn $160–220K", "$160K", False),
        ("They earn $160–220K", "$220K", False),
        ("It is written in HTML", "ML", False),
        ("It takes 12–18 months", "12 months", False),
        ("It takes 4.5 of 5", "5 of 5", False),
        ("C++ is used", "C", False),
        ("C++ is used", "C++", True),
        ("see [pay](a.md#b) [^x]", "see pay", True),
    ],
)
def test_forms_are_found_as_whole_words(text: str, form: str, expected: bool) -> None:
    """A form is found where the text says it, and not inside another word, number or range."""
    assert says(text, form) is expected


def test_every_cell_is_asked_in_three_phrasings() -> None:
    """Two tables of four cells give 24 questions with value, row and column, and no question twice."""
    samples = generate(StandIn.passages, ROLES)
    assert len(samples) == 24
    assert len({sample.question for sample in samples}) == 24
    assert {(s.row, s.column, s.value) for s in samples if "ships" in s.question} == {
        ("Baker", "Junior", "£25–29K"),
        ("Baker", "Senior", "£33–38K"),
        ("Cook", "Junior", "£27–31K"),
        ("Cook", "Senior", "£35–41K"),
    }


def test_names_of_generated_samples_do_not_depend_on_other_tables() -> None:
    """A table that is added elsewhere does not rename a cell, so that it stays comparable with its baseline."""
    alone = {sample.id for sample in generate(StandIn.passages[:2], ROLES)}
    assert alone <= {sample.id for sample in generate(reversed(StandIn.passages), ROLES)}


RECORD = {
    "question": "and at sea?",
    "turns": [{"question": "senior cook pay?", "answer": "£30–36K"}],
    "rating": "down",
    "reason": "wrong",
    "answer": {"text": "£30–36K [1]"},
    "comment": "that is ashore",
    "version": "0.1",
    "fingerprint": "ab",
    "citations": [{"passage": {"source": "kitchen.md", "headings": ["Kitchen jobs", "What kitchen jobs pay ashore"]}}],
}


def test_a_thumb_down_becomes_a_draft_and_a_thumb_up_does_not() -> None:
    """The draft keeps question, turns and cited places; doubles and praise are skipped."""
    lines = [json.dumps(RECORD), json.dumps(RECORD | {"rating": "up"}), json.dumps(RECORD), ""]
    (made,) = drafts(lines)
    assert made["kind"] == "multi-turn"
    assert made["turns"] == RECORD["turns"]
    assert made["labels"] == ["kitchen.md#What kitchen jobs pay ashore"]
    assert made["from_feedback"]["comment"] == "that is ashore"


def test_a_draft_is_refused_until_a_person_finished_it(tmp_path: Path, corpus: Path) -> None:
    """The loader takes the draft only with its blanks filled in and what came from the page removed."""
    made = draft(RECORD)
    with pytest.raises(SampleError, match="from_feedback"):
        _load(tmp_path, corpus, made)
    made.pop("from_feedback")
    with pytest.raises(SampleError, match="TODO"):
        _load(tmp_path, corpus, made)
    made |= {
        "standalone": "What does a senior cook earn on ships?",
        "sort": "region",
        "facts": [{"vital": True, "any": ["£35–41K"]}],
    }
    assert _load(tmp_path, corpus, made)[0].standalone


def test_feedback_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken line and an absent file end with 2 and say where."""
    broken = tmp_path / "feedback.jsonl"
    broken.write_text(json.dumps(RECORD) + "\n{", "utf-8")
    assert from_feedback([str(broken)]) == 2
    assert "feedback.jsonl:2" in capsys.readouterr().err
    assert from_feedback([str(tmp_path / "absent")]) == 2
    assert from_feedback([]) == 2
