"""Honest answers score full marks, and each way of cheating is caught by the metric that is meant for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from evals_stand_in import (
    DIPLOMA,
    GOLDEN,
    GUIDE,
    LEVELS,
    REGIONS,
    ROLES,
    ROWS,
    AnswersEverything,
    Crashes,
    DropsRegion,
    Glues,
    Inflates,
    OtherLevel,
    PhantomMarker,
    RefusesEverything,
    StandIn,
    WrongPassage,
    pay,
)

from advisor.types import Answer, Cell, Citation, Hit
from evals import scoring
from evals.ablation import measure
from evals.asking import world
from evals.cells import generate
from evals.engine import Run, run
from evals.figures import Names, figures
from evals.metrics import BY_NAME, Row, estimate
from evals.samples import Sample, headings, load
from evals.support import phantom
from evals.units import units
from evals.verdict import compare, failed_gates, limits, select

WORLD = world(StandIn())
PERFECT = {
    "facts_vital": 1, "never_said": 1, "wrongly_refused": 0, "answered_though_absent": 0, "refusal_f1": 1,
    "recall_5": 1, "citation_recall": 1, "citation_precision": 1, "phantom_citations": 0, "number_leaks": 0,
    "money_terms": 1, "untouched": 1, "follow_facts": 1, "failed": 0,
    "table_cell": 1, "table_number_leaks": 0, "table_money_terms": 1, "table_phantoms": 0, "table_failed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, ...]:
    """The stand-in's golden samples and generated table questions."""
    folder = tmp_path_factory.mktemp("samples")
    (folder / "kitchen.md").write_text(GUIDE, "utf-8")
    (folder / "golden.jsonl").write_text("\n".join(map(json.dumps, GOLDEN)), "utf-8")
    return (*load(folder, headings(folder)), *generate(StandIn.passages, ROLES))


