"""Intervals, verdicts, the report and the commands: right, repeatable, and readable without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from evals_stand_in import GOLDEN, GUIDE, ROLES, AnswersEverything, StandIn

from advisor.settings import Settings
from evals import __main__ as command
from evals import ablation, clock, judge, report, speed, verdict
from evals.cells import generate
from evals.engine import Run, run
from evals.metrics import BY_NAME, Row, difference, estimate
from evals.samples import HERE, Sample, headings, load


def _row(number: int, share: float, conversation: str = "", kind: str = "direct", digest: str = "d") -> Row:
    name = conversation or f"talk-{number}"
    return Row(f"{name}.{number}", name, kind, "dev", digest, "scored", {"facts_vital": (share, 1)})


def test_an_interval_holds_its_value_and_narrows_with_samples() -> None:
    """A bootstrap over few conversations is wide, over many it is narrow, and the seed makes both repeatable."""
    few = [_row(n, n % 2) for n in range(10)]
    many = [_row(n, n % 2) for n in range(400)]
    metric = BY_NAME["facts_vital"]
    small, large = estimate(metric, few), estimate(metric, many)
    assert small is not None
    assert large is not None
    assert small.low < 0.5 < small.high
    assert large.high - large.low < (small.high - small.low) / 3
    assert estimate(metric, few) == small


def test_samples_of_one_conversation_count_as_one() -> None:
    """Forty rewordings in four conversations say less than forty conversations."""
    metric = BY_NAME["facts_vital"]
    clustered = estimate(metric, [_row(n, n % 4 < 2, f"talk-{n % 4}") for n in range(40)])
    independent = estimate(metric, [_row(n, n % 4 < 2) for n in range(40)])
    assert clustered is not None
    assert independent is not None
    assert clustered.high - clustered.low > 1.5 * (independent.high - independent.low)


def test_a_metric_that_applies_to_nothing_has_no_value() -> None:
    """Unscored is not wrong: no rows, no estimate."""
    assert estimate(BY_NAME["profile_role"], [_row(1, 1)]) is None
    assert difference(BY_NAME["profile_role"], [_row(1, 1)], [_row(1, 1)]) is None


def test_a_paired_difference_sees_what_two_intervals_hide() -> None:
    """Ten of 200 samples got better and none worse: better, though the two intervals overlap widely."""
    before = [_row(n, n % 2) for n in range(200)]
    after = [_row(n, 1 if n < 20 else n % 2) for n in range(200)]
    compared = {c.metric.name: c for c in verdict.compare(after, before)}["facts_vital"]
    assert (compared.verdict, compared.changed) == ("better", 10)
    assert {c.metric.name: c.verdict for c in verdict.compare(before, after)}["facts_vital"] == "worse"
    old, new = estimate(BY_NAME["facts_vital"], before), estimate(BY_NAME["facts_vital"], after)
    assert old is not None
    assert new is not None
    assert old.high > new.low


def test_one_changed_sample_cannot_tell() -> None:
    """A single loss among many is no verdict."""
    before = [_row(n, 1) for n in range(50)]
    after = [_row(n, n != 7) for n in range(50)]
    assert {c.metric.name: c.verdict for c in verdict.compare(after, before)}["facts_vital"] == "cannot tell"


def test_only_unchanged_samples_are_compared() -> None:
    """A sample that was edited or added since is left out of the pairs."""
    before = [_row(1, 0), _row(2, 1), _row(3, 1, digest="old")]
    after = [_row(1, 1), _row(2, 1), _row(3, 0), _row(4, 0)]
    found = difference(BY_NAME["facts_vital"], after, before)
    assert found is not None
    assert (found.value, found.samples) == (0.5, 2)


def test_lengths_have_a_median_and_a_tail() -> None:
    """Quantiles are taken over samples, not as sums."""
    rows = [Row(f"a-{n}.1", f"a-{n}", "direct", "dev", "d", "scored", {"words": (n, 1)}) for n in range(1, 101)]
    middle, tail = estimate(BY_NAME["words_p50"], rows), estimate(BY_NAME["words_p95"], rows)
    assert middle is not None
    assert tail is not None
    assert (middle.value, tail.value) == (50, 95)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, ...]:
    """The stand-in's samples and table questions."""
    folder = tmp_path_factory.mktemp("samples")
    (folder / "kitchen.md").write_text(GUIDE, "utf-8")
    (folder / "golden.jsonl").write_text("\n".join(map(json.dumps, GOLDEN)), "utf-8")
    return (*load(folder, headings(folder)), *generate(StandIn.passages, ROLES))


