"""The same answers for programs: `ask` as a typed endpoint of Gradio's API, and as a tool where its MCP server runs."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from advisor.types import Answer, Turn
from advisor.ui.answering import LONGEST_QUESTION, Answering

MOST_EARLIER = 20


def open_api(answering: Answering) -> None:
    """Register the endpoint in the Blocks that are being built."""

    def ask(question: str, earlier_questions: list[str] | None = None) -> dict[str, Any]:
        """Answer a question about careers from the advisor's guides, with citations.

        The answer is Markdown with [n] markers; each citation gives the exact words of the guide, the file, the
        headings above them and the line. When the guides do not answer the question, `declined` is true.

        Args:
            question: The question, as a person would type it, for instance "senior ML engineer salary, remote".
            earlier_questions: Questions asked before in the conversation, oldest first, so that "and remote?" works.
        """
        if not 0 < len(question.strip()) <= LONGEST_QUESTION:
            raise gr.Error(
                f"A question has between 1 and {LONGEST_QUESTION:,} characters; this one has {len(question):,}."
            )
        earlier = [earlier for earlier in earlier_questions or [] if len(earlier) <= LONGEST_QUESTION]
        turns = [Turn(earlier_question, "") for earlier_question in earlier[-MOST_EARLIER:]]
        return as_json(answering.loading.wait().ask(question.strip(), turns))

    api(ask, api_name="ask", concurrency_limit=4)


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
