"""Guides that are no Markdown: PDF, Word and HTML come in with their tables, and nothing but words comes out."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor import Advisor, corpus, formats, index
from advisor.errors import CorpusError
from advisor.passages import parse
from advisor.types import Cell, Passage
from advisor.ui.guides import guide_html
from tests import brought, kitchen
from tests.conftest import ROLES, Setup, run, write


def read(raw: bytes | str, source: str) -> tuple[Passage, ...]:
    """The passages of a file as people bring it."""
    return parse(told(raw, source), source)[1]


def told(raw: bytes | str, source: str = "a.html") -> str:
    """Its Markdown."""
    return formats.markdown(raw.encode() if isinstance(raw, str) else raw, source, corpus.decode)


def refused(raw: bytes, source: str) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(CorpusError) as raised:
        told(raw, source)
    return str(raised.value)


GUIDES = {"jobs.pdf": brought.guide_pdf, "jobs.docx": brought.guide_docx, "jobs.html": brought.HTML.encode}


@pytest.mark.parametrize("source", GUIDES)
def test_a_guide_is_read_whatever_it_was_written_with(source: str) -> None:
    """Title, sections, table rows with their headers, lists and ladders are the same from all three."""
    guide, passages = parse(told(GUIDES[source](), source), source)
    assert guide.title == "Kitchen jobs"
    row = next(p for p in passages if p.kind == "row" and p.cells[0] == ("Role", "Baker"))
    assert row.cells == (("Role", "Baker"), ("Entry", "$28–35K"), ("Senior", "$55–70K"))
    assert row.headings == ("Kitchen jobs", "What each job pays")
    assert row.intro == "Pay by level:"
    assert any(p.text == brought.SAID for p in passages)
    (chores,) = (p for p in passages if p.kind == "list")
    assert chores.lines == ("chops onions", "stirs soups")
    assert chores.headings == ("Kitchen jobs", "What a cook does")
    (ladder,) = (p for p in passages if p.kind == "steps")
    assert ladder.lines == ("Junior cook", "Head cook")
    assert ladder.headings == ("Kitchen jobs", "What a cook does", "How to rise")
    lines = guide.text.split("\n")
    assert all("Baker" in lines[p.first_line - 1] for p in passages if p.cells[:1] == (("Role", "Baker"),))


@pytest.mark.parametrize(("name", "made"), [("kitchen.html", brought.as_html), ("kitchen.pdf", brought.as_pdf)])
def test_a_citation_opens_the_converted_text(setup: Setup, name: str, made: Callable[[str], bytes]) -> None:
    """A question is answered from a table, cited to file, line and cell, and the page shows that cell marked."""
    given = setup({name: made(kitchen.GUIDE), "vocabulary.yaml": kitchen.VOCABULARY})
    summary = index.ingest(given)
    assert (summary.guides, summary.tables, summary.problems) == (1, 4, ())
    (citation,) = Advisor.open(given).ask("What does a trained Pastry Chef earn at sea?").citations
    assert (citation.quote, citation.cell, citation.passage.source) == ("£33–37K", Cell("Pastry Chef", "Trained"), name)
    (guide,) = index.Index.open(given).guides
    assert "£33–37K" in guide.text.split("\n")[citation.passage.first_line - 1]
    page = guide_html(guide, citation.passage, citation.quote, citation.cell)
    assert re.search(r'class="cited-cell"[^>]*><mark class="cited">.*33–37K', page)


def test_without_the_extra_the_rest_goes_in(setup: Setup) -> None:
    """Each file that needs it is named with the command that installs it; Markdown is read; the exit status says so."""
    settings_ = setup({"roles.md": ROLES, "jobs.pdf": b"%PDF-1.4", "jobs.docx": b"PK", "jobs.html": b"<p>hello"})
    program = "import sys; sys.modules['mammoth'] = None; from advisor.__main__ import ingest; sys.exit(ingest([]))"
    done = run(settings_, "-c", program)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("jobs")]
    assert [line.split(":")[0] for line in said] == ["jobs.docx", "jobs.html", "jobs.pdf"]
    assert all("pip install -c requirements.lock -e '.[formats]'" in line for line in said)
    assert done.stdout.startswith("1 guides")


def test_good_files_go_in_beside_bad_ones(tmp_path: Path) -> None:
    """A broken file is named; what can be read is read."""
    folder = write(tmp_path, {"good.html": brought.HTML, "bad.pdf": b"%PDF-1.4 broken", "bad.docx": b"PK no zip"})
    found = corpus.read(folder)
    assert [guide.source for guide in found.guides] == ["good.html"]
    assert set(found.problems) == {"bad.docx", "bad.pdf"}


# PDF


def test_a_table_over_two_pages_is_one_table() -> None:
    """Rows after the break keep the headers; the header that is said again is no row."""
    rows = [("Role", "Pay"), *((f"Cook {n}", f"${n}K") for n in range(70))]
    passages = [p for p in read(brought.pdf(brought.text("Pay", "Title"), brought.table(rows)), "a.pdf") if p.cells]
    assert [p.cells for p in passages] == [(("Role", name), ("Pay", pay)) for name, pay in rows[1:]]
    assert len({p.table for p in passages}) == 1


def test_headers_and_footers_are_not_said_on_every_page() -> None:
    """What stands at the edge of each page is kept once at most, whatever its number."""
    pages = [part for n in range(4) for part in (brought.text(f"Words {n} of the page."), brought.page_break())]
    text = told(brought.pdf(*pages, running="The kitchen book"), "a.pdf")
    assert text.count("The kitchen book") == 1
    assert all(f"Words {n} of the page." in text for n in range(4))


def test_columns_are_read_one_after_the_other() -> None:
    """A page in two columns is read down the first, then down the second."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held, pagesize=A4)
    for column, word in enumerate(("left", "right")):
        for line in range(8):
            canvas.drawString(60 + 260 * column, 700 - 12 * line, f"{word} {line} and some more words in the line")
    canvas.save()
    words = re.findall(r"(?:left|right) \d", told(held.getvalue(), "a.pdf"))
    assert words == [f"{side} {n}" for side in ("left", "right") for n in range(8)]


