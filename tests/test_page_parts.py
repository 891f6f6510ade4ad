"""The page's parts without a browser: safe HTML, marks in a guide, plots, the form on roles, who may listen."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from advisor.criteria import Criterion
from advisor.errors import SettingsError
from advisor.settings import Settings
from advisor.types import Answer, Cell, Citation, Guide, Passage
from advisor.ui import fitting
from advisor.ui.charts import chart
from advisor.ui.fitting import Form, Reply
from advisor.ui.guides import guide_html
from advisor.ui.keeping import Conversation, Exchange
from advisor.ui.markup import answer_html
from advisor.ui.server import bound, is_loopback
from advisor.ui.sources import spoken_date
from advisor.ui.transcript import transcript
from tests.browsing import ROOT

TEXT = """---
title: Pay
---
# Pay

A **Data Scientist** studies data[^1]
and explains it. Another sentence. See [pay](pay.md#remote-pay) and <b onclick="x()">this</b> ![x](http://a.example/x.png)

| Role | Mid | Senior |
| --- | --- | --- |
| ML Engineer | $120–160K | $160–220K |
| AI Engineer | $130–180K | $160–220K |

[^1]: A source. <https://example.org/a>
"""
GUIDE = Guide("pay.md", "Pay", TEXT)


def passage(text: str, first: int, last: int) -> Passage:
    """A passage of those lines."""
    return Passage("p", text, "pay.md", ("Pay",), first, last)


@pytest.mark.parametrize(
    "attack",
    [
        "<script>x</script>",
        "<img src=x onerror=x>",
        "![x](http://a.example/x.png)",
        "[x](javascript:alert(1))",
        "<form action=http://a.example><input></form>",
        "[click](http://a.example/?q=secret)",
        "<svg onload=x>",
        "<style>*{}</style>",
        "[a]: javascript:x\n\n[a]",
        "<a href='http://a.example'>x</a>",
        "| a |\n|---|\n| <script>x |",
    ],
)
def test_answer_html_does_nothing(attack: str) -> None:
    """No tag of the writer's survives, no picture, no form, no link out; the text stays readable."""
    html = answer_html(attack, lambda _: "")
    assert not re.search(r"<(script|img|form|input|svg|style|a|iframe)\b", html)


def test_markers_become_links_and_unknown_ones_vanish() -> None:
    """`[n]` is handed to the linker wherever it stands, in tables too; code and links are left alone."""
    html = answer_html(
        "A [1] **b [2]** `[1]`\n\n| x |\n|---|\n| y [1] |", lambda number: f"<i>{number}</i>" if number == 1 else ""
    )
    assert html.count("<i>1</i>") == 2
    assert "[2]" not in html
    assert "<code>[1]</code>" in html


def test_exact_words_are_marked_across_bold_lines_and_footnotes() -> None:
    """A quote that runs over bold words, a footnote and a line end is marked whole, and nothing else is."""
    html = guide_html(GUIDE, passage("", 6, 7), "A **Data Scientist** studies data and explains it.")
    marked = " ".join(re.findall(r'<mark class="cited">(.*?)</mark>', html, re.DOTALL))
    assert re.sub(r"\s+", " ", marked).strip() == "A Data Scientist studies data and explains it."


def test_words_that_are_not_there_mark_the_whole_passage() -> None:
    """Rather the whole block than nothing."""
    html = guide_html(GUIDE, passage("", 6, 7), "words of nobody")
    assert '<mark class="cited">A <strong>Data Scientist' in html


def test_cell_is_marked_in_its_own_row_only() -> None:
    """The same figure in the row below stays unmarked; row and header are shown."""
    html = guide_html(GUIDE, passage("", 11, 11), "$160–220K", Cell("ML Engineer", "Senior"))
    assert html.count("<mark") == 1
    assert re.search(r'<tr class="cited-row">\s*<td>ML Engineer.*cited-cell', html, re.DOTALL)
    assert re.search(r'<th class="cited-header">Senior', html)


def test_guide_html_is_inert_and_its_links_stay_in_the_guides() -> None:
    """HTML of a guide is text, a picture its description; links between guides open here, others in a new tab."""
    html = guide_html(GUIDE)
    assert "<b onclick" not in html
    assert "<img" not in html
    assert 'data-source="pay.md" data-anchor="remote-pay"' in html
    assert 'href="https://example.org/a" target="_blank" rel="noopener noreferrer"' in html


def cited(row: str, column: str, value: str, number: int = 1) -> Citation:
    """A citation of one cell."""
    held = Passage(f"p-{row}", "", "pay.md", ("Pay", "Remote pay"), 9, 9, "2025-12-27", "row", region="United States")
    return Citation(number, held, value, Cell(row, column))


def test_pay_is_plotted_from_cited_cells_with_its_terms() -> None:
    """Range bars start and end where the cells say; the caption names table, region and date."""
    html = chart(
        Answer("q", "", (cited("ML Engineer", "Senior", "$160–220K"), cited("AI Engineer", "Senior", "$180–240K+")))
    )
    assert "Remote pay · Senior · United States · December 2025" in html
    assert 'x="66.7"' in html
    assert 'width="25.0"' in html
    assert "$180–240K+" in html


def test_ratings_are_plotted_out_of_their_maximum() -> None:
    """`4 of 5` is a bar of 80 percent."""
    html = chart(Answer("q", "", (cited("Python", "AI Engineer", "4 of 5"), cited("SQL", "AI Engineer", "2 of 5"))))
    assert 'width="80.0"' in html
    assert 'width="40.0"' in html


def test_one_figure_or_mere_words_are_not_plotted() -> None:
    """There is nothing to compare."""
    assert chart(Answer("q", "", (cited("a", "b", "$1–2K"), cited("c", "b", "high"), cited("d", "b", "3 of 5")))) == ""


CRITERIA = tuple(Criterion(role, f"You like {role}{n}", passage("", 1, 1)) for role in "AB" for n in range(3))


def shown(*replies: Reply) -> list[str]:
    """The statements that these replies lead to, the next one included."""
    now = fitting.standing(Form(replies), CRITERIA)
    return [criterion.text.removeprefix("You like ") for criterion in (*now.shown, now.next) if criterion]


def test_form_begins_with_every_role_and_goes_on_with_those_that_fit() -> None:
    """Both roles have a turn first; one that falls behind waits until the other is through."""
    assert shown("skip", "skip") == ["A0", "B0", "A1"]
    assert shown("agree", "disagree", "agree") == ["A0", "B0", "A1", "A2"]
    assert shown("disagree", "agree", "agree") == ["A0", "B0", "B1", "B2"]


@pytest.mark.parametrize(
    ("replies", "settled"),
    [
        ((), False),
        (("agree", "disagree"), False),
        (("agree", "disagree", "agree"), False),
        (("agree", "disagree", "agree", "agree"), True),
        (("skip",) * 5, False),
        (("skip",) * 6, True),
    ],
)
def test_form_ends_when_nothing_can_change_who_comes_first(replies: tuple[Reply, ...], settled: bool) -> None:
    """Not before three real replies, and not while another role can still catch up."""
    assert fitting.settled(Form(replies), CRITERIA) is settled


def test_replies_lead_back_to_their_statements() -> None:
    """What was agreed with is what was shown at that time."""
    form = Form(("agree", "disagree", "skip", "agree"))
    assert [c.text for c in fitting.picked(form, CRITERIA, "agree")] == ["You like A0", "You like A2"]
    assert [c.text for c in fitting.picked(form, CRITERIA, "disagree")] == ["You like B0"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("example.org", False),
    ],
)
def test_loopback_is_recognised(host: str, loopback: bool) -> None:
    """Names other than localhost count as reachable by others."""
    assert is_loopback(host) is loopback


