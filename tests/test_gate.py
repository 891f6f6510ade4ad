"""The offline evaluation runs in CI, against the floors of evals/floors.toml and the baseline beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.__main__ import main


@pytest.mark.slow
def test_the_offline_evaluation_holds_its_floors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m evals` passes every gate: no floor broken, nothing worse than the baseline."""
    status = main(["--report", str(tmp_path / "report"), "--logs", str(tmp_path / "logs")])
    said = capsys.readouterr()
    assert status == 0, "\n".join([said.err, *(line for line in said.out.splitlines() if line.startswith("GATE"))])
