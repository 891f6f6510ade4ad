"""Guides as people bring them, made here: PDF by reportlab, Word by python-docx."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

PAY = (
    ("Role", "Entry", "Senior"),
    ("Cook", "$30–40K", "$60–80K"),
    ("Baker", "$28–35K", "$55–70K"),
)
"""A table of a trade that no other guide knows."""
SAID = "A cook needs a sharp knife, patience, and two hours of sleep before the first service of the day begins."


def pdf(*story: object, password: str = "", running: str = "") -> bytes:
    """A PDF of reportlab's flowables; `running` stands at the top of each page with the page's number."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import SimpleDocTemplate

    def above(canvas: Canvas, _: object) -> None:
        if running:
            canvas.drawString(72, A4[1] - 30, f"{running} · page {canvas.getPageNumber()}")

    held = io.BytesIO()
    locked = StandardEncryption(password) if password else None
    made = SimpleDocTemplate(held, pagesize=A4, encrypt=locked, invariant=1)
    made.build(list(story), onFirstPage=above, onLaterPages=above)
    return held.getvalue()


def text(words: str, style: str = "BodyText") -> object:
    """A paragraph or heading of a PDF."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph

    return Paragraph(words, getSampleStyleSheet()[style])


def table(rows: Sequence[Sequence[str]], ruled: bool = True) -> object:
    """A table of a PDF, with its header repeated on each page."""
    from reportlab.lib import colors
    from reportlab.platypus import Table

    style = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)] if ruled else []
    return Table([list(row) for row in rows], style=style, repeatRows=1)


def items(*lines: str, numbered: bool = False) -> object:
    """A list of a PDF."""
    from reportlab.platypus import ListFlowable

    return ListFlowable([text(line) for line in lines], bulletType="1" if numbered else "bullet")


def page_break() -> object:
    """What follows begins on the next page of a PDF."""
    from reportlab.platypus import PageBreak

    return PageBreak()


def guide_pdf(**given: str) -> bytes:
    """A PDF with title, sections, a list and two tables, one of them without rules."""
    return pdf(
        text("Kitchen jobs", "Title"), text("What each job pays", "Heading1"), text("Pay by level:"), table(PAY),
        text(SAID), text("Pay abroad", "Heading2"), text("Pay abroad by level:"), table(PAY, ruled=False),
        text("What a cook does", "Heading1"), items("chops onions", "stirs soups"),
        text("How to rise", "Heading2"), items("Junior cook", "Head cook", numbered=True), **given,
    )  # fmt: skip


def guide_docx() -> bytes:
    """A Word document with the same, a picture and a link."""
    import docx

    made = docx.Document()
    made.add_heading("Kitchen jobs", 0)
    made.add_heading("What each job pays", 1)
    made.add_paragraph("Pay by level:")
    grid = made.add_table(len(PAY), len(PAY[0]))
    for row, values in enumerate(PAY):
        for column, value in enumerate(values):
            grid.cell(row, column).text = value
    made.add_paragraph().add_run(SAID).bold = True
    made.add_heading("What a cook does", 1)
    for words in ("chops onions", "stirs soups"):
        made.add_paragraph(words, style="List Bullet")
    made.add_heading("How to rise", 2)
    for words in ("Junior cook", "Head cook"):
        made.add_paragraph(words, style="List Number")
    made.add_picture(io.BytesIO(picture()))
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def picture() -> bytes:
    """A small PNG."""
    from PIL import Image

    held = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(held, "PNG")
    return held.getvalue()


def as_html(markdown: str) -> bytes:
    """A Markdown guide as a web page."""
    return f"<html><body>{_dialect().render(markdown)}</body></html>".encode()


def as_pdf(markdown: str) -> bytes:
    """The headings, paragraphs, lists and tables of a Markdown guide as a PDF."""
    from markdown_it.tree import SyntaxTreeNode

    story: list[object] = []
    for node in SyntaxTreeNode(_dialect().parse(markdown)).children:
        if node.type == "heading":
            story.append(text(_words(node), "Title" if node.tag == "h1" else f"Heading{int(node.tag[1]) - 1}"))
        elif node.type == "paragraph":
            story.append(text(_words(node)))
        elif node.type in ("bullet_list", "ordered_list"):
            lines = (_words(item) for item in node.children)
            story.append(items(*lines, numbered=node.type == "ordered_list"))
        elif node.type == "table":
            story.append(table([[_words(cell) for cell in row.children] for part in node for row in part]))
    return pdf(*story)


def _dialect() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    return MarkdownIt("commonmark").enable("table").use(front_matter_plugin)


def _words(node: SyntaxTreeNode) -> str:
    return " ".join("".join(child.content for child in node.walk() if child.type in ("text", "softbreak")).split())


HTML = """<!doctype html><html><head><meta charset="utf-8"><title>Kitchen jobs</title>
<meta property="article:published_time" content="2026-03-01T10:00:00Z">
<script>alert("boo")</script><style>p{}</style></head>
<body><nav><a href="/">Menu</a></nav><h2>What each job pays</h2><p>Pay by level:</p>
<table><thead><tr><th>Role</th><th>Entry</th><th>Senior</th></tr></thead>
<tbody><tr><td>Cook</td><td>$30–40K</td><td>$60–80K</td></tr>
<tr><td>Baker</td><td>$28–35K</td><td>$55–70K</td></tr></tbody></table>
<p>A cook needs a sharp knife, patience, and two hours of <b>sleep</b> before the first service of the day begins.</p>
<h2>What a cook does</h2><ul><li>chops onions</li><li>stirs soups</li></ul>
<h3>How to rise</h3><ol><li>Junior cook</li><li>Head cook</li></ol></body></html>"""