def test_a_word_cut_in_two_is_whole_again() -> None:
    """A line's end goes where the document has the whole word elsewhere; a hyphen that belongs there stays."""
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held)
    for at, line in enumerate(("Every engineer and every devel-", "oper has a well-", "known developer.")):
        canvas.drawString(60, 700 - 14 * at, line)
    canvas.save()
    assert "every developer has a well-known developer." in told(held.getvalue(), "a.pdf").replace("\\", "")


def scanned() -> bytes:
    """A PDF whose page is a picture."""
    from reportlab.platypus import Image

    return brought.pdf(Image(io.BytesIO(brought.picture()), 300, 300))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (lambda: b"", "a.pdf:1: the guide is empty"),
        (lambda: b"no PDF at all", "a.pdf:1: not a PDF that can be read"),
        (lambda: brought.guide_pdf()[:900], "a.pdf:1: not a PDF that can be read"),
        (lambda: brought.guide_pdf(password="secret"), "a.pdf:1: protected by a password"),
        (scanned, "a.pdf:1: holds no text, only pictures; run text recognition (OCR)"),
    ],
    ids=["empty", "foreign", "cut off", "encrypted", "scanned"],
)
def test_a_pdf_that_cannot_be_read_says_why(raw: Callable[[], bytes], said: str) -> None:
    """Whoever brought it knows what to do next."""
    assert refused(raw(), "a.pdf").startswith(said)


# Word


