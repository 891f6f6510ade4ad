"""Thumbs up and down, appended to a file on this machine, one JSON object a line; `evals` can make samples of them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from advisor import __version__
from advisor.types import Turn
from advisor.ui.keeping import Exchange

REASONS = (
    "Wrong or out of date",
    "The source does not say this",
    "Did not answer my question",
    "Misunderstood my question",
    "Says it is not in the guides, but it is",
    "Hard to read",
    "Something else",
)
LONGEST_COMMENT = 500


def keep(
    path: Path,
    rating: str,
    exchange: Exchange,
    turns: Sequence[Turn],
    fingerprint: str,
    reason: str = "",
    comment: str = "",
) -> None:
    """Append one rating (`up` or `down`) to the file, which only its owner can read."""
    answer = exchange.answer
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rating": rating,
        "reason": reason if reason in REASONS else "",
        "comment": comment[:LONGEST_COMMENT],
        "asked": exchange.asked,
        "question": answer.question,
        "turns": [{"question": turn.question, "answer": turn.answer} for turn in turns],
        "answer": answer.text,
        "declined": answer.declined,
        "citations": [
            {
                "number": c.number,
                "source": c.passage.source,
                "headings": list(c.passage.headings),
                "lines": [c.passage.first_line, c.passage.last_line],
                "quote": c.quote,
                "cell": [c.cell.row, c.cell.column] if c.cell else [],
            }
            for c in answer.citations
        ],
        "version": __version__,
        "fingerprint": fingerprint,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(entry, ensure_ascii=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)
