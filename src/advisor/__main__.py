"""The terminal: `python -m advisor "question"`, a small chat without one, and `python -m advisor doctor`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.errors import AdvisorError
from advisor.types import Answer, Turn

if TYPE_CHECKING:
    from advisor.chat import Advisor

UNUSABLE = 2
"""Exit status when input or settings cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question, or chat; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["doctor"]:
        from advisor.doctor import main as examine

        return examine()
    parser = argparse.ArgumentParser(prog="python -m advisor", description=__doc__)
    parser.add_argument("question", nargs="*", help="the question; without one, a small chat starts")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument("--ingest", action="store_true", help="bring the index up to date first")
    options = parser.parse_args(given)
    try:
        if options.ingest and (status := ingest([])):
            return status
        from advisor.chat import Advisor

        advisor = Advisor.open(progress=True)
        if options.question:
            show(advisor.ask(" ".join(options.question)), options.json)
        else:
            chat(advisor, options.json)
    except AdvisorError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:  # `| head` has read enough
        sys.stdout = None
    return 0


def show(answer: Answer, as_json: bool = False) -> None:
    """Print an answer and the passages it cites."""
    if as_json:
        print(json.dumps(dataclasses.asdict(answer), ensure_ascii=False, indent=2))
        return
    if answer.notice:
        print(f"({answer.notice})\n")
    print(answer.text)
    if answer.citations:
        print()
    for citation in answer.citations:
        place = " › ".join(citation.passage.headings[1:] or citation.passage.headings)
        cell = f" [{citation.cell.row} / {citation.cell.column}]" if citation.cell else ""
        print(f"[{citation.number}] {citation.passage.source}:{citation.passage.first_line} {place}{cell}")
        print(f"    “{citation.quote}”")
    if answer.spent:
        print(f"\n(model: {answer.spent})")


def chat(advisor: Advisor, as_json: bool = False) -> None:
    """Ask and answer until the input ends."""
    turns: list[Turn] = []
    if sys.stdin.isatty():
        print("Ask a career question; an empty line ends the chat. For instance:")
        print("\n".join(f"  {question}" for question in advisor.starters))
    while question := _line():
        answer = advisor.ask(question, turns)
        if answer.question != question:
            print(f"(understood as: {answer.question})")
        show(answer, as_json)
        turns.append(Turn(question, answer.text))


def _line() -> str:
    try:
        return input("\n> " if sys.stdin.isatty() else "").strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def ingest(arguments: Sequence[str]) -> int:
    """Bring the index up to date and say what was done; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ingest.py", description="Bring the index up to date with the guides.")
    parser.add_argument("--again", action="store_true", help="embed everything anew, also what did not change")
    options = parser.parse_args(list(arguments))
    try:
        from advisor import index
        from advisor.settings import Settings

        done = index.ingest(Settings.read(), index.bar(), options.again)
    except AdvisorError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    sections = f"{done.guides} guides, {done.sections} sections, {done.passages} passages, {done.tables} tables"
    print(f"{sections}: {done.embedded} texts embedded in {done.seconds:.1f} s (index {done.fingerprint}).")
    for problem in done.problems:
        print(problem, file=sys.stderr)
    return UNUSABLE if done.problems else 0


if __name__ == "__main__":
    sys.exit(main())
