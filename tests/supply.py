"""What this stands on, written down: `python -m tests.supply hashes` and `python -m tests.supply licences`.

`hashes` asks uv for the files whose hashes belong to the pins of `requirements.lock`; `licences` reads what the
installed packages say of themselves. Run both after a pin has changed; tests/test_supply.py says when it was forgotten.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
HASHED = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "cuda", "dev")}
"""What running takes with every extra; what PyTorch's default build for Linux takes besides; what development does."""
LICENCES = ROOT / "docs" / "licences.md"
EXTRAS = ("formats", "mcp")
COPYLEFT = re.compile(r"GPL|MPL|EUPL|CDDL|EPL-|OSL-|Mozilla", re.IGNORECASE)
_CUDA = re.compile(r"nvidia-|cuda-|triton")
_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)

UNFIXED = {
    "CVE-2026-45829": "in Chroma's own server, which nothing here starts; no version mends it (see the README)",
    "CVE-2026-45830": "as above",
    "CVE-2026-45831": "as above",
    "CVE-2026-45833": "as above",
}  # fmt: skip
"""Advisories that are known and left, each with its reason."""


def pins(text: str) -> dict[str, str]:
    """Name → version of every pin in a requirements file."""
    return dict(_PIN.findall(text))


def blocks(text: str) -> dict[str, str]:
    """Name → the pin with its marker and hashes, as written."""
    each = re.split(r"\n(?=\w)", text.strip())
    return {found[1]: block for block in each if (found := _PIN.match(block))}


def hashes() -> None:
    """Write the files with hashes, from the versions that the lock names."""
    extras = [part for extra in EXTRAS for part in ("--extra", extra)]
    run = blocks(_compiled(*extras))
    every = blocks(_compiled(*extras, "--extra", "dev"))
    parts = {
        "run": [block for name, block in run.items() if not _CUDA.match(name)],
        "cuda": [block for name, block in run.items() if _CUDA.match(name)],
        "dev": [block for name, block in every.items() if name not in run],
    }
    for name, found in parts.items():
        HASHED[name].parent.mkdir(exist_ok=True)
        HASHED[name].write_text("\n".join(found) + "\n", encoding="utf-8")


def _compiled(*extras: str) -> str:
    quiet = ("--quiet", "--no-header", "--no-annotate", "--no-emit-package", "pip")
    given = ("--universal", "--python-version", "3.11", "--generate-hashes", "-c", LOCK.name, *extras, "pyproject.toml")
    command = ["uv", "pip", "compile", *quiet, *given]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def installed() -> dict[str, metadata.Distribution]:
    """The packages that running takes here, with every extra, by name, but for CUDA's, which not every machine has."""
    found: dict[str, metadata.Distribution] = {}
    open_now: list[tuple[str, tuple[str, ...]]] = [("career-advisor", EXTRAS)]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while open_now:
        name, extras = open_now.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for line in found[name].requires or []:
            wanted = Requirement(line)
            name = canonicalize_name(wanted.name)
            here = wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in ("", *extras))
            if here and not _CUDA.match(name):
                open_now.append((name, tuple(sorted(wanted.extras))))
    del found["career-advisor"]
    return found


def licence(package: metadata.Distribution) -> str:
    """What a package says its licence is: an expression, else its classifiers, else a line of its own."""
    about = package.metadata
    listed = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or [] if line.startswith("License :: ")]
    free = (about.get("License") or "").strip().split("\n")[0]
    return about.get("License-Expression") or ", ".join(sorted(listed)) or free[:60] or "not said"


def licences() -> None:
    """Write the list of licences."""
    found = {name: (package.version.split("+")[0], licence(package)) for name, package in sorted(installed().items())}
    rows = [f"| {name} | {version} | {said} |" for name, (version, said) in found.items()]
    bound = [f"{name} ({said})" for name, (_, said) in found.items() if COPYLEFT.search(said)]
    LICENCES.write_text(
        "# Licences\n\n"
        "What running takes, with the extras `formats` and `mcp`, and what each package says of itself; written by\n"
        "`.venv/bin/python -m tests.supply licences`.\n\n"
        f"Copyleft, by file (a changed file of theirs stays under their licence): {', '.join(bound)}.\n"
        "Nothing is under GPL, LGPL or AGPL. On Linux, PyTorch's default build also brings NVIDIA's CUDA libraries,\n"
        "which are under NVIDIA's own proprietary licence, and Triton (MIT); the CPU build brings neither.\n\n"
        "| Package | Version | Licence |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def audit(*more: str, pinned: Path = LOCK) -> subprocess.CompletedProcess[str]:
    """pip-audit on every pin, as JSON on its standard output, without what is known and left."""
    known = [part for name in UNFIXED for part in ("--ignore-vuln", name)]
    given = ("-r", str(pinned), "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json")
    command = [sys.executable, "-m", "pip_audit", *given, *known, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


if __name__ == "__main__":
    {"hashes": hashes, "licences": licences}[sys.argv[1]]()
