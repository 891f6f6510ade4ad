"""What is learned from the ways of asking: questions land nearer to what they ask for, the same on every machine."""

from __future__ import annotations

import numpy as np

from advisor import Advisor, Turn, index
from advisor.embed import adapter
from advisor.store import vectors
from tests.conftest import Setup

SECTIONS, WAYS, MEANT, DIMENSIONS = 60, 40, 8, 48


def speech() -> tuple[np.ndarray, list[int], list[int]]:
    """Ways of asking for sections: what is meant lies in a few directions, how it is said in many louder ones."""
    draw = np.random.default_rng(1)
    meant = np.repeat(draw.normal(size=(SECTIONS, MEANT)), WAYS, axis=0)
    manner = 1.2 * draw.normal(size=(SECTIONS * WAYS, DIMENSIONS - MEANT))
    every = np.hstack([meant, manner]).astype(np.float32)
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    return every, np.repeat(np.arange(SECTIONS), WAYS).tolist(), list(range(len(every)))


def right(every: np.ndarray, of: list[int], questions: list[int], known: list[int], matrix: np.ndarray | None) -> float:
    """The share of questions whose nearest known way asks for the same section."""
    near = adapter.adapted(every[questions], matrix) @ every[known].T
    return float(np.mean(np.array(of)[known][near.argmax(axis=1)] == np.array(of)[questions]))


def test_questions_nobody_wrote_down_come_nearer() -> None:
    """Ways that were not learned from find their section more often than without the map."""
    every, of, asked = speech()
    held_out, known = asked[::4], [n for n in asked if n % 4]
    matrix = adapter.learn(every[known], [of[n] for n in known], list(range(len(known))))
    before, after = (right(every, of, held_out, known, each) for each in (None, matrix))
    assert after > before + 0.03


def test_the_map_is_the_same_each_time() -> None:
    """Nothing random is left: an index built twice adapts questions alike."""
    first, second = (adapter.learn(*speech()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.allclose(first, second, atol=1e-5)


def test_adapted_vectors_have_length_one() -> None:
    """One vector and several keep their length, and without a map they stay as they are."""
    every, of, asked = speech()
    matrix = adapter.learn(every, of, asked)
    assert np.allclose(np.linalg.norm(adapter.adapted(every, matrix), axis=1), 1, atol=1e-5)
    assert np.allclose(adapter.adapted(every[0], matrix), adapter.adapted(every, matrix)[0], atol=1e-6)
    assert adapter.adapted(every, None) is every


def test_too_few_ways_teach_nothing() -> None:
    """A handful of ways gives no map, nor do guides without any."""
    every, of, asked = speech()
    assert adapter.learn(every, of, asked[: adapter.FEWEST - 1]) is None
    assert adapter.learn(every[:0], [], []) is None


def test_the_map_lies_in_the_index(setup: Setup) -> None:
    """Guides with enough ways of asking have one in their index, read back as it was learned; others have none."""
    jobs = [f"Job {letter}" for letter in "ABCDEFGHIJ"]
    told = (f"## What a {job} does\n\nA {job} does {n} things.\n\n" for n, job in enumerate(jobs))
    guide = "# Jobs\n\n" + "".join(told)
    ways = "".join(
        f'"What a {job} does":\n' + "".join(f"  - what is {job} number {n} for\n" for n in range(25)) for job in jobs
    )
    settings = setup({"jobs.md": guide, "jobs.asked.yaml": ways})
    index.ingest(settings)
    opened = index.Index.open(settings)
    assert opened.adapter is not None
    assert opened.adapter.shape == (384, 384)
    assert np.abs(opened.adapter).max() > 0
    plain = setup({"jobs.md": guide})
    index.ingest(plain)
    assert index.Index.open(plain).adapter is None


def test_a_chroma_collection_keeps_a_matrix() -> None:
    """A server keeps the map row by row and gives it back in order; an empty collection stands for none."""
    import chromadb

    client = chromadb.EphemeralClient()
    matrix = np.random.default_rng(0).normal(size=(384, 384)).astype(np.float32)
    for name, kept in (("with-a-matrix", matrix), ("without-one", None)):
        vectors.keep(client, name, kept)
    assert np.allclose(vectors.rows(client.get_collection("with-a-matrix", embedding_function=None)), matrix)
    assert len(vectors.rows(client.get_collection("without-one", embedding_function=None))) == 0


def test_profiles_are_understood_by_what_a_life_looks_like(ours: Advisor) -> None:
    """Somebody who uses none of the criteria's words is ranked, and told which lines of the guides speak for it."""
    told = "ten years sysadmin, i like pipelines that run without anyone noticing and hate statistics. what am i?"
    answer = ours.ask(told)
    assert "**Data Engineer" in answer.text.splitlines()[0]
    assert all(citation.quote.startswith("You ") for citation in answer.citations[:1])


def test_what_an_answer_does_not_speak_of_is_named(ours: Advisor) -> None:
    """A place beside two covered ones, and a certificate's maker beside a covered one, are said to be missing."""
    for question, name in (
        ("mid level ai engineer pay: us hubs, remote, and india?", "India"),
        ("months till job ready as ml engineer and as data engineer", "Data Engineer"),
    ):
        answer = ours.ask(question)
        assert not answer.declined, question
        assert name in answer.missing, (question, answer.missing)
        assert f"nothing about {name}" in answer.text, answer.text


def test_a_criteria_list_of_one_item_counts(setup: Setup) -> None:
    """A role with a single reason can be ranked first, in guides where no ways of saying it are written down."""
    lists = "".join(
        f"## Choose {role} if\n\nChoose {role} if:\n\n{items}\n"
        for role, items in (
            ("Chef", "- You love cooking over fire for many guests\n"),
            ("Baker", "- You like early mornings\n- You enjoy dough and patience\n"),
            ("Waiter", "- You like talking with guests\n- You stay friendly under stress\n"),
        )
    )
    guide = f"---\ntitle: Jobs\nroles: [Chef, Baker, Waiter]\n---\n\n# Jobs\n\n{lists}"
    settings = setup({"jobs.md": guide})
    index.ingest(settings)
    answer = Advisor.open(settings).ask("i love cooking over fire for many guests. which role fits me best?")
    assert "**Chef**" in answer.text.splitlines()[0]


def test_a_question_about_another_role_is_not_taken_for_a_follow_up(ours: Advisor) -> None:
    """What stands alone stays as it is, also when it is short and names nothing but a role; a bare role does not."""
    turns = [Turn("senior AI engineer salary in the US?", "AI Engineer: $220–280K [1]")]
    for question in ("what is an ML engineer?", "tell me about data engineers", "I am a data analyst"):
        assert ours.standalone(question, turns) == question
    assert "ML Engineer" in ours.standalone("and mle?", turns)
    assert "salary" in ours.standalone("and mle?", turns)


def test_what_other_passages_tell_is_not_called_missing(ours: Advisor) -> None:
    """A role that some passage speaks of in the question's words is never said to be in no guide."""
    answer = ours.ask("do Research Scientists need maths")
    assert "Research Scientist" not in answer.missing
