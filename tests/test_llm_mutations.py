"""The list of mutations keeps up with the source: each place is there once, and each test file exists."""

from __future__ import annotations

import pytest

from tests.mutations import ROOT, Mutation, mutations


@pytest.mark.parametrize("mutation", mutations(), ids=lambda m: m.name)
def test_what_is_taken_out_is_there(mutation: Mutation) -> None:
    """Whoever rewrites a handling rewrites the line that takes it out."""
    text = (ROOT / "src" / "advisor" / mutation.file).read_text("utf-8")
    assert text.count(mutation.find) == 1
    compile(text.replace(mutation.find, mutation.put), mutation.file, "exec")
    assert (ROOT / "tests" / f"{mutation.tests.partition(':')[0]}.py").is_file()


def test_every_fault_of_the_endpoint_and_every_family_of_attacks_is_among_them() -> None:
    """Names are counted, so that none is lost."""
    names = [mutation.name for mutation in mutations()]
    assert len(set(names)) == len(names) > 70
    assert sum(name.startswith("fault: ") for name in names) >= 25
    assert sum(name.startswith("attack: ") for name in names) >= 25
