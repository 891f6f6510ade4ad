"""The supply chain: every pin has hashes and a licence, and neither the code nor what it stands on has known holes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests import supply
from tests.conftest import PATIENCE, ROOT

ELSEWHERE = {"audioop-lts", "colorama", "httpx2-jsfetch", "pywin32", "tzdata"}
"""Needed on other systems or Python versions only; the lock was resolved for one."""


def test_hashes_belong_to_the_lock() -> None:
    """Each pin of the lock stands in one hashed file with the same version; what else stands there is marked."""
    lock = supply.pins(supply.LOCK.read_text(encoding="utf-8"))
    hashed: dict[str, str] = {}
    for path in supply.HASHED.values():
        blocks = supply.blocks(path.read_text(encoding="utf-8"))
        assert not hashed.keys() & blocks.keys()
        hashed |= blocks
    assert {name: supply.pins(block)[name] for name, block in hashed.items() if name not in ELSEWHERE} == lock
    assert all(re.search(r" ; .*(?:platform|python|os_name)", hashed[name]) for name in ELSEWHERE)
    assert [name for name, block in hashed.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []


def test_what_running_takes_is_in_the_file_for_running() -> None:
    """Whoever installs `requirements/run.txt` has every package that is needed here, and none of the linters."""
    named = supply.pins(supply.HASHED["run"].read_text(encoding="utf-8"))
    assert set(supply.installed()) <= set(named)
    assert not {"pytest", "ruff", "bandit", "atheris"} & set(named)


def test_an_altered_package_is_refused(tmp_path: Path) -> None:
    """Pip takes a file only when its hash is the one that is written down."""
    made = tmp_path / "thing-1.0-py3-none-any.whl"
    made.write_bytes(b"not what was promised")
    (tmp_path / "r.txt").write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
    given = ("--require-hashes", "--no-deps", "--no-index", "-f", str(tmp_path), "-r", str(tmp_path / "r.txt"))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-d", str(tmp_path / "to"), *given],
        capture_output=True, check=False, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_no_file_names_a_registry() -> None:
    """Packages come from wherever the machine that installs them says."""
    for path in (supply.LOCK, *supply.HASHED.values()):
        assert not re.search(r"://|--index|--find-links", path.read_text(encoding="utf-8")), path.name


def test_licences_are_listed() -> None:
    """The list has every package that running takes here, with the version of the lock and the licence it names."""
    listed = {
        name: (version, said)
        for name, version, said in re.findall(
            r"^\| ([\w.-]+) \| (\d\S*) \| (.+) \|$", supply.LICENCES.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }
    lock = supply.pins(supply.LOCK.read_text(encoding="utf-8"))
    assert {name: version for name, (version, _) in listed.items()} == {name: lock[name] for name in listed}
    here = supply.installed().items()
    assert [name for name, one in here if listed.get(name) != (one.version.split("+")[0], supply.licence(one))] == []


def test_copyleft_is_known() -> None:
    """What is under a copyleft licence is named above the list, and is none that reaches over to our own code."""
    text = supply.LICENCES.read_text(encoding="utf-8")
    bound = {name for name, package in supply.installed().items() if supply.COPYLEFT.search(supply.licence(package))}
    assert bound == {"certifi", "orjson", "tqdm"}
    assert all(f"{name} (" in text for name in bound)
    assert not any(re.search(r"\b[AL]?GPL", supply.licence(package)) for package in supply.installed().values())
    assert "not said" not in text


def test_bandit_is_content() -> None:
    """The security linter finds nothing in the package beyond what is excused with a reason."""
    given = ("-q", "-r", "src", "-c", "pyproject.toml", "-f", "json")
    done = subprocess.run(
        [sys.executable, "-m", "bandit", *given],
        cwd=ROOT, capture_output=True, check=False, text=True, timeout=PATIENCE,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert [f"{one['filename']}:{one['line_number']}: {one['issue_text']}" for one in said["results"]] == []
    assert said["errors"] == []
    assert said["metrics"]["_totals"]["loc"] > 5000


def test_every_excuse_has_its_reason() -> None:
    """A line that bandit passes over says which finding, and why it is none."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "# nosec" in line:
                assert re.search(r"# noqa: \S+ \(.{10,}\)  # nosec B\d{3}$", line), f"{path.name}: {line}"
    assert all(reason for reason in supply.UNFIXED.values())


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Package → advisories that pip-audit reports."""
    said = json.loads(done.stdout)["dependencies"]
    return {one["name"]: [hole["id"] for hole in one["vulns"]] for one in said if one.get("vulns")}


@pytest.mark.slow
def test_no_pin_has_a_known_hole(tmp_path: Path) -> None:
    """pip-audit knows nothing against any pin beyond what is listed; one pin tells whether it can know anything."""
    (tmp_path / "one.txt").write_text("filelock==4.2.11\n")
    tried = supply.audit("-s", "pypi", pinned=tmp_path / "one.txt")
    if not tried.stdout:
        pytest.skip("the package index, which pip-audit asks for advisories, cannot be reached from here")
    if "skip_reason" in json.loads(tried.stdout)["dependencies"][0]:
        pytest.skip("the package index that is reached from here serves no advisories")
    done = supply.audit("-s", "pypi")
    assert findings(done) == {}, done.stderr


class _Advisories(BaseHTTPRequestHandler):
    """Speaks OSV's protocol; knows one advisory that is listed as left, and one that is not."""

    known: ClassVar = {"chromadb": "CVE-2026-45829", "requests": "CVE-2099-0001"}

    def do_POST(self) -> None:
        """Answer which advisories there are against a package."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        affected = {"package": {"name": name, "ecosystem": "PyPI"}, "versions": [asked["version"]]}
        hole = {"id": self.known.get(name), "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
        body = json.dumps({"vulns": [hole]} if name in self.known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def advisories() -> Iterator[str]:
    """The address of a service of advisories on loopback."""
    with HTTPServer(("127.0.0.1", 0), _Advisories) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.mark.slow
def test_an_advisory_that_nobody_looked_at_is_found(advisories: str) -> None:
    """Every pin is asked about; what is listed with a reason passes, anything else stops."""
    done = supply.audit("-s", "osv", "--osv-url", advisories)
    assert findings(done) == {"requests": ["CVE-2099-0001"]}, done.stderr
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["dependencies"]) == len(supply.pins(supply.LOCK.read_text(encoding="utf-8")))
