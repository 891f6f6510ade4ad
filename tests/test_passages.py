"""Markdown in, passages out: each piece is understood alone, knows where it stands, and no visible word is lost."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from advisor import corpus
from advisor.errors import CorpusError
from advisor.passages import parse
from advisor.types import Passage
from tests.conftest import LADDER, ROLES, SOURCE_GUIDE
from tests.fuzz import check


def cut(text: str) -> tuple[Passage, ...]:
    """The passages of a guide."""
    return parse(textwrap.dedent(text), "guide.md")[1]


def only(text: str, kind: str) -> Passage:
    """The one passage of a kind in a guide."""
    (found,) = (passage for passage in cut(text) if passage.kind == kind)
    return found


def test_a_list_keeps_the_line_that_introduces_it() -> None:
    """The intro stands in the list's passage and nowhere else."""
    (passage,) = cut("# Work\n\nA cook's day:\n\n- **Prep:** chopping\n- Service\n")
    assert passage.kind == "list"
    assert passage.intro == "A cook's day:"
    assert passage.lines == ("A cook's day:", "Prep: chopping", "Service")
    assert (passage.first_line, passage.last_line) == (3, 6)


def test_lists_inside_lists_keep_their_place() -> None:
    """An inner item is indented below its own outer item."""
    passage = only("# A\n\n- one\n  - inner\n\n    more\n- two\n", "list")
    assert passage.text == "- one\n  - inner more\n- two"


def test_a_row_keeps_its_headers_title_and_line() -> None:
    """A table row alone says what each value is, under which heading, and in which line of the file."""
    _, passages = parse(ROLES, "roles.md")
    row = next(p for p in passages if p.kind == "row" and "$160–220K" in p.text and "Remote pay" in p.headings)
    assert row.text == "Role: ML Engineer | Entry: $95–120K | Mid: $120–160K | Senior: $160–220K"
    assert row.cells[0] == ("Role", "ML Engineer")
    assert row.cells[-1] == ("Senior", "$160–220K")
    assert row.headings == ("Three jobs in AI", "What each role pays", "Remote pay")
    assert row.intro.startswith("Salary by level for remote jobs")
    assert (row.region, row.currency, row.as_of) == ("United States", "USD", "2025-12-27")
    assert ROLES.split("\n")[row.first_line - 1].startswith("| ML Engineer | $95–120K")
    assert {p.table for p in passages if "Remote pay" in p.headings and p.kind == "row"} == {row.table}


@pytest.mark.parametrize(
    "ladder",
    [
        "```\nJunior Cook (0-2 years)\n    ↓\nCook (2-4 years)\n    ↓\nHead Cook\n```",
        "1. Junior Cook (0-2 years)\n2. Cook (2-4 years)\n3. Head Cook",
        "    Junior Cook (0-2 years)\n      |\n    Cook (2-4 years)\n      v\n      |\n    Head Cook",
    ],
    ids=["fence", "list", "indented"],
)
def test_a_ladder_keeps_its_order(ladder: str) -> None:
    """Rungs joined by arrows and rungs in a numbered list come out as the same ordered steps."""
    passage = only(f"# Ladder\n\nThe rungs:\n\n{ladder}\n", "steps")
    assert passage.lines == ("The rungs:", "Junior Cook (0-2 years)", "Cook (2-4 years)", "Head Cook")


def test_code_without_arrows_stays_code() -> None:
    """A code block that is no ladder keeps its lines as they are, and its intro."""
    passage = only("# A\n\nRun this:\n\n```python\nx = 1\n  y = 2\n```\n", "code")
    assert passage.text == "x = 1\n  y = 2"
    assert passage.intro == "Run this:"


def test_lines_that_begin_with_a_symbol_are_a_list() -> None:
    """Check marks in front of lines are bullets; the lines below each other are no single sentence."""
    passage = only("# Choose\n\n✅ You like food\n✅ You like people\n", "list")
    assert passage.lines == ("You like food", "You like people")


def test_footnotes_vouch_and_are_read() -> None:
    """A mark leaves the text, names its note, and the note is a passage of its own."""
    passages = cut("# A\n\nPay is high.[^x]\n\nPay by role[^y]:\n\n- cook\n\n[^x]: A study, 2024.\n[^y]: Another.\n")
    assert [(p.text, p.notes) for p in passages] == [
        ("Pay is high.", ("x",)),
        ("Pay by role:\n- cook", ("y",)),
        ("A study, 2024.", ("x",)),
        ("Another.", ("y",)),
    ]
    assert passages[2].kind == "note"


