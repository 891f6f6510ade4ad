"""The conversation as HTML: question, how it was understood, answer with links to its sources, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from advisor.types import Answer, Citation
from advisor.ui.charts import chart
from advisor.ui.feedback import REASONS
from advisor.ui.keeping import Conversation, Exchange
from advisor.ui.markup import answer_html, attribute, plain
from advisor.ui.sources import closest


def welcome(starters: Sequence[str], waiting: str = "", problem: str = "") -> str:
    """What stands there before the first question."""
    hint = f'<p class="quiet">{escape(waiting)}. You can ask already.</p>' if waiting else ""
    return (
        '<section class="welcome" aria-label="Welcome"><h2>Ask about your career</h2>'
        "<p>Roles, pay, skills, degrees, getting hired. Each answer comes from guides you can open: "
        'a number like <span class="cite sample" aria-hidden="true">1</span> leads to the very words.</p>'
        f"{hint}{trouble(problem) if problem else ''}{_chips(starters, 'Questions to start with')}</section>"
    )


def trouble(text: str) -> str:
    """An error, readable."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())
    return f'<div class="trouble" role="alert">{lines}</div>'


def _chips(questions: Iterable[str], label: str) -> str:
    items = "".join(
        f'<li><button type="button" class="chip" data-action="ask" data-question="{attribute(question)}">'
        f"{escape(question)}</button></li>"
        for question in questions
    )
    return f'<ul class="chips" aria-label="{escape(label)}">{items}</ul>' if items else ""


def transcript(
    conversation: Conversation,
    growing: Exchange | None = None,
    waiting: str = "",
    problem: str = "",
    feedback: bool = True,
) -> str:
    """All exchanges; `growing` is being answered, `waiting` says what it waits for, `problem` what went wrong."""
    done = conversation.exchanges
    last = len(done) if growing is None else 0
    parts = [_exchange(exchange, turn, turn == last, feedback) for turn, exchange in enumerate(done, 1)]
    if growing is not None:
        parts.append(_growing(growing, len(done) + 1, waiting))
    return "".join(parts) + (trouble(problem) if problem else "")


def _exchange(exchange: Exchange, turn: int, last: bool, feedback: bool) -> str:
    edit = _tool("edit", "Edit", turn) if last and not exchange.tool else ""
    return (
        f'<article class="exchange" aria-label="Question {turn}">{_asked(exchange, edit)}'
        f'<div class="answer">{_body(exchange, turn)}{chart(exchange.answer)}{_remarks(exchange)}</div>'
        f"{_tools(exchange, turn, last, feedback)}"
        f"{_chips(exchange.answer.follow_ups, 'Ask next') if last else ''}</article>"
    )


def _growing(exchange: Exchange, turn: int, waiting: str) -> str:
    body = _body(exchange, turn) if exchange.answer.text else f'<p class="waiting">{escape(waiting)}</p>'
    return (
        f'<article class="exchange growing" aria-busy="true" aria-label="Question {turn}">{_asked(exchange, "")}'
        f'<div class="answer">{body}</div></article>'
    )


def _asked(exchange: Exchange, edit: str) -> str:
    question = exchange.answer.question
    understood = (
        f'<p class="understood"><span>Understood as:</span> {escape(question)}</p>'
        if question and question.strip() != exchange.asked.strip()
        else ""
    )
    return f'<div class="asked"><h2 class="question">{escape(exchange.asked)}</h2>{edit}</div>{understood}'


def _body(exchange: Exchange, turn: int) -> str:
    citations = {citation.number: citation for citation in exchange.answer.citations}
    return answer_html(exchange.answer.text, lambda number: _link(citations.get(number), turn))


def _link(citation: Citation | None, turn: int) -> str:
    if citation is None:
        return ""
    return (
        f'<a class="cite" href="#guide" data-action="cite" data-turn="{turn}" data-number="{citation.number}" '
        f'data-quote="{attribute(quote_line(citation))}" aria-label="Source {citation.number}">{citation.number}</a>'
    )


def quote_line(citation: Citation) -> str:
    """The cited words in one line; a cell with the names of its row and column."""
    words = " ".join(plain(line) for line in citation.quote.splitlines()).strip()
    cell = citation.cell
    return f"{plain(cell.row)} · {plain(cell.column)}: {words}" if cell else f"“{words}”"


def _remarks(exchange: Exchange) -> str:
    answer = exchange.answer
    remarks = [
        (answer.notice, "notice"),
        (
            "Not in the guides: " + ", ".join(answer.missing) if answer.missing and not answer.declined else "",
            "missing",
        ),
        (f"Model: {answer.spent}" if answer.spent else "", "quiet"),
        ("Stopped before it was complete." if exchange.stopped else "", "notice"),
        ("Imported: not checked by this advisor." if exchange.imported else "", "notice"),
    ]
    shown = "".join(f'<p class="{kind}">{escape(text)}</p>' for text, kind in remarks if text)
    return shown + (closest(answer.hits) if answer.declined else "")


def _tools(exchange: Exchange, turn: int, last: bool, feedback: bool) -> str:
    rated = exchange.rated
    copy = attribute(copied(exchange.answer))
    tools = [f'<button type="button" class="tool" data-action="copy" data-text="{copy}">Copy</button>']
    if last and not exchange.tool:
        tools.append(_tool("retry", "Ask again", turn))
    if feedback and not exchange.imported:
        tools += [_thumb("up", "Good answer", turn, rated), _thumb("down", "Bad answer", turn, rated)]
    form = _reason_form(turn) if rated == "down" else ""
    thanks = (
        '<p class="quiet" role="status">Thank you. Kept on this machine only.</p>' if rated in ("up", "sent") else ""
    )
    return f'<div class="tools">{"".join(tools)}</div>{form}{thanks}'


def _tool(action: str, name: str, turn: int) -> str:
    return f'<button type="button" class="tool" data-action="{action}" data-turn="{turn}">{name}</button>'


def _thumb(direction: str, name: str, turn: int, rated: str) -> str:
    pressed = rated == direction or (direction == "down" and rated == "sent")
    return (
        f'<button type="button" class="tool thumb {direction}" data-action="rate" data-rating="{direction}" '
        f'data-turn="{turn}" aria-pressed="{"true" if pressed else "false"}" aria-label="{name}"></button>'
    )


def _reason_form(turn: int) -> str:
    options = "".join(f"<option>{escape(reason)}</option>" for reason in REASONS)
    return (
        '<div class="reason" role="group" aria-label="What was wrong?">'
        f"<label>What was wrong? <select>{options}</select></label>"
        '<label>In your words (optional) <input type="text" maxlength="500"></label>'
        f'<button type="button" class="chip" data-action="reason" data-turn="{turn}">Send</button>'
        '<p class="quiet">Your question, the answer and this remark are written to a file on this machine. '
        "Nothing is sent anywhere.</p></div>"
    )


def copied(answer: Answer) -> str:
    """The answer as Markdown with its sources, for the clipboard."""
    sources = [
        f"[{c.number}] {quote_line(c)} ({c.passage.source}, line {c.passage.first_line})" for c in answer.citations
    ]
    return answer.text + ("\n\n" + "\n".join(sources) if sources else "")