@pytest.fixture(scope="module")
def honest(samples: tuple[Sample, ...], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the advisor that is right."""
    return run(StandIn(), samples, tmp_path_factory.mktemp("logs"))


def _values(rows: Sequence[Row]) -> dict[str, float]:
    found = {name: estimate(metric, rows) for name, metric in BY_NAME.items()}
    return {name: value.value for name, value in found.items() if value is not None}


def test_an_honest_answerer_scores_full_marks(honest: Run) -> None:
    """Every gated metric of a right answerer is perfect, and it passes its own baseline."""
    values = _values(honest.rows)
    assert {name: values[name] for name in PERFECT} == PERFECT
    assert {c.verdict for c in compare(honest.rows, honest.rows)} == {"cannot tell"}
    assert [record.faults for record in honest.records if record.faults] == []


CAUGHT: list[tuple[type[StandIn], set[str], set[str]]] = [
    (
        WrongPassage,
        {"citation_recall", "citation_precision", "number_leaks", "table_cell"},
        {"facts_vital", "wrongly_refused", "phantom_citations"},
    ),
    (
        DropsRegion,
        {"money_terms", "money_region", "table_money_terms"},
        {"facts_vital", "citation_precision", "number_leaks", "money_role"},
    ),
    (
        AnswersEverything,
        {"answered_though_absent", "refusal_f1"},
        {"facts_vital", "wrongly_refused", "citation_precision", "number_leaks"},
    ),
    (
        RefusesEverything,
        {"facts_vital", "wrongly_refused", "refusal_f1", "table_cell"},
        {"answered_though_absent", "phantom_citations"},
    ),
    (Inflates, {"number_leaks", "citation_recall"}, {"facts_vital", "money_terms", "wrongly_refused"}),
    (
        OtherLevel,
        {"facts_vital", "number_leaks", "citation_precision", "money_level"},
        {"phantom_citations", "wrongly_refused"},
    ),
    (PhantomMarker, {"phantom_citations", "table_phantoms"}, {"facts_vital", "number_leaks", "citation_precision"}),
]


@pytest.mark.parametrize(("broken", "worse", "same"), CAUGHT, ids=[broken.__name__ for broken, _, _ in CAUGHT])
def test_a_broken_answerer_is_caught_by_its_metric(
    broken: type[StandIn], worse: set[str], same: set[str], samples: tuple[Sample, ...], honest: Run
) -> None:
    """The metrics meant for a fault say worse than the baseline, and those that are not meant for it do not."""
    made = measure(broken(), samples)
    verdicts = {c.metric.name: c.verdict for c in compare(made, honest.rows)}
    assert {name for name in worse if verdicts[name] == "worse"} == worse
    assert {name for name in same if verdicts.get(name) == "worse"} == set()


def test_a_broken_answerer_does_not_pass(samples: tuple[Sample, ...], honest: Run, tmp_path: Path) -> None:
    """A dropped region alone fails the gate, by the baseline and by the floor."""
    floors = tmp_path / "floors.toml"
    floors.write_text("[all]\nmoney_terms = 1.0\nfacts_vital = 1.0\n[table]\ntable_cell = 1.0\n", "utf-8")
    made = measure(DropsRegion(), samples)
    gates = failed_gates(compare(made, honest.rows), limits(made, floors))
    assert [gate.partition(": ")[0] for gate in gates] == [
        "Money with its terms",
        "Table cells",
        "Money with its terms (all)",
    ]
    assert failed_gates((), limits(honest.rows, floors)) == []


def test_lost_conversations_and_rewritten_questions_show(samples: tuple[Sample, ...]) -> None:
    """An answerer deaf to the conversation loses follow-ups, and one that rewrites what stands alone is found out."""
    values = _values(measure(Glues(), samples))
    assert values["follow_facts"] == 0.5
    assert values["follow_facts_hand"] == 1
    assert values["untouched"] < 1


def test_a_crash_is_a_failed_sample_and_the_run_goes_on(samples: tuple[Sample, ...], tmp_path: Path) -> None:
    """Failed is a state of its own: counted, gated, with its error, and no score of zero."""
    made = run(Crashes(), samples, tmp_path)
    (failed,) = [record for record in made.records if record.row.state == "failed"]
    assert "the diploma is lost" in failed.error
    assert failed.row.scores == {}
    assert _values(made.rows)["failed"] == 1
    assert {record.row.state for record in made.records} == {"scored", "refused", "failed"}


def test_two_runs_score_the_same(samples: tuple[Sample, ...], honest: Run, tmp_path: Path) -> None:
    """Nothing in a score depends on time, order or chance."""
    assert run(StandIn(), samples, tmp_path).rows == honest.rows


def test_a_cell_citation_must_hold_its_quote() -> None:
    """A quote that is not in its cell, an unknown passage and an empty quote are phantoms."""
    row = ROWS["Scotland", "Baker"]
    assert phantom(Citation(1, row, "£28–33K", Cell("Baker", "Senior")), WORLD.passages) == ""
    assert phantom(Citation(1, row, "£28–33K", Cell("Baker", "Junior")), WORLD.passages)
    assert phantom(Citation(1, row, "£28–33K", Cell("Cook", "Senior")), WORLD.passages)
    assert phantom(Citation(1, replace(row, id="elsewhere"), "£28–33K", Cell("Baker", "Senior")), WORLD.passages)
    assert phantom(Citation(1, DIPLOMA, "a diploma takes two years"), WORLD.passages)
    assert phantom(Citation(1, DIPLOMA, " "), WORLD.passages)


def _leaks(text: str, *citations: Citation, question: str = "?") -> float:
    answer = Answer(question, text, citations)
    return scoring.numbers(Sample("x.1", "direct", question), answer, WORLD).ratios.get("number_leaks", (0, 0))[0]


def test_figures_are_held_to_their_row_column_and_region() -> None:
    """The same citation vouches for its own role, level and region, and for no other."""
    cited = pay("Baker", "Senior", "Ships").citations[0]
    assert _leaks("A Senior Baker earns £33–38K on ships [1].", cited) == 0
    assert _leaks("A Senior Cook earns £33–38K on ships [1].", cited) == 1
    assert _leaks("A Junior Baker earns £33–38K on ships [1].", cited) == 1
    assert _leaks("A Senior Baker earns £33–38K in Scotland [1].", cited) == 1
    assert _leaks("It is £33–38K on ships [1].", cited, question="senior cook pay") == 1
    assert _leaks("A Senior Baker earns up to £38K on ships [1].", cited) == 0
    assert _leaks("A Senior Baker earns £33–38K on ships.", cited) == 1


def test_figures_of_a_table_are_held_to_its_headers() -> None:
    """In a table, row label and column header say what a figure is for, whichever way round the table stands."""
    senior, junior = (
        pay("Baker", "Senior", "Scotland").citations[0],
        replace(pay("Baker", "Junior", "Scotland").citations[0], number=2),
    )
    right = "| Level | Baker |\n| --- | --- |\n| Senior | £28–33K [1] |\n| Junior | £20–24K [2] |"
    swapped = "| Level | Baker |\n| --- | --- |\n| Junior | £28–33K [1] |\n| Senior | £20–24K [2] |"
    assert _leaks(right, senior, junior) == 0
    assert _leaks(swapped, senior, junior) == 2


def test_swapped_figures_in_one_sentence_leak() -> None:
    """Each part of a sentence answers for its own markers."""
    baker, cook = (
        pay("Baker", "Senior", "Scotland").citations[0],
        replace(pay("Cook", "Senior", "Scotland").citations[0], number=2),
    )
    assert _leaks("Senior Bakers earn £28–33K [1], and Senior Cooks £30–36K [2].", baker, cook) == 0
    assert _leaks("Senior Cooks earn £28–33K [1], and Senior Bakers £30–36K [2].", baker, cook) == 2


def test_what_the_reader_said_and_dates_are_no_leaks() -> None:
    """Years of experience may be said back, an amount may not; the date of a guide is no figure."""
    cited = Citation(1, DIPLOMA, DIPLOMA.text)
    assert (
        _leaks(
            "With your 6 years, a diploma takes 18 months [1], as of March 2025.", cited, question="6 years of baking"
        )
        == 0
    )
    assert _leaks("You earn £90K [1].", cited, question="do I earn £90K") == 1


def test_a_refusal_may_name_what_it_lacks_and_give_no_figure() -> None:
    """A number in the quoted name of what is missing is no figure; one that the refusal states is."""
    sample = Sample("x.1", "near-miss", "is 52 too old", decline=True)
    named = Answer("?", "The guide does not cover that: nothing on “work under age 18”.", declined=True)
    stated = Answer("?", "The guide does not say, but it is £90K.", declined=True)
    assert "number_leaks" not in scoring.numbers(sample, named, WORLD).ratios
    assert scoring.numbers(sample, stated, WORLD).ratios["number_leaks"] == (1, 1)


def test_money_terms_are_counted_one_by_one() -> None:
    """Currency and date are looked for in the whole answer; a bare sign is no currency."""
    answer = pay("Baker", "Senior", "Scotland")
    bare = replace(answer, text="A Senior Baker earns £28–33K in Scotland [1].")
    ratios = scoring.numbers(Sample("x.1", "direct", "?"), bare, WORLD).ratios
    assert {name: right for name, (right, _) in ratios.items() if name.startswith("money_")} == {
        "money_terms": 3, "money_role": 1, "money_level": 1, "money_region": 1, "money_currency": 0, "money_date": 0,
    }  # fmt: skip


def test_sentences_about_the_guides_are_no_claims() -> None:
    """Refusals, questions, intros and rules of tables need no citation; statements do."""
    text = (
        "The guide does not cover Germany. What they earn:\n\n- Baker: £28–33K [1]\n\n| Role | Pay |\n| --- | --- |\n"
        "| Cook | not in the guide |\n\nBakers start before dawn every day. Shall I go on?\n\n**Baker**\n\n"
        "*Figures as of March 2025.*"
    )
    assert [unit.text for unit in units(text) if unit.is_claim] == [
        "Baker: £28–33K [1]",
        "Bakers start before dawn every day.",
    ]


def test_a_marker_after_the_full_stop_belongs_to_its_sentence() -> None:
    """And short forms do not end a sentence."""
    found = units("Bread, e.g. rye, is baked. [1] Cooks vs. bakers is unfair. [2]")
    assert [(unit.text, unit.numbers) for unit in found] == [
        ("Bread, e.g. rye, is baked. [1]", (1,)),
        ("Cooks vs. bakers is unfair. [2]", (2,)),
    ]


def test_names_of_three_letters_need_capitals() -> None:
    """Lower-case "us" is a pronoun and "US" a country; plurals and aliases count."""
    names = Names({"role": ROLES, "level": LEVELS, "region": {**REGIONS, "United States": ("US",)}})
    assert names.find("region", "tell us what US bakers earn at sea") == ("United States", "Ships")
    assert names.find("region", "tell us") == ()
    assert names.find("role", "Chefs and bread makers") == ("Cook", "Baker")


def test_figures_are_read_without_dates_and_names() -> None:
    """A year, a date and a number in a product's name are no figures; written-out numbers are, where asked for."""
    assert figures("as of December 2025 and 2024–34, 2025-12-27, GPT-4") == ()
    assert [(f.low, f.high, f.unit) for f in figures("6–12 months, 34%, 4 of 5")] == [
        (6, 12, "month"),
        (34, 34, "%"),
        (4, 4, "/5"),
    ]
    assert [f.low for f in figures("six months", spelled=True)] == [6]


def test_retrieval_counts_each_label_once_at_its_first_hit() -> None:
    """R@5, MRR and nDCG of a known ranking; a missing label is a zero, a sample without labels has no score."""
    hits = tuple(
        Hit(passage, 0.5)
        for passage in (DIPLOMA, ROWS["Scotland", "Baker"], ROWS["Scotland", "Cook"], ROWS["Ships", "Cook"])
    )
    places = (
        ("kitchen.md#What kitchen jobs pay ashore",),
        ("kitchen.md#Gone", "kitchen.md#What kitchen jobs pay on ships"),
    )
    ratios = scoring.retrieval(hits, Sample("x.1", "direct", "?", labels=places)).ratios
    assert ratios["recall_5"] == (1, 1)
    assert ratios["mrr_10"] == (0.5, 1)
    assert ratios["ndcg_5"][0] == pytest.approx((1 / 1.5849625 + 1 / 2.3219281) / (1 + 1 / 1.5849625))
    assert scoring.retrieval(hits, Sample("x.1", "direct", "?")).ratios == {}
    assert scoring.retrieval((), Sample("x.1", "direct", "?", labels=places)).ratios["recall_5"] == (0, 1)


def test_profiles_small_talk_and_missing_parts() -> None:
    """The first role named is the pick, "undecided" wants a question, missing parts stand in list and text."""
    profile = Sample("x.1", "profile", "?", role=("Cook",))
    assert scoring.profile(profile, Answer("", "A **Cook** suits you, ahead of a Baker."), WORLD).ratios[
        "profile_role"
    ] == (1, 1)
    assert scoring.profile(profile, Answer("", "A Baker suits you, ahead of a Cook."), WORLD).ratios[
        "profile_role"
    ] == (0, 1)
    open_ended = replace(profile, role=("undecided",))
    assert scoring.profile(open_ended, Answer("", "Do you like heat?"), WORLD).ratios["profile_role"] == (1, 1)
    hello = Sample("x.1", "small-talk", "hi")
    assert scoring.refusals(hello, Answer("", "Hello!"), WORLD).ratios["small_talk"] == (1, 1)
    assert scoring.refusals(hello, Answer("", "No.", declined=True), WORLD).ratios["small_talk"] == (0, 1)
    partial = Sample("x.1", "partial", "?", missing=(("Germany", "Berlin"),))
    said = Answer("", "Berlin is not covered.", missing=("Berlin",))
    assert scoring.refusals(partial, said, WORLD).ratios["missing_named"] == (1, 1)
    assert scoring.refusals(partial, replace(said, text="Not covered."), WORLD).ratios["missing_named"] == (0, 1)


def test_rows_are_selected_by_set_split_and_kind(honest: Run) -> None:
    """`all` means golden; a name that is no set is an error, so that no floor is silently skipped."""
    assert len(select(honest.rows, "all")) == len(GOLDEN)
    assert len(select(honest.rows, "table")) == 24
    assert len(select(honest.rows, "near-miss")) == 2
    with pytest.raises(ValueError, match="no split and no kind"):
        select(honest.rows, "near-mist")