def packed(**parts: bytes) -> bytes:
    """A zip file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/") + ".xml", content)
    return held.getvalue()


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (ord("a") + n, b"&%c;" % (ord("a") + n - 1) * 50) for n in range(1, 9)
) + b"]><x>&i;</x>"  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (lambda: b"", "a.docx:1: the guide is empty"),
        (lambda: b"no document", "a.docx:1: not a Word document that can be read"),
        (lambda: packed(other=b"<x/>"), "a.docx:1: not a Word document that can be read"),
        (lambda: packed(word__document=b"<w:doc"), "a.docx:1: not a Word document that can be read"),
        (lambda: packed(word__document=LAUGHS), "a.docx:1: not a Word document that can be read"),
        (lambda: brought.guide_docx()[:5000], "a.docx:1: not a Word document that can be read"),
        (lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "a.docx:1: protected by a password"),
        (lambda: packed(word__document=bytes(201_000_000)), "a.docx:1: unpacks to 201,000,000 bytes"),
    ],
    ids=["empty", "foreign", "zip", "broken", "entities", "cut off", "encrypted", "bomb"],
)
def test_a_document_that_cannot_be_read_says_why(raw: Callable[[], bytes], said: str) -> None:
    """Broken, protected and malicious documents are refused by name, and cost next to nothing."""
    assert refused(raw(), "a.docx").startswith(said)


def test_a_document_without_words_is_refused() -> None:
    """A document that holds a picture alone has nothing to answer from."""
    import docx

    made = docx.Document()
    made.add_picture(io.BytesIO(brought.picture()))
    held = io.BytesIO()
    made.save(held)
    assert refused(held.getvalue(), "a.docx") == "a.docx:1: the guide has no text."


# HTML


def test_nothing_but_words_comes_out_of_a_page() -> None:
    """Scripts, styles, frames, forms, menus, hidden words, addresses and pictures stay outside."""
    text = told(
        '<body onload="evil()"><script>evil()</script><style>.evil{}</style><nav>evil</nav><p onclick="evil()">Good '
        '<a href="javascript:evil()">words</a> and <a href="http://evil.example/">more</a> of '
        '<img src="http://evil.example/x" alt="the pot" onerror="evil()"> it.</p><iframe src="evil">evil</iframe>'
        '<form action="evil"><input value="evil"><button>evil</button></form><p hidden>evil</p>'
        '<p style="display: none">evil</p><!-- evil --><svg><text>evil</text></svg><object data="evil">evil</object>'
        "<template>evil</template><noscript>evil</noscript></body>"
    )
    assert text == "Good words and more of the pot it.\n"


def test_what_looks_like_markup_is_text() -> None:
    """Letters that mean something in Markdown or HTML are shown as they are, in passages and on the page."""
    said = "2 < 3 & <script>x</script> # no *star* _or_ [link](javascript:x) | `tick` 1. ~~a~~ ![i](http://x/y.png)"
    made = told(f"<h1>T</h1><p>{said.replace('&', '&amp;').replace('<', '&lt;')}</p>")
    guide, (passage,) = parse(made, "a.html")
    assert passage.text == said
    shown = Page(guide_html(guide))
    assert shown.tags <= {"h1", "p", "span"}
    assert said in " ".join("".join(shown.said).split())


class Page(HTMLParser):
    """What a browser makes of HTML: tags and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.said.append(data)


@pytest.mark.parametrize(
    ("html", "made"),
    [
        ("<![if gte mso 9]>a<![endif]><p>b</p><![CDATA[c]]><?php d ?><!DOCTYPE e>", "a\n\nb"),
        ("<ol start='²'><li>a</li></ol>", "1. a"),
        ("<ol start='7'><li>a</li></ol>", "7. a"),
        ("<td colspan='²' rowspan='x'>a</td>", "a"),
        ("<pre>a\n```\nb</pre>", "````\na\n```\nb\n````"),
        ("<h7>a</h7><h0>b</h0>", "###### a\n\n# b"),
        ("&#xD800;a&#99999999;", "\ufffda\ufffd"),
    ],
)
def test_odd_pages_are_read(html: str, made: str) -> None:
    """What browsers put up with does not end an ingest."""
    assert told(html).strip() == made


def test_a_page_that_no_parser_takes_is_named() -> None:
    """Where the library gives up, the file is named like any other that cannot be read."""
    assert refused(b"<p>a</p><![x y", "a.html").startswith("a.html:1: not a page that can be read (")


def test_cells_that_span_are_said_in_every_place() -> None:
    """A row is understood alone: what spans rows or columns stands in each of them."""
    rows = read(
        "<table><caption>Pay</caption><tr><th>Role</th><th>Place</th><th>Pay</th></tr>"
        "<tr><td rowspan=2>Cook</td><td>Rome</td><td>€1</td></tr><tr><td>Oslo</td><td>€2</td></tr>"
        "<tr><td>Baker</td><td colspan=2>nowhere</td></tr></table>",
        "a.html",
    )
    assert [[value for _, value in p.cells] for p in rows] == [
        ["Cook", "Rome", "€1"], ["Cook", "Oslo", "€2"], ["Baker", "nowhere", "nowhere"],
    ]  # fmt: skip
    assert rows[0].intro == "Pay:"