@pytest.fixture(scope="module")
def made(samples: tuple[Sample, ...], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with faults in it: what is absent gets answered."""
    return run(AnswersEverything(), samples, tmp_path_factory.mktemp("logs"))


class _Page(HTMLParser):
    """Collects what a page would fetch, and how many plots and samples it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and any address it loads."""
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]


def test_the_report_is_whole_and_needs_nothing_from_outside(made: Run, tmp_path: Path) -> None:
    """Markdown, JSON and one page with four plots; the page loads nothing, and shows what was asked and expected."""
    report.write(report.Report.of(made, {"version": "0"}, gates=("one reason",)), tmp_path)
    page = _Page()
    text = (tmp_path / "index.html").read_text("utf-8")
    page.feed(text)
    assert page.fetched == []
    assert not re.search(r"@import|url\(|<script", text)
    assert page.tags.count("svg") == 4
    assert page.tags.count("details") == 3
    assert "how many holiday weeks has a senior baker" in text
    assert "a refusal" in text
    assert "one reason" in text
    assert "answered_though_absent: should have been declined" in (tmp_path / "report.md").read_text("utf-8")
    assert len(json.loads((tmp_path / "report.json").read_text("utf-8"))["samples"]) == len(GOLDEN) + 24


def test_answers_are_escaped_in_the_page(samples: tuple[Sample, ...], tmp_path: Path) -> None:
    """What an answerer says cannot become part of the page."""

    class Shouts(AnswersEverything):
        def compose(self, question: str) -> Any:
            from dataclasses import replace

            return replace(super().compose(question), text="<script>alert(1)</script>", citations=())

    report.write(report.Report.of(run(Shouts(), samples[:3], tmp_path / "logs"), {}), tmp_path)
    assert "<script" not in (tmp_path / "index.html").read_text("utf-8")


def test_two_reports_differ_in_nothing_but_time(samples: tuple[Sample, ...], made: Run, tmp_path: Path) -> None:
    """Everything in the report's data but `timing` is the same in a second run."""
    first, second = (
        report.data(report.Report.of(one, {})) for one in (made, run(AnswersEverything(), samples, tmp_path))
    )
    first.pop("timing"), second.pop("timing")
    assert json.dumps(first) == json.dumps(second)


def test_a_baseline_survives_its_file(made: Run, tmp_path: Path) -> None:
    """A run equals its own baseline after a round trip, whatever fractions its scores have."""
    path = tmp_path / "baseline.json"
    verdict.save(made.rows, path, {"version": "0"})
    assert [c.changed for c in verdict.compare(made.rows, verdict.read(path))] == [0] * len(
        verdict.compare(made.rows, verdict.read(path))
    )
    assert len(path.read_text("utf-8").splitlines()) == len(made.rows) + 4


def test_the_readme_sections_are_filled_in_place(tmp_path: Path) -> None:
    """Only what stands between the marks changes; without marks, nothing is guessed."""
    readme = tmp_path / "README.md"
    readme.write_text("# A\n<!-- results: by a command -->\nold\n<!-- /results -->\nrest\n", "utf-8")
    report.fill(readme, "new")
    assert readme.read_text("utf-8") == "# A\n<!-- results: by a command -->\nnew\n<!-- /results -->\nrest\n"
    with pytest.raises(ValueError, match="ablation"):
        report.fill(readme, "new", "ablation")


def test_the_readme_opens_with_results_and_has_every_section() -> None:
    """The first section is the result table, and each command finds its marks."""
    text = (HERE / "README.md").read_text("utf-8")
    assert text.index("<!-- results") < text.index("\n## ")
    assert all(
        text.count(f"<!-- {name}") == text.count(f"<!-- /{name} -->") == 1 for name in ("results", "ablation", "speed")
    )


def test_every_floor_names_a_metric_and_a_set() -> None:
    """The floors file is read with nothing misspelt, and each floor has a run to hold it against."""
    rows = [_row(n, 1, kind=kind) for n, kind in enumerate(("direct", "near-miss", "table"))]
    found = verdict.limits(rows, HERE / "floors.toml")
    assert {limit.over for limit in found} >= {"all", "table", "near-miss"}


class _Opened(StandIn):
    """The stand-in as the command opens it."""

    status = SimpleNamespace(answerer="offline", embedder="words", fingerprint="f", passages=5)

    @classmethod
    def open(cls, settings: Settings, **_: Any) -> StandIn:
        """As `Advisor.open`; golden questions must never meet a model by accident."""
        assert settings.llm_model == ""
        return cls()


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`python -m evals` over the stand-in, in a folder of its own."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "kitchen.md").write_text(GUIDE, "utf-8")
    (tmp_path / "golden.jsonl").write_text("\n".join(map(json.dumps, GOLDEN)), "utf-8")
    (tmp_path / "floors.toml").write_text("[all]\nfacts_vital = 1.0\n[table]\ntable_cell = 1.0\n", "utf-8")
    monkeypatch.setenv("ADVISOR_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setenv("ADVISOR_LLM_MODEL", "must-not-be-asked")
    monkeypatch.delenv("ADVISOR_JUDGE_MODEL", raising=False)
    advisor = pytest.importorskip("advisor.chat")

    def command_with(kind: type[StandIn], *more: str) -> int:
        monkeypatch.setattr(advisor, "Advisor", type("Opened", (_Opened, kind), {}))
        paths = {"samples": "", "floors": "floors.toml", "report": "report", "logs": "logs", "compare": "baseline.json"}
        given = [f"--{name}={tmp_path / path}" for name, path in paths.items()]
        return command.main([*given, *more])

    return command_with


def test_the_command_gates_on_floors_and_baseline(
    evaluate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A right answerer passes and makes a baseline; a worse one ends with 1 and says why."""
    assert evaluate(StandIn, "--save-baseline") == 0
    assert evaluate(AnswersEverything) == 1
    said = capsys.readouterr().out
    assert "cannot tell" in said
    assert "GATE: Answered though absent: worse than the baseline" in said
    assert (tmp_path / "report" / "index.html").exists()
    assert evaluate(AnswersEverything, "--only", "near-miss") == 0


def test_the_command_refuses_samples_it_cannot_use(
    evaluate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A label that points nowhere ends the run before it starts, with 2."""
    (tmp_path / "golden.jsonl").write_text(json.dumps({**GOLDEN[0], "labels": ["kitchen.md#Gone"]}), "utf-8")
    assert evaluate(StandIn) == 2
    assert "no such heading" in capsys.readouterr().err
    (tmp_path / "golden.jsonl").write_text("", "utf-8")
    assert evaluate(StandIn, "--no-tables") == 2


def test_the_judge_has_a_column_of_its_own(made: Run, tmp_path: Path) -> None:
    """Verdicts with reasons, repeats with their spread, and unreadable ones counted as the judge's failure."""
    from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model

    def says(texts: Sequence[str]) -> Model:
        outputs = [ModelOutput.from_content("mockllm", text) for text in texts]
        for output in outputs:
            # without it, inspect_ai counts tokens with a file that it fetches
            output.usage = ModelUsage()
        return get_model("mockllm/model", custom_outputs=outputs)

    answers = made.records[:1]
    (judged,) = judge.judge(answers, says(["It says so. GRADE: C", "Half. GRADE: P", "no verdict"]), tmp_path, 3)
    assert (judged["value"], judged["judge_failed"]) == (0.75, 1)
    assert judged["spread"] == 0.25
    assert any("It says so" in reason for reason in judged["reasons"])
    assert "| all | 1 | 75.0% | 0.250 | 1 |" in judge.table([judged])


def test_the_ablation_tells_ways_to_read_a_follow_up_apart(samples: tuple[Sample, ...]) -> None:
    """Without the conversation, a follow-up is lost; the table shows the paired difference to the product."""
    talks = [sample for sample in samples if sample.kind == "multi-turn"]
    ours = ablation.measure(StandIn(), talks)
    typed = ablation.measure(ablation.Reads(StandIn(), ablation.as_typed), talks)
    found = [
        (ablation.Variant("ours", StandIn(), True), ours),
        (ablation.Variant("as typed", StandIn(), True), typed),
        (ablation.Variant("search", StandIn()), ours),
    ]
    text = ablation.text(found, talks)
    assert re.search(r"\| as typed \|.*\| 50\.0%.*\| -0\.500 ", text)
    assert "| written out by hand |" in text


def test_ways_to_glue_turns() -> None:
    """The naive readings are what their names say."""
    from advisor.types import Turn

    turns = (Turn("a", "x"), Turn("b", "y"))
    assert ablation.glued_last("c", turns) == "b c"
    assert ablation.glued_all("c", turns) == "a b c"


def test_speed_is_a_ratio_of_real_processes() -> None:
    """Children are timed with their memory; one that fails is an error, not a fast time."""
    import sys

    quick = clock.child([sys.executable, "-c", "pass"])
    assert quick.status == 0
    assert quick.megabytes > 1
    with pytest.raises(RuntimeError, match="exit status"):
        clock.best(1, lambda: quick, lambda: clock.child([sys.executable, "-c", "raise SystemExit(3)"]))


def test_a_goal_holds_or_is_said_not_to() -> None:
    """Ratios stand beside what they may be at most, plain times beside their limit, and a miss is marked."""
    text = speed.table(
        [
            speed.Ratio("answer, p50", 0.005, 0.02, "bare", 1.0),
            speed.Ratio("start", 3.0, 2.0, "bare", 1.2),
            speed.Ratio("first answer", 0.25, 0, "", 0.2),
            speed.Ratio("peak memory, MB", 100, 200, "bare"),
        ]
    )
    assert "| answer, p50 | 5.0 ms | 20.0 ms | bare | 0.25 | ≤ 1 | yes |" in text
    assert "| start | 3.00 s | 2.00 s | bare | 1.50 | ≤ 1.2 | **no** |" in text
    assert "| first answer | 250.0 ms |  |  |  | ≤ 200.0 ms | **no** |" in text
    assert "| peak memory, MB | 100 | 200 | bare | 0.50 |  |  |" in text


def test_a_page_is_timed_until_it_answers() -> None:
    """The clock stops when the address answers, and a page that dies is a failure."""
    import sys

    server = (
        "import http.server as h, sys;"
        "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"
    )
    assert clock.until_served([sys.executable, "-c", server], 30).status == 0
    assert clock.until_served([sys.executable, "-c", "pass"], 30).status == 1
