"""The same answers for programs: `ask` as a typed endpoint of Gradio's API, and as a tool where its MCP server runs."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from advisor.types import Answer, Turn
from advisor.ui.answering import LONGEST_QUESTION, Answering
from advisor.ui.guard import STATE
from advisor.ui.loading import explain

MOST_EARLIER = 20


def open_api(answering: Answering) -> None:
    """Register the endpoint in the Blocks that are being built."""

    def ask(  # noqa: D417 (Gradio fills the request in; it is no parameter of the API)
        question: str, earlier_questions: list[str] | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Answer a question about careers from the advisor's guides, with citations.

        The answer is Markdown with [n] markers; each citation gives the exact words of the guide, the file, the
        headings above them and the line. When the guides do not answer the question, `declined` is true.

        Args:
            question: The question, as a person would type it, for instance "senior ML engineer salary, remote".
            earlier_questions: Questions asked before in the conversation, oldest first, so that "and remote?" works.
        """
        if not 0 < len(question.strip()) <= LONGEST_QUESTION:
            raise gr.Error(
                f"A question has between 1 and {LONGEST_QUESTION:,} characters; this one has {len(question):,}.",
                print_exception=False,
            )
        earlier = [earlier for earlier in earlier_questions or [] if len(earlier) <= LONGEST_QUESTION]
        turns = [Turn(earlier_question, "") for earlier_question in earlier[-MOST_EARLIER:]]
        number = request_id(request)
        try:
            with answering.journal.question(question, "gradio", number) as entry:
                entry.answer = answering.loading.wait().ask(question.strip(), turns)
        except Exception as error:  # noqa: BLE001 (written by the journal, told to the caller)
            raise gr.Error(explain(error, number), print_exception=False) from None
        return as_json(entry.answer)

    api(ask, api_name="ask", concurrency_limit=4)


def request_id(request: gr.Request | None) -> str:
    """The id of the HTTP request that an event came with."""
    scope = getattr(getattr(request, "request", None), "scope", {})
    return str(scope.get("state", {}).get(STATE, ""))


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as plain JSON values."""
    return {
        "question": answer.question,
        "text": answer.text,
        "declined": answer.declined,
        "missing": list(answer.missing),
        "citations": [
            {
                "number": citation.number,
                "quote": citation.quote,
                "cell": {"row": citation.cell.row, "column": citation.cell.column} if citation.cell else None,
                "source": citation.passage.source,
                "headings": list(citation.passage.headings),
                "line": citation.passage.first_line,
                "as_of": citation.passage.as_of,
            }
            for citation in answer.citations
        ],
        "follow_ups": list(answer.follow_ups),
        "notice": answer.notice,
        "usage": dict(answer.usage),
    }
