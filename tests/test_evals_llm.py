"""The same samples through a model: a scripted endpoint over real sockets, and the whole advisor in between."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from advisor import Advisor, Turn
from evals import liar, lies
from evals.__main__ import main
from evals.endpoint import Script, serving
from evals.samples import HERE, headings, load
from evals.scripted import Ideal, sent

PAY = "What does a Senior ML Engineer earn remotely?"
SAID = "A Senior ML Engineer earns $160–220K remotely [1]."
FIGURES = ("figure", "day or year")


def few(tallies: liar.Tallies) -> None:
    """Figures of every kind and phantom markers are caught, and the truth is kept."""
    for kind, tally in tallies.items():
        if kind == liar.PHANTOM or any(word in kind for word in FIGURES):
            assert tally.told >= 5, kind
            assert tally.through == [], kind
    assert len(tallies[liar.TRUTH].through) > 10
    assert tallies[liar.TRUTH].share <= 0.01, tallies[liar.TRUTH].caught


def test_the_guard_catches_a_liar_over_the_wire(ours: Advisor) -> None:
    """Five lies of each kind, told over the golden questions through the whole advisor."""
    samples = load(HERE, headings(ours.settings.corpus))
    wire = liar.over_the_wire(ours, samples, 5)
    few(wire)
    assert {*liar.UNSUPPORTED, liar.BESIDE, liar.INVENTED} <= set(wire)
    assert wire[liar.REPLACED].share < 0.15, wire[liar.REPLACED].caught
    assert "| wrong figure | 5 | 100.0% | – | – |" in liar.table(wire, {})


def test_the_guard_catches_a_liar_on_a_slice_of_the_guides(ours: Advisor) -> None:
    """Every seventh lie about the guides' lines and cells, read by the guard alone."""
    few(liar.at_the_guard(ours.passages, ours.vocabulary, 7))


def test_a_scripted_model_reads_what_it_is_sent(ours: Advisor) -> None:
    """Passages come out of the prompt with the numbers, cells, lines and headings that they went in with."""
    script = Script()
    script.says("Fine.")
    with liar.speaking(ours, {"noted": lambda request: materials.append(request.material) or "Fine."}) as spoken:
        materials: list[str] = []
        answer = spoken["noted"].ask(PAY)
    got = sent(materials[-1])
    given = [hit.passage for hit in answer.hits[:12]]
    assert got.question == answer.question
    assert [p.cells for p in got.passages] == [p.cells for p in given]
    assert [p.headings for p in got.passages] == [p.headings for p in given]
    assert [lies.claims(p) for p in got.passages] == [lies.claims(p) for p in given]


def test_the_evaluation_runs_through_a_model(
    ours: Advisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m evals --llm` shows the paired difference to offline, the tokens, the time, and who answered."""
    settings, samples = ours.settings, load(HERE, headings(ours.settings.corpus))
    with serving(Script(replies={"ideal": Ideal.of(samples)}, counts=True)) as url:
        monkeypatch.setenv("ADVISOR_INDEX", str(settings.index))
        monkeypatch.setenv("ADVISOR_LLM_MODEL", "ideal")
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        only = ["--only", "cell", "--no-tables", "--report", str(tmp_path / "report"), "--logs", str(tmp_path / "logs")]
        assert main(["--llm", *only]) == 0
    printed = capsys.readouterr().out
    assert "Against offline:" in printed
    assert "| Vital facts found |" in printed
    for figure in ("input tokens", "output tokens", "seconds an answer, p50", "replaced by the offline answer"):
        assert figure in printed


def test_an_evaluation_without_a_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """`--llm` without the dial says which setting is missing."""
    assert main(["--llm"]) == 2
    assert "ADVISOR_LLM_MODEL" in capsys.readouterr().err


def test_the_first_words_reach_the_advisor_at_once(ours: Advisor) -> None:
    """From the endpoint's first piece to the first text that `Advisor.stream` shows takes less than 50 ms."""
    script = Script(pause=0.1)
    model = script.says(SAID)
    waits = []
    with serving(script) as url:
        spoken = Advisor(ours.settings.model_copy(update={"llm_model": model, "openai_base_url": url}), ours.knowledge)
        spoken.ask(PAY)
        for _ in range(3):
            script.sent.clear()
            answers = spoken.stream(PAY)
            next(answer for answer in answers if answer.text.strip())
            waits.append(time.monotonic() - script.sent[0])
            list(answers)
    print(f"first words after {min(waits) * 1000:.1f} to {max(waits) * 1000:.1f} ms")
    assert min(waits) < 0.05, waits


def test_an_echo_is_no_rewritten_question(ours: Advisor) -> None:
    """A model that gives a follow-up back as it was typed does not undo what the conversation carried over."""
    turns = [Turn("What does a Senior AI Engineer earn?", "A lot.")]
    with liar.speaking(ours, {"echo": lambda request: "and remote?"}) as spoken:
        assert spoken["echo"].standalone("and remote?", turns) == ours.standalone("and remote?", turns)
    assert ours.standalone("and remote?", turns) != "and remote?"
