"""`python -m evals`: the whole offline evaluation, its report, and the verdict against the baseline."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from evals import judge, report, verdict
from evals.cells import generate
from evals.engine import Run, run
from evals.samples import HERE, Sample, SampleError, headings, load

if TYPE_CHECKING:
    from advisor import Advisor


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument(
        "--compare", type=Path, default=HERE / "baseline.json", metavar="FILE", help="baseline to compare with"
    )
    parser.add_argument("--save-baseline", action="store_true", help="write this run to the baseline file")
    parser.add_argument("--readme", action="store_true", help="write the result table into evals/README.md")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only samples whose id or kind holds this; gates nothing"
    )
    parser.add_argument("--split", choices=("dev", "test"), help="only this half; gates nothing")
    parser.add_argument("--no-tables", action="store_true", help="without the generated table questions; gates nothing")
    parser.add_argument(
        "--llm",
        action="store_true",
        help="run with the model of ADVISOR_LLM_MODEL too, compared with offline; gates nothing",
    )
    parser.add_argument("--samples", type=Path, default=HERE, metavar="DIR", help="folder of golden*.jsonl")
    parser.add_argument("--floors", type=Path, default=HERE / "floors.toml", metavar="FILE")
    parser.add_argument("--report", type=Path, default=HERE / "report", metavar="DIR")
    parser.add_argument("--logs", type=Path, default=HERE / "logs", metavar="DIR", help="inspect_ai's logs")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when every gate holds, 1 when one does not, 2 when the samples or settings cannot be used."""
    from advisor.chat import Advisor
    from advisor.errors import AdvisorError
    from advisor.settings import Settings

    options = _options(arguments)
    try:
        # offline whatever lies in the environment: a golden question is never sent anywhere unasked
        settings = Settings.read(llm_model="", feedback="off")
        golden = load(options.samples, headings(settings.corpus))
        advisor = Advisor.open(settings)
        if options.llm and not Settings.read().llm_model:
            raise SampleError("--llm: set ADVISOR_LLM_MODEL to the model that should answer")
        model = Advisor.open(Settings.read(feedback="off")) if options.llm else None
    except (SampleError, AdvisorError) as error:
        print(error, file=sys.stderr)
        return 2
    tables = () if options.no_tables else generate(advisor.passages, advisor.vocabulary.roles)
    wanted = _wanted((*golden, *tables), options)
    if not wanted:
        print("No samples: evals/golden*.jsonl has none that fit.", file=sys.stderr)
        return 2
    made = run(advisor, wanted, options.logs)
    done = (
        _both(made, run(model, wanted, options.logs, "golden-llm"), model) if model else _alone(made, advisor, options)
    )
    report.write(done, options.report)
    if options.readme:
        report.fill(HERE / "README.md", report.headline(done))
    if options.save_baseline:
        verdict.save(done.run.rows, options.compare, done.about)
    _say(done, options)
    return 1 if done.gates else 0


def _wanted(samples: Sequence[Sample], options: argparse.Namespace) -> tuple[Sample, ...]:
    return tuple(
        s for s in samples if (options.only in s.id or options.only == s.kind) and options.split in (None, s.split)
    )


def _about(advisor: Advisor) -> dict[str, str]:
    from advisor import __version__

    status = advisor.status
    return {
        "version": __version__,
        "answerer": status.answerer,
        "embedder": status.embedder,
        "index": status.fingerprint,
        "passages": str(status.passages),
        "date": time.strftime("%Y-%m-%d"),
    }


def _alone(made: Run, advisor: Advisor, options: argparse.Namespace) -> report.Report:
    baseline = verdict.read(options.compare) if options.compare.exists() and not options.save_baseline else ()
    compared = verdict.compare(made.rows, baseline) if baseline else ()
    partial = bool(options.only or options.split or options.no_tables)
    limits = () if partial else verdict.limits(made.rows, options.floors)
    gates = () if partial else tuple(verdict.failed_gates(compared, limits))
    judged = judge.judge(made.records, judge.model(), options.logs) if judge.model() else ()
    return report.Report.of(
        made,
        _about(advisor),
        compared=compared,
        limits=limits,
        gates=gates,
        against=options.compare.name,
        judged=judged,
    )


def _both(offline: Run, spoken: Run, model: Advisor) -> report.Report:
    """The model's run compared with the offline one, with its tokens and times."""
    compared = verdict.compare(spoken.rows, offline.rows)
    return report.Report.of(spoken, {**_about(model), **_spent(offline, spoken)}, compared=compared, against="offline")


def _spent(offline: Run, spoken: Run) -> dict[str, str]:
    """How many answers are the model's, what its endpoint reports of them, and how long an answer took either way."""
    from advisor.chat import OFFLINE_INSTEAD

    answers = [record.asked.answer for record in spoken.records if record.asked]
    used: dict[str, float] = {}
    for answer in answers:
        for name, amount in answer.usage.items():
            used[name] = used.get(name, 0) + amount
    replaced = sum(OFFLINE_INSTEAD in answer.notice for answer in answers)
    seconds = [[record.asked.seconds for record in run.records if record.asked] for run in (spoken, offline)]
    return {
        "answers": f"{len(answers)}",
        "with tokens": f"{sum(bool(answer.usage) for answer in answers)}",
        "replaced by the offline answer": f"{replaced}",
        **{name.replace("_", " "): f"{amount:.10g}" for name, amount in sorted(used.items())},
        "seconds an answer, p50": f"{median(seconds[0]):.3f} (offline {median(seconds[1]):.3f})",
        "seconds in all": f"{spoken.seconds:.1f} (offline {offline.seconds:.1f})",
    }


def _say(done: report.Report, options: argparse.Namespace) -> None:
    print(report.splits(done), end="\n\n")
    if options.llm:
        print(" · ".join(f"{name} {value}" for name, value in done.about.items()), end="\n\n")
    if done.compared:
        print(f"Against {done.against}:\n{report.comparison(done.compared)}", end="\n\n")
    elif not options.save_baseline:
        print(f"No baseline at {options.compare}: `python -m evals --save-baseline` writes one.\n")
    faulty = sum(map(report.is_fault, done.run.records))
    print(
        f"{len(done.run.records)} samples ({report.states(done.run.rows)}), {faulty} with faults, "
        f"{done.run.seconds:.1f} s."
    )
    print(f"Report: {options.report}/index.html, logs: inspect view --log-dir {options.logs}")
    for reason in done.gates:
        print(f"GATE: {reason}")


if __name__ == "__main__":
    sys.exit(main())
