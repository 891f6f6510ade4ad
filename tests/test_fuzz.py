"""Coverage-guided fuzzing for as long as CI has time; `python -m tests.fuzz --seconds 3600` goes on by hand."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, ROOT
from tests.fuzz import check, shown

SECONDS = 45


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="there is no atheris for this system")
def test_nothing_made_up_breaks_the_reading_of_guides(tmp_path: Path) -> None:
    """Files made up to reach every branch are read or refused by line, never slowly, and no word of them is lost."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", str(SECONDS), "--finds", str(tmp_path)],
        cwd=ROOT, capture_output=True, check=False, text=True, errors="replace", timeout=SECONDS + PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs in", done.stderr)
    assert runs
    assert int(runs[1]) > 100
    assert list(tmp_path.glob("crash-*")) == []


def test_the_fuzzer_notices_what_it_looks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a browser shows is told from what it does not, and a word that is not in any passage is an error."""
    text = "# Head\n\none <b>two</b> <!-- not --> un*three*able ![four](x)\n\n<script>not()</script>\n\n"
    text += "| a1 |\n|--|\n| five |\n"
    assert shown(text) == {"Head", "one", "two", "unthreeable", "four", "a1", "five"}
    assert check(text.encode()) == "read"
    assert check(b"# A\n\x00") == "refused"
    monkeypatch.setattr("advisor.passages.plain", lambda node: "")
    with pytest.raises(AssertionError, match="lost"):
        check(text.encode())