def test_ragged_nested_and_layout_tables_are_read() -> None:
    """Rows that are too short are filled; a table inside a cell or around a page is its words."""
    rows = ("<td>a|b</td><td>c</td>", "<td>d</td>", "<td><p>e</p><p>f</p></td><td>g</td>")
    ragged = f"<table><tr>{'</tr><tr>'.join(rows)}</tr></table>"
    assert [p.cells for p in read(ragged, "a.html")] == [(("a|b", "d"), ("c", "")), (("a|b", "e; f"), ("c", "g"))]
    around = "<table><tr><td><h2>Head</h2><p>one</p><table><tr><td>x</td><td>y</td></tr></table></td></tr></table>"
    assert [(p.headings[-1], p.text) for p in read(around, "a.html")] == [("Head", "one"), ("Head", "x"), ("Head", "y")]


def test_a_page_names_its_title_day_and_encoding() -> None:
    """The title stands in where there is no heading; its day dates the guide; the encoding it names is used."""
    guide, _ = parse(told(brought.HTML), "a.html")
    assert (guide.title, guide.as_of) == ("Kitchen jobs", "2026-03-01")
    russian = '<meta charset="windows-1251"><p>Повар режет лук</p>'
    assert told(russian.encode("windows-1251")) == "Повар режет лук\n"
    older = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"><p>Kuchař krájí</p>'
    assert told(older.encode("iso-8859-2")) == "Kuchař krájí\n"
    assert told('<meta charset="no-such"><p>Crème</p>'.encode()) == "Crème\n"


def test_what_a_page_cannot_say_of_itself_stands_beside_it(tmp_path: Path) -> None:
    """Date, region, currency and roles come from `<guide>.about.yaml`; a fault there is named like one in the guide."""
    about = "as_of: 2026-04\nregion: Italy\ncurrency: EUR\nroles: [Cook, Baker]\n"
    write(tmp_path, {"jobs.html": brought.HTML, "jobs.about.yaml": about})
    (guide,) = corpus.read(tmp_path).guides
    assert (guide.title, guide.as_of, guide.region, guide.currency) == ("Kitchen jobs", "2026-04", "Italy", "EUR")
    assert guide.roles == ("Cook", "Baker")
    assert guide.text.startswith(f"---\n{about}---\n\n# Kitchen jobs\n")
    assert "2026-03" not in guide.text
    write(tmp_path, {"jobs.about.yaml": "as_of: 2026-99-01"})
    with pytest.raises(CorpusError, match=r"^jobs.about.yaml:1: as_of: 2026-99-01 is not a date"):
        corpus.read(tmp_path)


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    """What a page begins with cannot pass for what only a guide's author may say."""
    guide, _ = parse(told("<hr><p>roles: [Spy]</p><hr><p>text</p>"), "a.html")
    assert guide.roles == ()


def test_depth_is_refused_by_name() -> None:
    """A page nested without end is named, not a crash."""
    assert refused(b"<div>" * 5000 + b"word", "a.html") == "a.html:1: nested too deep to be read."
    assert "word" in told("<div>" * 50 + "word")


WORD = st.integers(0, 10**6).map(lambda n: f"w{n:x}q")
LINE = st.lists(
    st.tuples(
        st.sampled_from(["{}", "<b>{}</b>", "<a href='x'>{}</a>", "{}|", "<code>{}|</code>", "{}<br>", "*{}"]),
        WORD,
    ).map(lambda pair: pair[0].format(pair[1])),
    min_size=1,
    max_size=3,
).map(" ".join)
TAGS = st.sampled_from(
    ["div", "blockquote", "ul><li", "ol><li", "h2", "h4", "section", "td", "table><tr><td", "dl><dd", "pre", "li"]
)
BLOCK = st.recursive(
    LINE.map(lambda line: f"<p>{line}</p>"),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(TAGS, inner).map(lambda pair: f"<{pair[0]}>{pair[1]}</{'></'.join(reversed(pair[0].split('><')))}>"),
        st.lists(st.lists(inner, min_size=1, max_size=3), min_size=1, max_size=3).map(
            lambda rows: "<table>" + "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows) + "</table>"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(BLOCK)
def test_no_word_of_a_page_is_lost(html: str) -> None:
    """Whatever a page is made of, each of its words is in some passage, and its tables are well formed."""
    words = set(re.findall(r"w[0-9a-f]+q", html))
    kept = " ".join(" ".join([p.text, p.intro, *p.headings]) for p in read(html, "a.html"))
    assert words <= set(re.findall(r"w[0-9a-f]+q", kept))
