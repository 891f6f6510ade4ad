"""The guides of this repository: no fact lost, no figure without a source, no broken table, link or footnote."""

from __future__ import annotations

import calendar
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor import Advisor, Answer, asked, index
from advisor.corpus import read as read_corpus
from advisor.types import Passage
from advisor.vocabulary import KINDS, load
from advisor.words import slug, tokens
from evals import guides
from evals.guides import CHECKLIST, SOURCES, Sheet
from tests.conftest import ROOT, Setup

CORPUS = ROOT / "corpus"
README = CORPUS / "README.md"
SHEETS = guides.read_all(CORPUS)
FACTS: list[dict[str, Any]] = yaml.safe_load(CHECKLIST.read_text("utf-8"))
KEYS = ("title", "as_of", "region", "roles", "sources")
MAY_HAVE = ("currency", "starters")
AMBIGUOUS = {"how long"}
"""Asks for the time to learn a role and for the length of an exam: both are found, the rest of the question decides."""
LONGEST_ANSWER = 30
MONTHS = list(calendar.month_name)

each = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)


def flat(text: str) -> str:
    """Text in which case and white space do not matter."""
    return " ".join(text.split()).casefold()


def sections(text: str) -> dict[str, str]:
    """The Markdown below each heading, up to the next one."""
    parts = re.split(r"^#{1,6} +(.+?) *$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], map(flat, parts[2::2]), strict=True))


def gone(facts: Iterable[dict[str, Any]], text: str) -> list[int]:
    """The facts of the checklist of which some phrase is no longer below its heading."""
    below = sections(text)
    return [f["id"] for f in facts if not all(flat(phrase) in below.get(f["heading"], "") for phrase in f["found"])]


def sheet_of(tmp_path: Path, text: str) -> Sheet:
    """A guide of one's own."""
    path = tmp_path / "mine.md"
    path.write_text(text, "utf-8")
    return guides.read(path)


@cache
def passages() -> tuple[Passage, ...]:
    """Every passage of the guides but their footnotes."""
    return tuple(passage for passage in read_corpus(CORPUS).passages if passage.kind != "note")


# ------------------------------------------------------------------------------------------------- facts


def test_the_checklist_is_whole() -> None:
    """298 facts, numbered through, each with a heading and something to find below it."""
    assert [fact["id"] for fact in FACTS] == list(range(1, 299))
    assert all(fact["fact"] and fact["heading"] and fact["found"] for fact in FACTS)


def test_every_fact_of_the_source_guide_is_told() -> None:
    """Each of the 298 facts stands where the checklist says."""
    assert gone(FACTS, (CORPUS / "choosing-an-ai-role.md").read_text("utf-8")) == []


@pytest.mark.parametrize("fact", FACTS[::13], ids=lambda fact: fact["id"])
def test_a_fact_that_goes_is_missed(fact: dict[str, Any]) -> None:
    """Taking the words of a fact away, or its heading, is noticed."""
    text = (CORPUS / "choosing-an-ai-role.md").read_text("utf-8")
    words = r"\s+".join(map(re.escape, fact["found"][0].split()))
    assert fact["id"] in gone(FACTS, re.sub(words, "", text, flags=re.IGNORECASE))
    assert fact["id"] in gone(FACTS, text.replace(f"# {fact['heading']}\n", "# Elsewhere\n"))


def test_a_changed_cell_is_missed() -> None:
    """One other figure in one cell of the pay table is a fact gone."""
    text = (CORPUS / "choosing-an-ai-role.md").read_text("utf-8")
    assert gone(FACTS, text.replace("| $120–160K | $160–220K |", "| $120–160K | $160–225K |"))


# ------------------------------------------------------------------------------------------------- figures


@each
def test_every_figure_has_a_source(sheet: Sheet) -> None:
    """No number stands in a guide without a footnote, in its place or over its section."""
    assert sheet.uncovered == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pays $160–220K a year", ("$160–220K",)),
        ("a median of $112,590, by BLS", ("$112,590",)),
        ("$280–400K+ at staff level", ("$280–400K+",)),
        ("grew 34% (33.5% before rounding)", ("34%", "33.5%")),
        ("6–12 months, or 7+ years", ("6–12", "7+")),
        ("rated 4 of 5, pass mark 720 out of 1000", ("4 of 5", "720 out of 1000")),
        ("1,654,440 people and 5.2 million jobs", ("1,654,440", "5.2")),
        ("for two years, three weeks, a year of coding", ("two years", "three weeks", "a year of")),
        ("half of all firms, and dozens of people", ("half of", "dozens")),
        ("a Fortune 500 firm", ("500",)),
        ("in May 2024, on 31 March 2026, 2024–34, by 2030, 2025-12-27", ()),
        ("AI-300, DP-100, MLS-C01, n8n, K8s, 15-2051.00, the 21st century", ()),
        ("1. First step[^C-1]", ()),
        ("see [pay](a.md#pay-in-2026-of-3) and <https://a.org/7>", ()),
        ("all three roles", ()),
    ],
)
def test_figures_are_told_from_dates_and_names(text: str, expected: tuple[str, ...]) -> None:
    """Money, shares, durations, counts and scores are figures; dates, codes, numerals and links are none."""
    assert guides.figures(text) == expected


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("## Pay\n\nIt pays $90K.", [5]),
        ("## Pay\n\nIt pays $90K.[^a]", []),
        ("## Pay\n\nSaid somewhere.[^a]\n\nIt pays $90K.", []),
        ("## Pay\n\nSaid somewhere.\n\nIt pays $90K.\n\nSaid here.[^a]", [7]),
        ("## Pay\n\nSaid somewhere.[^a]\n\n### In cities\n\nIt pays $90K.", []),
        ("## Pay\n\n### In cities\n\nSaid somewhere.[^a]\n\n### Abroad\n\nIt pays $90K.", [11]),
        ("## Pay\n\nSaid somewhere.[^a]\n\n## More pay\n\nIt pays $90K.", [9]),
        ("Said of everything.[^a]\n\n## Pay\n\nIt pays $90K.", [7]),
        ("## Pay\n\nWords.\n\nBy level:[^a]\n\n- Junior: $90K\n- Senior: $150K", []),
        ("## Pay\n\nWords.\n\nBy level:\n\n- Junior: $90K[^a]\n- Senior: $150K", [10]),
        ("## Pay\n\nWords.\n\nBy level:[^a]\n\n- Junior: good\n\nLater $90K.", [11]),
        (
            "## Pay\n\nWords.\n\nLevels:\n\n| At | Pay | By |\n|--|--|--|\n| Low | $90K | [^a] |\n| High | $99K | |",
            [12],
        ),
        ("## Pay\n\nWords.\n\nBy level:[^a]\n\n| Level | Pay |\n|--|--|\n| Junior | $90K |", []),
        ("## Steps\n\nWords.\n\nSteps:\n\n1. Wait two weeks.", [9]),
        ("## Sources\n\n[^a]: a title, 90 pages", []),
    ],
)
def test_an_uncovered_figure_is_found(tmp_path: Path, body: str, lines: list[int]) -> None:
    """A footnote covers its paragraph, item, row, list or table, and from the opening of a section all of it."""
    found = sheet_of(tmp_path, f"# Jobs\n\n{body}\n").uncovered
    assert [int(line.split(":")[1]) for line in found] == lines


