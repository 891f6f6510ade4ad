"""The tree's own manners: lint, types, sizes, a sentence on every test, and nothing that belongs to one machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, ROOT

LONGEST_MODULE = 350
LONGEST_TEST = 600


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A linter, run on the checkout."""
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, check=False, text=True, timeout=PATIENCE
    )


def sources() -> Iterator[Path]:
    """Every Python file of ours."""
    for folder in ("src", "evals", "tests"):
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield from sorted(ROOT.glob("*.py"))


def test_ruff_is_content() -> None:
    """The linter finds nothing."""
    done = tool("ruff", "check", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout


def test_mypy_is_content() -> None:
    """The type checker, at its strictest, finds nothing in the package."""
    done = tool("mypy")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "tests").glob("test_*.py")), ids=lambda path: path.stem)
def test_every_test_says_what_it_proves(path: Path) -> None:
    """Each test and each test module has a sentence, and no two tests of a module share a name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    tests = [node for node in functions if node.name.startswith("test")]
    assert ast.get_docstring(tree)
    assert [node.name for node in tests if not ast.get_docstring(node)] == []
    assert len({node.name for node in tests}) == len(tests)


def test_modules_are_small() -> None:
    """A module that does not fit one's head is two modules."""
    long = {
        str(path.relative_to(ROOT)): size
        for path in sources()
        if (size := path.read_text(encoding="utf-8").count("\n"))
        > (LONGEST_TEST if "tests" in path.parts else LONGEST_MODULE)
    }
    assert long == {}


def test_names_say_what_things_are() -> None:
    """No module is called after what it is not."""
    vague = {"utils", "helpers", "base", "core", "manager", "service", "factory", "common", "misc"}
    assert [path.name for path in sources() if path.stem in vague] == []


def test_nothing_belongs_to_one_machine() -> None:
    """No file names a folder of the machine it was written on."""
    ours = [path for path in sources() if path.name != "test_quality.py"]
    texts = [*ours, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), *(ROOT / "corpus").iterdir(), ROOT / ".ci" / "run"]
    private = re.compile(r"/(?:home|root|Users|work)/\w")
    assert [str(path) for path in texts if private.search(path.read_text(encoding="utf-8"))] == []