def test_a_footnote_that_nobody_mentions_is_read_too() -> None:
    """What stands in the file is in some passage, used or not."""
    assert any("Forgotten" in passage.text for passage in cut("# A\n\nText.\n\n[^z]: Forgotten.\n"))


def test_front_matter_names_the_guide() -> None:
    """Title, date, region, currency, roles and starters are the guide's, not a passage."""
    guide, passages = parse(ROLES, "roles.md")
    assert (guide.title, guide.as_of, guide.region, guide.currency) == (
        "Three jobs in AI",
        "2025-12-27",
        "United States",
        "USD",
    )
    assert guide.roles == ("AI Engineer", "ML Engineer", "Data Scientist")
    assert guide.starters == ("What does a Senior ML Engineer earn remotely?",)
    assert not any("as_of" in passage.text for passage in passages)


@pytest.mark.parametrize("name", ["updatedDate: '2025-12-27'", "date: 2025-12-27T10:00:00Z", "published: 2025-12-27"])
def test_a_blog_post_s_date_is_its_figures_date(name: str) -> None:
    """A guide that was a blog post has its date under another name."""
    assert parse(f"---\n{name}\n---\n\n# A\n\ntext\n", "a.md")[0].as_of == "2025-12-27"


def test_without_front_matter_the_first_heading_is_the_title() -> None:
    """A plain file has a title, no date and no region."""
    guide, (passage,) = parse("Cooking\n=======\n\nIt is fun.", "a.md")
    assert (guide.title, guide.as_of, passage.headings, passage.first_line) == ("Cooking", "", ("Cooking",), 4)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("---\ntitle: [open\n---\n\n# A\n\ntext\n", "a.md:2: the front matter"),
        ("---\n- a\n---\n\ntext\n", "a.md:2: the front matter"),
        (
            "# A\n\n| a | b |\n| - | - |\n| 1 | 2 |\n| 1 |\n",
            "a.md:6: malformed table: 1 cells in a table with 2 columns",
        ),
        ("# A\n\n| a | b |\n| --- | --- |\n| 1 | 2 | 3 |\n", "a.md:5: malformed table: 3 cells"),
        ("# A\n\n| a | b | c |\n| --- | --- |\n| 1 | 2 | 3 |\n", "a.md:3: malformed table: header and delimiter row"),
        ("---\ntitle: A\n---\n", "a.md:1: the guide has no text"),
    ],
)
def test_bad_guides_are_named_with_file_and_line(text: str, place: str) -> None:
    """Whoever wrote the guide is told where to look."""
    with pytest.raises(CorpusError) as raised:
        parse(text, "a.md")
    assert str(raised.value).startswith(place)


def test_tables_that_only_look_ragged_are_read() -> None:
    """Escaped pipes, missing outer pipes and empty cells are no fault."""
    text = "# A\n\nname | value\n--- | ---\na \\| b | 1\n| `c\\|d` | |\n"
    first, second = (p for p in cut(text) if p.kind == "row")
    assert first.cells == (("name", "a | b"), ("value", "1"))
    assert second.cells == (("name", "c|d"), ("value", ""))


def test_a_drawn_table_is_text() -> None:
    """Escaped pipes in two lines are no table that went wrong; unescaped ones in a quote still are."""
    (passage,) = cut("# A\n\n\\| a \\| b \\|\n\\|---\\|---\\|\n")
    assert passage.text == "| a | b | |---|---|"
    with pytest.raises(CorpusError, match=r"^guide\.md:3: malformed table"):
        cut("# A\n\n> | a | b | c |\n> |---|---|\n")


def test_stars_are_read_as_people_say_them() -> None:
    """Five stars at most in a table make one star `1 of 5`; the same glyphs in other cells stay."""
    text = "# A\n\n| Skill | Cook | Baker |\n|--|--|--|\n| Knife | ⭐⭐⭐⭐⭐ | ⭐ |\n| Dough | ★★☆☆☆ | none ⭐ |\n"
    knife, dough = (p for p in cut(text) if p.kind == "row")
    assert knife.cells[1:] == (("Cook", "5 of 5"), ("Baker", "1 of 5"))
    assert dough.cells[1:] == (("Cook", "2 of 5"), ("Baker", "none ⭐"))