def test_a_guide_without_its_footnotes_would_fail(tmp_path: Path) -> None:
    """The walk sees every figure of the job market guide: nearly all of them turn up once the marks are gone."""
    text = (CORPUS / "job-market.md").read_text("utf-8")
    bare = sheet_of(tmp_path, re.sub(r"\[\^[\w-]+\](?!:)", "", text))
    assert len(bare.uncovered) == sum(len(guides.figures(s.text)) for s in bare.statements) > 90


# ------------------------------------------------------------------------------------------------- form


@each
def test_tables_are_whole(sheet: Sheet) -> None:
    """Every row has the cells of its header, and none is empty."""
    for block in re.findall(r"(?:^\|.*\n)+", sheet.text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        assert {len(row) for row in rows} == {len(rows[0])}, block
        assert all(cell for row in rows for cell in row), block


def anchors(path: Path) -> list[str]:
    """The anchors of a guide's headings, code left out."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [slug(heading) for heading in re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE)]


@pytest.mark.parametrize("path", [*sorted(CORPUS.glob("*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every link within the repository points at a file, and at a heading of it where it names one."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", path.read_text("utf-8"))
    assert links
    for file, anchor in links:
        target = (path.parent / file) if file else path
        assert target.is_file(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


@each
def test_headings_speak_for_themselves(sheet: Sheet) -> None:
    """One title, no heading twice, none deeper than three, none with a figure or a footnote."""
    assert [level for level, _ in levels(sheet)].count(1) == 1
    assert max(level for level, _ in levels(sheet)) <= 3
    assert levels(sheet)[0] == (1, sheet.about["title"])
    assert [heading for heading, count in Counter(sheet.headings).items() if count > 1] == []
    assert [heading for heading in sheet.headings if guides.figures(heading) or "[^" in heading] == []
    assert sheet.headings[-1] == SOURCES


def levels(sheet: Sheet) -> list[tuple[int, str]]:
    """The headings with their depth."""
    return [(len(marks), text) for marks, text in re.findall(r"^(#{1,6}) +(.+?) *$", sheet.text, re.MULTILINE)]


def spoken(day: object) -> str:
    """A date of the front matter as a footnote writes it."""
    if isinstance(day, date):
        return f"{day.day} {MONTHS[day.month]} {day.year}"
    if found := re.fullmatch(r"(\d{4})-(\d\d)", str(day)):
        return f"{MONTHS[int(found[2])]} {found[1]}"
    return "no date shown" if day == "n/s" else str(day)


@each
def test_front_matter_and_footnotes_agree(sheet: Sheet) -> None:
    """Every source is used, defined once, and its title, publisher, date and address are the same above and below."""
    assert set(sheet.about) - set(MAY_HAVE) == set(KEYS)
    assert isinstance(sheet.about["as_of"], date)
    used = [mark for statement in sheet.statements for mark in statement.marks]
    assert set(used) == set(sheet.about["sources"]) == set(sheet.notes)
    for name, source in sheet.about["sources"].items():
        assert set(source) == {"title", "publisher", "date", "address"}, name
        opening = f'"{source["title"]}", {source["publisher"]}, {spoken(source["date"])}'
        assert sheet.notes[name].startswith((f"{opening}. <", f"{opening}; ")), sheet.notes[name]
        assert f"<{source['address']}>" in sheet.notes[name], name
        assert source["address"].startswith("http")


def test_a_source_is_the_same_in_every_guide() -> None:
    """One id names one page, with one title, publisher, date and address."""
    told: dict[str, Any] = {}
    for sheet in SHEETS:
        for name, source in sheet.about["sources"].items():
            assert told.setdefault(name, source) == source, f"{sheet.name}: {name}"


@each
def test_marks_and_dates_have_one_form(sheet: Sheet) -> None:
    """Footnote marks stand behind the stop without a space, dates are written out, and no asterisk starts emphasis."""
    for statement in sheet.statements:
        where = f"{sheet.name}:{statement.line}"
        if not statement.text.startswith("|"):
            assert not re.search(r"[^\]\s]\s+\[\^", statement.text), where
            assert not re.search(r"\[\^[\w-]+\][.,;:!?)]", statement.text), where
        assert not re.search(r"\b(?:19|20)\d\d-\d\d\b", statement.text), where
        assert len(re.findall(r"\w\*\w", statement.text)) < 2, where
        assert "  " not in re.sub(r"\n +", " ", statement.text), where


def test_lists_and_tables_are_introduced() -> None:
    """A list, ladder or table has a line before it that says whose and what."""
    assert [p.id for p in passages() if p.kind in ("list", "steps", "row") and not p.intro] == []


def test_questions_are_answered_at_once() -> None:
    """Below a question the first sentence answers it, shortly; a yes/no question with Yes, No or It depends."""
    faults = []
    answered: set[tuple[str, ...]] = set()
    for passage in passages():
        heading, first = passage.headings[-1], passage.lines[0]
        if not heading.endswith("?") or (passage.source, *passage.headings) in answered:
            continue
        answered.add((passage.source, *passage.headings))
        closed = re.match(r"(?:Do|Does|Is|Are|Can|Should|Will|Am) ", heading) and " or " not in heading
        short = passage.kind == "paragraph" and len(first.split()) <= LONGEST_ANSWER
        if not short or (closed and not re.match(r"(?:Yes|No|It depends)\b", first)):
            faults.append(f"{passage.source}: {heading}: {first}")
    assert faults == []
    assert len(answered) > 200


def test_sentences_stand_alone() -> None:
    """No sentence or item begins with a word for something named in another one."""
    opening = re.compile(r"(?:It (?!depends)|This (?!guide\b)|That |These |Those |They |He |She |Both |Such )")
    lines = [f"{p.id}: {line}" for p in passages() if p.kind != "row" for line in p.lines if opening.match(line)]
    assert lines == []


def test_paragraphs_are_short() -> None:
    """No paragraph has more than three sentences."""
    assert [p.id for p in passages() if p.kind == "paragraph" and len(p.lines) > 3] == []


# ------------------------------------------------------------------------------------------------- vocabulary


def test_the_vocabulary_names_each_thing_once() -> None:
    """It loads, knows the roles of every guide, and no alias stands for two names of a kind unless that is meant."""
    words = load(CORPUS / "vocabulary.yaml")
    assert set(words) == set(KINDS)
    assert {role for sheet in SHEETS for role in sheet.about["roles"]} == set(words["roles"])
    for kind, names in words.items():
        folded = [" ".join(tokens(alias)) for name, aliases in names.items() for alias in {name.lower(), *aliases}]
        held = {name: {" ".join(tokens(alias)) for alias in (name, *aliases)} for name, aliases in names.items()}
        shared = {alias for alias in folded if sum(alias in aliases for aliases in held.values()) > 1}
        assert shared <= AMBIGUOUS, f"{kind}: {shared - AMBIGUOUS}"


def test_ways_of_asking_lead_to_one_place() -> None:
    """They stand under headings that exist, none twice, and none is also given as something that no guide answers."""
    read = read_corpus(CORPUS)
    asked_for = [flat(way) for ways in asked.read(CORPUS, read.guides, read.passages).values() for way in ways]
    not_covered = [flat(way) for gap in asked.gaps(CORPUS) for way in gap.lines]
    assert [way for way, count in Counter([*asked_for, *not_covered]).items() if count > 1] == []


# ------------------------------------------------------------------------------------------------- the README


def test_the_readme_shows_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of counts is that of `python -m evals.guides`."""
    assert guides.main([str(CORPUS)]) == 0
    shown = README.read_text("utf-8").split("<!-- guides -->\n")[1].split("\n<!-- /guides -->")[0]
    assert capsys.readouterr().out.strip() == shown


def test_the_command_fails_on_a_figure_without_a_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever adds a guide is told the line and the figure."""
    about = "---\ntitle: Mine\nas_of: 2026-11-23\nregion: Mars\nroles: [Cook]\nsources: {}\n---\n"
    (tmp_path / "mine.md").write_text(f"{about}\n# Mine\n\nA Cook earns $90K.\n", "utf-8")
    assert guides.main([str(tmp_path)]) == 1
    assert "mine.md:11: $90K" in capsys.readouterr().err


def test_the_readme_names_every_file() -> None:
    """What lies in the folder is described."""
    text = README.read_text("utf-8")
    named = [path.name for path in CORPUS.iterdir() if not path.name.endswith((asked.SUFFIX, "README.md"))]
    assert [name for name in named if f"({name})" not in text] == []


@pytest.fixture(scope="module")
def robotics(setup: Setup, ours: Advisor, tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    """An advisor on a copy of the guides with the changes of the README's worked example, and no others."""
    home = tmp_path_factory.mktemp("example")
    folder = home / "corpus"
    shutil.copytree(CORPUS, folder)
    shutil.copytree(ours.settings.index, home / "index", symlinks=True)
    text = README.read_text("utf-8")
    files = re.findall(r"`corpus/([\w.-]+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["robotics-engineer.md", "robotics-engineer.asked.yaml"]
    for name, content in files:
        (folder / name).write_text(content, "utf-8")
    (line,) = re.findall(r"below `roles:`:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    edit(folder / "vocabulary.yaml", r"^roles:\n", f"roles:\n{line}")
    edit(folder / "not-covered.yaml", r"^robotics engineer:.*\n", "")
    settings = setup({}, corpus=folder, index=home / "index")
    index.ingest(settings)
    return Advisor.open(settings)


def edit(path: Path, old: str, new: str) -> None:
    """Change the one place of a file that a pattern finds."""
    text, count = re.subn(old, new, path.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1, path.name
    path.write_text(text, "utf-8")


def exchanges() -> list[tuple[str, str]]:
    """The questions of the worked example, with what the answers say."""
    table = README.read_text("utf-8").split("| Question | The answer says |\n| --- | --- |\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [(question, says) for question, says in rows]


@pytest.mark.parametrize(("question", "says"), exchanges())
def test_the_worked_example_works(robotics: Advisor, question: str, says: str) -> None:
    """A fourth role added by files alone is asked about and answered, cited from its own guide."""
    answer: Answer = robotics.ask(question)
    assert says in answer.text
    assert not answer.declined
    assert {citation.passage.source for citation in answer.citations} == {"robotics-engineer.md"}


def test_the_worked_example_changes_no_other_answer(robotics: Advisor, ours: Advisor) -> None:
    """The roles that were there are answered as before."""
    question = "senior ml engineer salary remote?"
    assert robotics.ask(question).text == ours.ask(question).text
    assert "$160–220K" in ours.ask(question).text


def test_the_worked_example_keeps_the_rules(tmp_path: Path) -> None:
    """What the README shows passes the same checks as the guides."""
    guide = re.findall(r"```markdown\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[0]
    sheet = sheet_of(tmp_path, guide)
    assert sheet.uncovered == ()
    test_front_matter_and_footnotes_agree(sheet)
    test_headings_speak_for_themselves(sheet)
    test_marks_and_dates_have_one_form(sheet)
    test_tables_are_whole(sheet)
