"""`python -m tests.mutations`: takes each handling of a fault or attack out of a scratch copy; some test must go red.

Each mutation (`mutations.yaml`) is a place in the source, what is put there, and the tests that are to notice. Not part
of the test suite, since it runs pytest some seventy times; `--only TEXT` takes those whose name holds TEXT.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("src", "tests", "evals", "corpus", "pyproject.toml", "README.md")
LIMIT = 600
"""Seconds after which a test that does not end counts as red: some handlings are there so that something ends."""


@dataclass(frozen=True)
class Mutation:
    """A handling that is taken out."""

    name: str
    file: str
    """Below src/advisor."""
    find: str
    put: str
    tests: str
    """A test file's name, with `-k`'s expression after a colon."""


def mutations() -> tuple[Mutation, ...]:
    """All of them, as they stand in mutations.yaml."""
    listed = yaml.safe_load((ROOT / "tests" / "mutations.yaml").read_text("utf-8"))
    return tuple(Mutation(**fields) for fields in listed)


def copied(folder: Path) -> None:
    """A scratch copy of what the tests need."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "report", "logs"))
        else:
            shutil.copy2(source, folder / name)
    if (ROOT / ".advisor").is_dir():
        (folder / ".advisor").symlink_to(ROOT / ".advisor")


def noticed(mutation: Mutation, folder: Path) -> str:
    """The first test that goes red without the handling; empty when none does."""
    path = folder / "src" / "advisor" / mutation.file
    before = path.read_text("utf-8")
    if before.count(mutation.find) != 1:
        raise SystemExit(
            f"{mutation.name}: {mutation.find!r} stands {before.count(mutation.find)} times in {path.name}"
        )
    path.write_text(before.replace(mutation.find, mutation.put), "utf-8")
    try:
        return _red(mutation, folder)
    finally:
        path.write_text(before, "utf-8")


def _red(mutation: Mutation, folder: Path) -> str:
    name, _, chosen = mutation.tests.partition(":")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{name}.py"]
    try:
        done = subprocess.run(
            [*command, *(["-k", chosen] if chosen else [])],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        return f"{name} does not end"
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1):
        raise SystemExit(
            f"{mutation.name}: pytest ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return failed[1].removeprefix("tests/") if failed else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print which test notices each mutation; exit status 1 when one goes unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose name holds TEXT")
    options = parser.parse_args(arguments)
    unnoticed = []
    with tempfile.TemporaryDirectory() as name:
        copied(Path(name))
        for mutation in mutations():
            if options.only in mutation.name:
                red = noticed(mutation, Path(name))
                print(f"{mutation.name} -> {red or 'NOBODY NOTICES'}", flush=True)
                unnoticed += [] if red else [mutation.name]
    print(f"{len(unnoticed)} unnoticed: {', '.join(unnoticed)}" if unnoticed else "Every one is noticed.")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
