"""`python -m evals.from_feedback FILE`: turns the page's thumbs-down records into draft samples for a person to finish.

A draft goes to the standard output, one a line, in the format of evals/README.md; `TODO` marks what a person must
fill in, and the loader refuses it until then. Thumbs up are skipped, so are questions that were drafted already.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.samples import SampleError

TODO = "TODO"
_DOWN = ("down", "dislike", "-1", "bad", "false", "thumbs_down", "thumbs-down")


def drafts(lines: Sequence[str], name: str = "feedback") -> Iterator[dict[str, Any]]:
    """A draft for each thumbs-down record of a JSON Lines file.

    Raises:
        SampleError: a line is not a JSON object with a question and a rating; names file and line.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record = _read(line, f"{name}:{number}")
        if str(record["rating"]).casefold() not in _DOWN:
            continue
        made = draft(record)
        if made["id"] not in seen:
            seen.add(made["id"])
            yield made


def _read(line: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise SampleError(f"{where}: {error}") from None
    if not isinstance(record, dict) or not isinstance(record.get("question"), str) or "rating" not in record:
        raise SampleError(f"{where}: expected an object with `question` and `rating`")
    return record


def draft(record: Mapping[str, Any]) -> dict[str, Any]:
    """One record as a sample to finish; what the reader said and what was answered go along under `from_feedback`."""
    turns = [_turn(turn) for turn in record.get("turns") or ()]
    question = record["question"]
    key = hashlib.sha256(json.dumps([turns, question]).encode()).hexdigest()[:8]
    answer = record.get("answer")
    places = [_place(citation) for citation in record.get("citations") or ()]
    made: dict[str, Any] = {
        "id": f"feedback-{key}.{len(turns) + 1}",
        "kind": "multi-turn" if turns else TODO,
        "question": question,
    }
    if turns:
        made |= {"turns": turns, "standalone": TODO, "sort": TODO}
    return made | {
        "facts": [{"vital": True, "any": [TODO]}],
        "labels": list(dict.fromkeys(filter(None, places))) or [TODO],
        "from_feedback": {
            "answer": answer.get("text", "") if isinstance(answer, Mapping) else answer or "",
            **{field: record.get(field, "") for field in ("reason", "comment", "version", "fingerprint")},
        },
    }


def _turn(turn: Any) -> dict[str, str]:
    if isinstance(turn, Mapping):
        return {"question": str(turn.get("question", "")), "answer": str(turn.get("answer", ""))}
    question, answer = turn
    return {"question": str(question), "answer": str(answer)}


def _place(citation: Any) -> str:
    """`file.md#Heading` of a citation, from whichever fields the record has."""
    if not isinstance(citation, Mapping):
        return str(citation) if re.match(r"[^#]+\.md#.", str(citation)) else ""
    passage = citation.get("passage")
    held = passage if isinstance(passage, Mapping) else citation
    headings = held.get("headings") or [held.get("heading", "")]
    return f"{held['source']}#{headings[-1]}" if held.get("source") and headings[-1] else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the drafts; exit status 2 when the file cannot be used."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1:
        print("usage: python -m evals.from_feedback FILE", file=sys.stderr)
        return 2
    path = Path(given[0])
    try:
        made = list(drafts(path.read_text("utf-8").splitlines(), path.name))
    except (OSError, SampleError) as error:
        print(error, file=sys.stderr)
        return 2
    for sample in made:
        print(json.dumps(sample, ensure_ascii=False))
    print(
        f"{len(made)} drafts: fill in every {TODO}, remove `from_feedback`, append to evals/golden.jsonl.",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
