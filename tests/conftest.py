"""What the tests stand on: a scrubbed environment, small guides, the real embedder and real Chroma, made once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from advisor import Advisor, Settings, embed, index

ROOT = Path(__file__).resolve().parents[1]
SOURCE_GUIDE = ROOT.parent / "shared" / "guide" / "ai-engineer-vs-ml-engineer-vs-data-scientist.md"
"""The article that the first guide was written from, in a broken encoding; it lies beside some checkouts only."""
PATIENCE = 120
"""Seconds a process may take on a busy machine before a test gives up on it."""

for _name in [name for name in os.environ if name.startswith(("ADVISOR_", "OPENAI_")) and "_TEST_" not in name]:
    del os.environ[_name]

ROLES = """---
title: Three jobs in AI
as_of: 2025-12-27
region: United States
currency: USD
roles: [AI Engineer, ML Engineer, Data Scientist]
starters: ["What does a Senior ML Engineer earn remotely?"]
---

# Three jobs in AI

AI Engineer, ML Engineer and Data Scientist are three jobs that people mix up.

## What an AI Engineer does

An AI Engineer builds products on top of language models and connects them to other systems.

An AI Engineer's daily work:

- **Prompts:** writing prompts and testing them
- **Agents:** building agents that use tools

## What each role pays

### Pay in US tech hubs

Salary by level in US tech hubs, in US dollars a year, as of December 2025:

| Role | Entry | Mid | Senior |
| --- | --- | --- | --- |
| AI Engineer | $130–160K | $160–220K | $220–280K |
| ML Engineer | $125–150K | $150–200K | $200–260K |
| Data Scientist | $100–130K | $130–170K | $170–220K |

### Remote pay

Salary by level for remote jobs, United States, in US dollars a year, as of December 2025:

| Role | Entry | Mid | Senior |
| --- | --- | --- | --- |
| AI Engineer | $100–130K | $130–180K | $180–240K |
| ML Engineer | $95–120K | $120–160K | $160–220K |
| Data Scientist | $85–110K | $110–150K | $150–200K |

## Questions people ask

### Do I need a PhD for AI engineering?

No, you do not need a PhD for AI engineering. Employers of AI Engineers look at what you have built.

### Is a certification worth the money?

A certification alone rarely gets anybody hired.
"""
LADDER = """---
title: Ladders
as_of: 2025-12-27
roles: [AI Engineer, ML Engineer, Data Scientist]
---

# Ladders

## Data Scientist career ladder

The rungs of a Data Scientist's career:

1. Junior Data Scientist: 0–2 years
2. Data Scientist: 2–4 years
3. Senior Data Scientist: 4–7 years
4. Staff Data Scientist: 7 years and more
"""
SMALL = {"roles.md": ROLES, "ladders.md": LADDER}

Setup = Callable[..., Settings]


def write(folder: Path, guides: Mapping[str, str | bytes]) -> Path:
    """Put guides into a folder."""
    for name, text in guides.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """A bare environment for a process that works with these settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    own = {"ADVISOR_CORPUS": str(settings.corpus), "ADVISOR_INDEX": str(settings.index)}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"} | own | more


def run(
    settings: Settings, *arguments: str, typed: str = "", patience: float = PATIENCE, **more: str
) -> subprocess.CompletedProcess[str]:
    """A Python process of ours, run to its end in the checkout: `run(settings, "-m", "advisor", "hello")`."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(settings, **more),
        input=typed,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=patience,
    )


@pytest.fixture(scope="session")
def reference() -> embed.Reference:
    """The default model as sentence-transformers runs it."""
    return embed.Reference("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory, reference: embed.Reference) -> Path:
    """A folder with the default model's exported graph; making it takes seconds, so every index shares it."""
    folder = tmp_path_factory.mktemp("graphs")
    assert embed.export(reference, folder / reference.name, ["what does it pay", "how long does it take"])
    return folder


@pytest.fixture(scope="session")
def setup(tmp_path_factory: pytest.TempPathFactory, graphs: Path) -> Setup:
    """Settings for a fresh folder of guides and an index of its own, not yet made."""

    def made(guides: Mapping[str, str | bytes] = SMALL, **given: object) -> Settings:
        home = tmp_path_factory.mktemp("home")
        (home / "index").mkdir()
        (home / "index" / "graphs").symlink_to(graphs)
        corpus = write(home / "corpus", guides)
        return Settings.read(
            **{"corpus": corpus, "index": home / "index", "feedback": home / "feedback.jsonl", **given}
        )

    return made


@pytest.fixture(scope="session")
def small(setup: Setup) -> Settings:
    """Settings for the small guides with their index made; only for tests that change neither."""
    settings = setup()
    index.ingest(settings)
    return settings


def copied(index: Path, to: Path) -> None:
    """Copy the version of an index that is in use, so that what it holds need not be embedded again."""
    version = (index / "current").read_text()
    shutil.copytree(index / "versions" / version, to / "versions" / version)
    (to / "current").write_text(version)


@pytest.fixture
def indexed(setup: Setup, small: Settings) -> Settings:
    """Settings for a copy of the small guides and of their index, for tests that change either."""
    settings = setup()
    copied(small.index, settings.index)
    return settings


@pytest.fixture(scope="session")
def advisor(small: Settings) -> Advisor:
    """An advisor on the small guides."""
    return Advisor.open(small)


@pytest.fixture(scope="session")
def ours(setup: Setup) -> Advisor:
    """An advisor on the guides of this repository; vectors that the checkout's own index has are taken over."""
    settings = setup({}, corpus=ROOT / "corpus")
    if (ROOT / ".advisor" / "current").is_file():
        copied(ROOT / ".advisor", settings.index)
    index.ingest(settings)
    return Advisor.open(settings)


@pytest.fixture(scope="session")
def source_guide(setup: Setup) -> Settings:
    """Settings for the source guide alone, its index made; skipped where it does not lie beside the checkout."""
    if not SOURCE_GUIDE.is_file():
        pytest.skip(f"{SOURCE_GUIDE} is not there")
    settings = setup({SOURCE_GUIDE.name: SOURCE_GUIDE.read_bytes()})
    index.ingest(settings)
    return settings