def test_a_column_of_footnote_marks_is_left_out() -> None:
    """Marks vouch for the row; as a value they say nothing."""
    passage = only("# A\n\n| Job | Pay | Source |\n|--|--|--|\n| Cook | €1 | [^a] |\n\n[^a]: Somebody.\n", "row")
    assert passage.cells == (("Job", "Cook"), ("Pay", "€1"))
    assert passage.notes == ("a",)


def test_html_shows_what_a_browser_would() -> None:
    """Tags, comments, scripts and styles are gone, entities are letters, a line break parts two words."""
    text = "# A\n\n<div>R&amp;D <b>pays</b></div><!-- not this --><script>nor()</script>\n\none<br>two <i>x</i>\n"
    assert [p.text for p in cut(text)] == ["R&D pays", "one two x"]


def test_a_heading_with_nothing_below_is_kept() -> None:
    """A section that was left empty is still found by its heading."""
    assert [p.text for p in cut("# A\n\n## Empty\n\n## Full\n\ntext\n")] == ["Empty", "text"]


def test_an_introduction_of_nothing_is_kept() -> None:
    """A line that ends in a colon stays when no list or table follows."""
    assert [p.text for p in cut("# A\n\nAs follows:\n\n## B\n\ntext\n")] == ["As follows:", "text"]


def test_passages_know_their_lines() -> None:
    """The lines of every passage are lines of the file, in order, and hold its words."""
    guide, passages = parse(ROLES, "roles.md")
    lines = guide.text.split("\n")
    assert [p.first_line for p in passages] == sorted(p.first_line for p in passages)
    for passage in passages:
        there = " ".join(lines[passage.first_line - 1 : passage.last_line])
        last = passage.cells[-1][1] if passage.cells else passage.lines[-1].split()[-1]
        assert last in there


def test_ids_are_unique_readable_and_stable() -> None:
    """An id names file and heading; a change elsewhere in the guide does not move it."""
    before = {p.text: p.id for p in parse(ROLES, "roles.md")[1]}
    after = {
        p.text: p.id
        for p in parse(ROLES.replace("# Three jobs in AI\n", "# Three jobs in AI\n\nNew.\n"), "roles.md")[1]
    }
    assert len(set(before.values())) == len(before)
    assert before["A certification alone rarely gets anybody hired."] == "roles.md#is-a-certification-worth-the-money~1"
    moved = {text for text, name in before.items() if after[text] != name}
    assert moved == {"AI Engineer, ML Engineer and Data Scientist are three jobs that people mix up."}


def test_ids_of_headings_that_look_alike_differ() -> None:
    """Two headings with one anchor do not share a passage id."""
    assert len({p.id for p in cut("# A\n\n## B c\n\none\n\n## b-C\n\ntwo\n\n## B c\n\nthree\n")}) == 3


def _indented(block: str, first: str, rest: str) -> str:
    head, *tail = block.split("\n")
    return "\n".join([first + head, *(rest + line if line else line for line in tail)])


WORD = st.integers(0, 10**9).map(lambda n: f"w{n:x}q")
MARKED = st.tuples(
    WORD, st.sampled_from(["{}", "**{}**", "_{}_", "`{}`", "[{}](x.md)", "~~{}~~", "{}[^n]", "<b>{}</b>"])
)
LINE = st.lists(MARKED.map(lambda pair: pair[1].format(pair[0])), min_size=1, max_size=4).map(" ".join)
TEXT = st.lists(LINE, min_size=1, max_size=3).map("\n".join)
CELLS = st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(LINE, min_size=n, max_size=n), min_size=1, max_size=3))
TABLE = CELLS.map(
    lambda rows: "\n".join(
        f"| {' | '.join(row)} |" + ("\n|" + " --- |" * len(row) if at == 0 else "") for at, row in enumerate(rows)
    )
)
LEAF = st.one_of(
    TEXT,
    LINE.map(lambda line: f"{line}:"),
    st.tuples(st.integers(1, 6), LINE).map(lambda h: f"{'#' * h[0]} {h[1]}"),
    LINE.map(lambda line: f"{line}\n---"),
    st.lists(WORD, min_size=1, max_size=4).map(lambda words: "```\n" + "\n  ↓\n".join(words) + "\n```"),
    st.lists(LINE, min_size=1, max_size=3).map(lambda lines: "\n".join(f"✅ {line}" for line in lines)),
    st.lists(WORD, min_size=1, max_size=2).map(lambda words: f"<div>\n<p>{'</p><p>'.join(words)}</p>\n</div>"),
    st.just("---"),
    TABLE,
)
BLOCKS = st.recursive(
    st.lists(LEAF, min_size=1, max_size=3).map("\n\n".join),
    lambda inner: st.one_of(
        inner.map(lambda block: _indented(block, "- ", "  ")),
        inner.map(lambda block: _indented(block, "1. ", "   ")),
        inner.map(lambda block: _indented(block, "> ", "> ")),
        st.lists(inner, min_size=1, max_size=3).map("\n\n".join),
    ),
    max_leaves=8,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BLOCKS)
