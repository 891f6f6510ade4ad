"""The README under test: its commands, its exchange, its settings, its dependencies and its file tree are true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from advisor import Advisor, Settings
from advisor.settings import CHECKOUT
from tests.conftest import ROOT, environment, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
START = "python3 -m venv .venv && .venv/bin/pip install -c requirements.lock -e . && .venv/bin/python app.py"
TEST = "python3 -m venv .venv && .venv/bin/pip install -c requirements.lock -e '.[dev]' && .venv/bin/python -m pytest"
TOP = 40
"""Lines in which a reader must have found sentence, audience, commands, exchange and picture."""


def rows(title: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    section = README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper() if name.startswith("openai") else f"ADVISOR_{name.upper()}"


def default(name: str) -> str:
    """How the README writes a setting's default."""
    value = getattr(Settings.read(), name)
    if value is None or value == "":
        return ""
    if isinstance(value, Path):
        return value.relative_to(CHECKOUT).as_posix()
    return {True: "1", False: "0"}.get(value, str(value)) if isinstance(value, bool) else f"{value}".removesuffix(".0")


def test_two_commands_stand_at_the_top() -> None:
    """Both commands, each on a line of its own to copy, in the first forty lines."""
    top = README.splitlines()[:TOP]
    assert START in top
    assert TEST in top


def test_ci_runs_the_readme_s_command() -> None:
    """What the README promises is what is checked."""
    assert TEST in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_setting_is_listed_with_its_default() -> None:
    """The table is the settings, in their order, with default and description."""
    listed = {row[0]: (row[1], row[2]) for row in rows("Settings")}
    actual = {variable(name): (default(name), str(field.description)) for name, field in Settings.model_fields.items()}
    assert list(listed) == list(actual)
    assert listed == actual


def test_every_dependency_earns_its_row() -> None:
    """The tables are what `pyproject.toml` asks for, no more and no less; every extra is mentioned."""
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["formats"]]
    names = [re.match(r"[\w-]+", requirement)[0] for requirement in wanted]  # type: ignore[index]
    listed = [row for row in rows("Dependencies") if row[0] not in ("Package", "---")]
    assert [row[0] for row in listed] == names
    assert all(row[1] for row in listed)
    for requirement in PROJECT["optional-dependencies"]["dev"]:
        assert re.match(r"[\w-]+", requirement)[0].lower() in README.lower()  # type: ignore[index]


def test_everything_is_pinned() -> None:
    """Each dependency has one version in the lock, and torch is 2.13.0."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, flags=re.MULTILINE))
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    missing = [name for r in wanted if (name := re.match(r"[\w-]+", r)[0].lower()) not in pins]  # type: ignore[index]
    assert missing == []
    assert pins["torch"] == "2.13.0"


def test_the_file_tree_exists() -> None:
    """Every file and folder that the README draws is there."""
    section = README.split("\n## The files\n", 1)[1].split("```", 2)[1]
    inside = Path()
    for line in section.splitlines()[1:]:
        name, _, _ = line.strip().partition("  ")
        if not line.startswith(" "):
            inside = Path(name) if name == "src/advisor/" else Path()
        for part in name.split(", "):
            assert (ROOT / inside / part if line.startswith(" ") else ROOT / part).exists(), part


def test_what_was_tried_has_its_test() -> None:
    """Each row of that table names tests that are there, and says how much was tried and what came out."""
    listed = rows("What was tried on it")
    assert len(listed) > 10
    names = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    for tried, much, result, tests in listed:
        assert tried, much
        assert result
        named = re.findall(r"test_\w+", tests)
        assert named, tried
        for name in named:
            assert name in names or any(f"def {name}(" in text for text in names.values()), name


def test_links_and_pictures_lead_somewhere() -> None:
    """Nothing the README points at in this repository is missing."""
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_exchange_is_what_one_gets(ours: Advisor) -> None:
    """The command at the top prints what stands below it; only the line of the guide may have moved since."""
    exchange = README.split("<!-- exchange -->", 1)[1].split("<!-- /exchange -->", 1)[0]
    command, said = exchange.strip().removeprefix("```console\n").removesuffix("```").split("\n", 1)
    question = re.search(r'"(.+)"', command)
    assert question
    done = run(ours.settings, "-m", "advisor", question[1])
    moving = re.compile(r"\.md:\d+")
    assert moving.sub(".md:N", done.stdout.strip()) == moving.sub(".md:N", said.strip())


def test_the_example_runs(small: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The Python of the README does what it says."""
    for name, value in environment(small).items():
        if name.startswith("ADVISOR_"):
            monkeypatch.setenv(name, value)
    program = README.split("```python\n", 1)[1].split("```", 1)[0]
    exec(compile(program, "README.md", "exec"), {})
    assert "Cell(row='AI Engineer', column='Senior')" in capsys.readouterr().out


def test_commands_of_the_readme_exist() -> None:
    """Each line of the list of commands starts something that is there."""
    commands = re.findall(r"^\.venv/bin/python (\S+)(?: (\w+))?", README, flags=re.MULTILINE)
    assert len(commands) == 7
    for first, second in commands:
        module = {"advisor": "src/advisor/__main__.py", "evals": "evals/__main__.py"}.get(second, "")
        assert (ROOT / (module if first == "-m" else first)).is_file()
