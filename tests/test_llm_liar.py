"""How many lies the guard catches and how much of the truth it lets through, over every line and cell of the guides."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import small_guide

from advisor import corpus
from advisor.citations import NOT_FOUND, Bound, bind
from advisor.types import Draft, Evidence, Passage
from advisor.vocabulary import Vocabulary
from evals import lies
from evals.lies import Sentence

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@pytest.fixture(scope="module", params=["small", "corpus"])
def guides(request: pytest.FixtureRequest) -> tuple[tuple[Passage, ...], Vocabulary]:
    """Passages and vocabulary: of the small guide, and of all that is shipped."""
    if request.param == "small":
        return small_guide.PASSAGES, small_guide.VOCABULARY
    read = corpus.read(CORPUS)
    return read.passages, Vocabulary.read(CORPUS, read.guides, read.passages)


def checked(sentence: Sentence, vocabulary: Vocabulary) -> Bound:
    """What the guard makes of a sentence that a model said."""
    draft = Draft(sentence.text, tuple(Evidence(p) for p in sentence.passages), by_model=True)
    return bind(draft, sentence.question, vocabulary)


def missed(
    told: Iterable[Sentence], vocabulary: Vocabulary, caught: Callable[[Sentence, Bound], bool]
) -> tuple[float, list[str]]:
    """Share of lies that got through, and some of them."""
    count, through = 0, []
    for lie in told:
        count += 1
        bound = checked(lie, vocabulary)
        if not caught(lie, bound):
            through.append(f"{lie.text} -> {bound.text}")
    assert count, "nobody lied"
    return len(through) / count, through[:10]


def gone(lie: Sentence, bound: Bound) -> bool:
    """The figure is not shown."""
    return not lies.said(lie.lie, bound.text)


def test_true_sentences_stay(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """At most one in a hundred true sentences loses anything, and nearly all keep a citation."""
    passages, vocabulary = guides
    share, lost = missed(lies.true(passages), vocabulary, lambda _, bound: not bound.removed)
    assert share <= 0.01, lost


def test_wrong_figures_are_caught(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """A number that no passage holds never stays."""
    passages, vocabulary = guides
    share, through = missed(lies.wrong_figures(passages, random.Random(4711)), vocabulary, gone)
    assert share <= 0.01, through


def test_wrong_dates_are_caught(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """A day or a year that no passage holds never stays either."""
    passages, vocabulary = guides
    told = tuple(lies.wrong_dates(passages, random.Random(4711)))
    share, through = missed(told, vocabulary, gone) if told else (0.0, [])
    assert share <= 0.01, through


def test_figures_borrowed_from_the_same_table_are_caught(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """The right figure of the wrong row or column: the model had that row before it, and misplaced the value."""
    passages, vocabulary = guides
    share, through = missed(lies.borrowed_figures(passages), vocabulary, gone)
    assert share <= 0.01, through


@pytest.mark.parametrize("kind", ["roles", "levels", "regions"])
def test_figures_of_another_role_level_or_region_are_caught(
    guides: tuple[tuple[Passage, ...], Vocabulary], kind: str
) -> None:
    """The right figure under the wrong name."""
    passages, vocabulary = guides
    share, through = missed(lies.wrong_names(passages, vocabulary, kind), vocabulary, gone)
    assert share <= 0.01, through


def test_every_phantom_marker_is_caught(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """None is shown, all are counted."""
    passages, vocabulary = guides

    def caught(lie: Sentence, bound: Bound) -> bool:
        numbers = {f"[{c.number}]" for c in bound.citations}
        return lie.lie not in bound.text.replace("".join(numbers), "") and "marker" in {r.kind for r in bound.removed}

    share, through = missed(lies.phantoms(passages), vocabulary, caught)
    assert share == 0, through


def test_unsupported_sentences_are_shown_as_such(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """What no passage carries is marked, and has no citation."""
    passages, vocabulary = guides
    roles = list(vocabulary.roles)
    share, through = missed(
        lies.unsupported(passages, roles), vocabulary, lambda _, b: NOT_FOUND in b.text and not b.citations
    )
    assert share <= 0.01, through


def test_answers_to_what_is_not_covered_are_no_answers(guides: tuple[tuple[Passage, ...], Vocabulary]) -> None:
    """True and cited, and beside the question: treated as a refusal."""
    passages, vocabulary = guides
    share, through = missed(lies.off_question(passages), vocabulary, lambda _, bound: not bound.answers)
    assert share <= 0.05, through