def test_no_visible_word_is_lost(block: str) -> None:
    """Whatever a guide is made of, every word that a reader sees is in some passage or above it."""
    text = f"{block}\n\n[^n]: wnoteq\n"
    words = {word for word in _words(text) if word != "wnoteq"}
    try:
        passages = parse(text, "a.md")[1]
    except CorpusError as error:
        event("refused")
        _is_named(error)
        return
    kept = {word for p in passages for word in _words("\n".join([p.text, p.intro, *p.headings]))}
    assert words <= kept


FORMS = st.sampled_from(
    [
        "{}", "**{}**", "un**{}**able", "*{}*s", "_{}_", "__{}__", "~~{}~~", "`{}`", "``{} ` ``", "[{}](x.md)",
        "[{}](<a b>)", "[{}][ref]", "[{}]", "![{}](x.png)", "<http://{}.org>", "<b>{}</b>", "un<i>{}</i>able",
        "<br>{}", "{}<br/>", "<!-- {} -->", "&amp;{}", "{}&nbsp;{}", "&#35;{}", "\\*{}", "\\|{}", "{}\\\n{}",
        "{}  \n{}", "{}[^n]", "[^m]{}", "{}:", "✅ {}", "$5–9 {}", "1. {}", "# {}", "{}|{}",
        "<span title='a'>{}</span>", "{}\u00a0{}", "“{}”", "*{}**{}***",
    ]
)  # fmt: skip
FORMED = st.tuples(FORMS, WORD, WORD).map(lambda made: made[0].format(*made[1 : 1 + made[0].count("{}")]))
RICH = st.lists(FORMED, min_size=1, max_size=4).map(" ".join)
RICH_LEAF = st.one_of(
    RICH,
    RICH.map(lambda text: f"{text}\n==="),
    RICH.map(lambda text: f"{text}\n---"),
    RICH.map(lambda text: f"## {text} ##"),
    RICH.map(lambda text: f"[^m]: {text}\n\n    {text}"),
    RICH.map(lambda text: f"[ref]: x.md '{text}'"),
    RICH.map(lambda text: f"```text info\n{text}\n~~~\n```"),
    RICH.map(lambda text: f"    {text}\n      ↓\n    {text}"),
    RICH.map(lambda text: f"<div class='a'>\n{text}<p>{text}</p></div>"),
    RICH.map(lambda text: f"<table><tr><td>{text}</td><td>{text}</td></tr></table>"),
    st.lists(RICH, min_size=1, max_size=3).map(lambda lines: "\n".join(f"- [x] {line}" for line in lines)),
    TABLE,
    LEAF,
)
RICH_BLOCKS = st.recursive(
    RICH_LEAF,
    lambda inner: st.one_of(
        inner.map(lambda block: _indented(block, "- ", "  ")),
        inner.map(lambda block: _indented(block, "3. ", "   ")),
        inner.map(lambda block: _indented(block, "+ ", "  ") + "\n" + _indented(block, "+ ", "  ")),
        inner.map(lambda block: _indented(block, "> ", "> ")),
        inner.map(lambda block: _indented(block, "[^n]: ", "    ")),
        st.lists(inner, min_size=1, max_size=3).map("\n\n".join),
        st.lists(inner, min_size=2, max_size=2).map("\n".join),
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RICH_BLOCKS)
def test_whatever_a_browser_shows_is_read(block: str) -> None:
    """A parser and a reader of HTML that share no line with ours see no word that the passages lack."""
    event(check(f"{block}\n\n[^n]: note\n\n[^m]: note\n\n[ref]: x.md\n".encode()))


def _is_named(error: CorpusError) -> None:
    assert re.match(r"a\.md:\d+: (malformed table|the guide has no text|the front matter)", str(error))


def _words(text: str) -> set[str]:
    return set(re.findall(r"(?<!\w)w[0-9a-f]+q(?!\w)", text))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab \n#|->*`[]()!^:&<;1._~\t\\", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No input makes the parser fail otherwise than by naming file and line."""
    try:
        _, passages = parse(text, "a.md")
    except CorpusError as error:
        _is_named(error)
    else:
        assert all(p.first_line <= p.last_line <= text.count("\n") + 1 for p in passages)
        assert len({p.id for p in passages}) == len(passages)


def test_depth_loses_nothing() -> None:
    """Quotes in quotes in quotes, and lists as deep, still give up their words."""
    assert "bottom" in cut(f"# A\n\n{'> ' * 45}bottom\n")[0].text
    assert (
        "bottom" in cut("# A\n\n" + "".join(f"{'  ' * n}- x\n" for n in range(20)) + f"{'  ' * 20}- bottom\n")[0].text
    )


@pytest.mark.skipif(not SOURCE_GUIDE.is_file(), reason=f"{SOURCE_GUIDE} is not there")
def test_the_source_guide_goes_in_whole() -> None:
    """Read with its broken encoding, it has not one broken character and no word less."""
    guide, passages = parse(corpus.decode(SOURCE_GUIDE.read_bytes(), "source.md"), "source.md")
    assert not any(mark in guide.text for mark in ("√", "‚", "\ufffd", "Ä", "Ã"))
    assert {"✅", "⚠️", "→", "↓", "⭐", "’"} & set(guide.text) or "✅" in guide.text
    kept = " ".join(" ".join([p.text, p.intro, *p.headings]) for p in passages)
    assert not _seen(guide.text) - _seen(kept) - {"---", "title:"}
    assert sum(p.kind == "row" for p in passages) == 28
    ladder = next(p for p in passages if p.kind == "steps" and "Junior ML Engineer" in p.text)
    assert ladder.lines[2] == "Senior ML Engineer (4-7 years)"


def _seen(text: str) -> set[str]:
    """Words of the body, without front matter, Markdown's marks, link addresses and the stars that became ratings."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    body = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", body)
    return set(re.findall(r"[A-Za-z0-9$%]+", body))


def test_ladders_of_the_small_guide() -> None:
    """A numbered list is `steps` with one rung a line."""
    _, (passage,) = parse(LADDER, "ladders.md")
    assert passage.kind == "steps"
    assert len(passage.lines) == 5


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("[[one</p>two", ["one", "two"]),
        ("- un<b>beliEVable</b></script>word", ["unbeliEVable", "word"]),
        ("<?é</a>word", ["word"]),
        ("<!-->shown-->", ["shown"]),
        ("<div>\n<SCRIPT>gone()</SCRIPT><p>one</p><p>t<b>w</b>o</p>\n</div>", ["one", "two"]),
        ("a\n\n---\n|[head\n---\n[^n]\n\n[^n]: note\n", ["head", "note"]),
    ],
)
def test_what_fuzzing_found_stays_mended(text: str, kept: list[str]) -> None:
    """Words that a tag, a comment or a column of marks once swallowed or joined are there, and no passage is empty."""
    passages = cut(text)
    words = re.findall(r"\w+", " ".join(" ".join([p.text, *p.headings]) for p in passages))
    assert [word for word in kept if word not in words] == []
    assert "gone" not in words
    assert all(p.text for p in passages)


@pytest.mark.parametrize(
    ("text", "line"),
    [("# A\n\n" + "> " * 120 + "deep\n", 3), ("# A\n\nb\n\n" + "*" * 4000 + "a" + "*" * 4000, 5)],
    ids=["quotes", "emphasis"],
)
def test_what_is_nested_too_deep_is_named(text: str, line: int) -> None:
    """Instead of losing what stands deepest, or exhausting the stack, the guide is refused with its line."""
    with pytest.raises(CorpusError, match=f"^a.md:{line}: nested too deep to be read"):
        parse(text, "a.md")
