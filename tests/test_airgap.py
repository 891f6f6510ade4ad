"""With no network at all: ingest from nothing, ask, evaluate and use the page, and nothing even tries to get out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from advisor import Advisor
from tests.browsing import CHROMIUM, LOOPBACK_ONLY
from tests.conftest import ROOT, write
from tests.conftest import SMALL as GUIDES

PATIENCE = 900
"""Seconds for everything on a busy machine."""


def closed() -> list[str]:
    """The command that runs another one in a network namespace of its own."""
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if (
            shutil.which(command[0])
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return command
    pytest.skip("this system permits no network namespaces: neither as this user nor in a user namespace")


@pytest.mark.slow
def test_nothing_needs_the_network_or_asks_for_it(tmp_path: Path, ours: Advisor) -> None:
    """Every way of using the advisor works on loopback alone, and the kernel counts no attempt to leave it."""
    corpus, index = write(tmp_path / "corpus", GUIDES), tmp_path / "index"
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(LOOPBACK_ONLY)
    calls = tmp_path / "calls"
    paths = [str(ROOT / "src"), str(ROOT)]
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(paths)}
    guarded = os.pathsep.join([str(tmp_path / "guard"), *paths])
    watched = {"PYTHONPATH": guarded, "ADVISOR_TEST_CALLS": str(calls)}
    own = watched | {"ADVISOR_CORPUS": str(corpus), "ADVISOR_INDEX": str(index)}
    whole = watched | {"ADVISOR_CORPUS": str(ours.settings.corpus), "ADVISOR_INDEX": str(ours.settings.index)}
    evaluation = ["-m", "evals", "--split", "dev", "--no-tables", "--only", "roles"]
    plan = {
        "home": str(tmp_path),
        "corpus": str(corpus),
        "index": str(index),
        "browser": bool(CHROMIUM),
        "steps": {
            "ingest": {"command": ["ingest.py"], "environment": own},
            "ask": {"command": ["-m", "advisor", "what does a senior ML engineer earn remotely?"], "environment": own},
            "evaluate": {
                "command": [*evaluation, "--report", str(tmp_path / "report"), "--logs", str(tmp_path / "logs")],
                "environment": whole,
            },
        },
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    ran = subprocess.run(
        [*closed(), sys.executable, "-m", "tests.airgap", str(tmp_path / "plan.json")],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    done = json.loads(ran.stdout.splitlines()[-1])
    for name, step in done["steps"].items():
        assert step["status"] == 0, (name, step)
        assert step["attempts"] == 0, (name, step)
    assert "texts embedded" in done["steps"]["ingest"]["out"]
    for said in (done["steps"]["ask"]["out"], done["page"], done["api"], done["browser"] or done["page"]):
        assert "$160–220K" in said
    assert "Vital facts found" in done["steps"]["evaluate"]["out"]
    assert done["control"] >= 3
    assert done["attempts"] == 0
    assert not calls.exists(), calls.read_text()


def test_the_runtime_s_own_telemetry_is_off() -> None:
    """Whoever imports the package has ONNX Runtime's sender switched off before it is loaded, whatever was set."""
    program = "import advisor, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert done.stdout.strip() == "1"