def test_other_addresses_need_a_password_or_an_explicit_word() -> None:
    """The refusal names the settings that change it."""
    with pytest.raises(SettingsError, match="ADVISOR_AUTH=user:password, or ADVISOR_OPEN=1"):
        bound(Settings.read(host="0.0.0.0", port=0))
    for given in ({"auth": "ada:secret"}, {"open": True}):
        bound(Settings.read(host="0.0.0.0", port=0, **given)).close()


def test_port_in_use_is_said_readably() -> None:
    """The message names the port and the setting."""
    with bound(Settings.read(port=0)) as taken:
        taken.listen()
        with pytest.raises(SettingsError, match=f"ADVISOR_PORT={taken.getsockname()[1]}: cannot listen"):
            bound(Settings.read(port=taken.getsockname()[1]))


def test_help_is_instant_and_needs_nothing_heavy() -> None:
    """`python app.py --help` imports neither Gradio nor the models."""
    heavy = "print([m for m in ('gradio', 'torch', 'fastapi') if m in sys.modules])"
    code = f"import sys, app\ntry: app.main(['--help'])\nexcept SystemExit: {heavy}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.rstrip().endswith("[]")
    assert "--port" in done.stdout


def test_thumbs_are_there_only_where_feedback_is_kept() -> None:
    """With ADVISOR_FEEDBACK=off nothing asks for a rating."""
    talk = Conversation("a", (Exchange("q", Answer("q", "text")),))
    assert "Good answer" in transcript(talk)
    assert "Good answer" not in transcript(talk, feedback=False)


def test_dates_are_spoken() -> None:
    """ISO dates read as month and year, everything else stays."""
    assert (spoken_date("2025-12-27"), spoken_date("2025")) == ("December 2025", "2025")
