"""Names and aliases: what people type for the roles, levels, regions and topics of a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import corpus
from advisor.errors import VocabularyError
from advisor.vocabulary import Slots, Vocabulary, load
from tests.conftest import ROOT, SMALL, write

KITCHEN = Vocabulary.of(
    roles={"Pastry Chef": ("baker",), "ML Cook": (), "Sous Chef": ()},
    levels={"Senior": ("sr", "experienced")},
    regions={"United States": ("US", "america"), "At sea": ("on ships",)},
    topics={"pay": ("salary", "earn")},
)


def ours() -> Vocabulary:
    """The vocabulary of the guides of this repository."""
    read = corpus.read(ROOT / "corpus")
    return Vocabulary.read(ROOT / "corpus", read.guides, read.passages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("senior mle remote", Slots(("ML Engineer",), ("Senior",), ("Remote",))),
        ("Senior AI eng salary?", Slots(("AI Engineer",), ("Senior",), (), ("pay",))),
        ("what do DATA SCIENTISTS earn in the US", Slots(("Data Scientist",), (), ("United States",), ("pay",))),
        ("ds vs aie", Slots(("Data Scientist", "AI Engineer"))),
        ("machine learning engineer wfh", Slots(("ML Engineer",), (), ("Remote",))),
        ("is data science dying", Slots(("Data Scientist",))),
        ("how do I become a nurse", Slots()),
        ("", Slots()),
    ],
)
def test_slots_of_our_guides(text: str, expected: Slots) -> None:
    """What careless questions name is found, canonical and in order of appearance."""
    assert ours().slots(text) == expected


def test_pronouns_are_no_countries() -> None:
    """`us` is a word and `US` a country."""
    assert KITCHEN.slots("tell us about pay").regions == ()
    assert KITCHEN.slots("pay in the US").regions == ("United States",)


def test_the_longest_name_wins() -> None:
    """A role whose name holds another word of the vocabulary is found as a whole."""
    mentions = KITCHEN.mentions("an experienced pastry chef on ships")
    assert [(m.kind, m.name) for m in mentions] == [
        ("levels", "Senior"),
        ("roles", "Pastry Chef"),
        ("regions", "At sea"),
    ]
    assert (mentions[1].start, mentions[1].end) == (2, 4)


@pytest.mark.parametrize("typed", ["PC", "pastry chefs", "Pastry-Chef", "baker's", "pastry che"])
def test_short_forms_follow_from_a_name(typed: str) -> None:
    """Initials, plurals, hyphens, possessives and a cut-off last word need not be listed."""
    assert KITCHEN.slots(f"{typed} pay").roles == ("Pastry Chef",)


def test_one_alias_may_name_two_things() -> None:
    """An ambiguous short form names everything that it stands for."""
    both = Vocabulary.of(roles={"Sous Chef": (), "Station Cook": ("sc",)})
    assert set(both.slots("sc pay").roles) == {"Sous Chef", "Station Cook"}


def test_kinds_left_out_are_plain_english() -> None:
    """A corpus that says nothing of levels and regions understands the usual words for them."""
    plain = Vocabulary.of(roles={"Cook": ()})
    slots = plain.slots("junior cook salary in germany")
    assert (slots.levels, slots.regions, slots.topics) == (("Entry",), ("Germany",), ("pay",))


def test_roles_come_from_the_guides(tmp_path: Path) -> None:
    """Without a vocabulary file the roles are those that front matter names."""
    write(tmp_path, SMALL)
    read = corpus.read(tmp_path)
    assert list(Vocabulary.read(tmp_path, read.guides, read.passages).roles) == [
        "AI Engineer",
        "ML Engineer",
        "Data Scientist",
    ]


def test_roles_come_from_tables_where_nothing_names_them(tmp_path: Path) -> None:
    """A plain article's roles are the labels that its tables share and its headings name."""
    rows = "| Job | Pay |\n|--|--|\n| Pastry Chef | €1 |\n| Line Cook | €2 |\n"
    write(
        tmp_path,
        {"a.md": f"# Pastry Chef or Line Cook?\n\n## Pay\n\n{rows}\n## Hours\n\n{rows.replace('Pay', 'Hours')}"},
    )
    read = corpus.read(tmp_path)
    assert list(Vocabulary.read(tmp_path, read.guides, read.passages).roles) == ["Pastry Chef", "Line Cook"]


def test_a_vocabulary_file_is_read(tmp_path: Path) -> None:
    """Names come with their aliases, and an empty list of aliases is fine."""
    path = tmp_path / "vocabulary.yaml"
    path.write_text("roles:\n  Cook: [chef, 86]\n  Baker: []\n")
    assert load(path) == {"roles": {"Cook": ("chef", "86"), "Baker": ()}}
    path.write_text("# nothing yet\n")
    assert load(path) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("roles: [Cook]\n", "vocabulary.yaml:1: roles must hold"),
        ("roles:\n  Cook: chef\n", "vocabulary.yaml:2: Cook must have a list of aliases"),
        ("roles:\n  Cook:\n", "vocabulary.yaml:2: Cook must have a list of aliases"),
        ("roles:\n  Cook: []\n  Cook: []\n", "vocabulary.yaml:3: Cook stands here twice"),
        ("rolls:\n  Cook: []\n", "vocabulary.yaml:1: unknown kind 'rolls'"),
        ("roles:\n  Cook: [chef\n", "not valid YAML"),
        ("- Cook\n", "vocabulary.yaml:1: must be"),
        ("roles:\n  Cook: [{a: b}]\n", "vocabulary.yaml:2: Cook must have a list"),
    ],
)
def test_a_bad_vocabulary_file_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """Whoever edited the file is told where to look and what belongs there."""
    path = tmp_path / "vocabulary.yaml"
    path.write_text(text)
    with pytest.raises(VocabularyError) as raised:
        load(path)
    assert said in str(raised.value)


def test_every_fault_of_a_vocabulary_file_is_told_at_once(tmp_path: Path) -> None:
    """Nobody has to run it five times to hear of five faults."""
    path = tmp_path / "vocabulary.yaml"
    path.write_text("rolls: {}\nroles:\n  Cook: chef\n")
    with pytest.raises(VocabularyError) as raised:
        load(path)
    assert len(raised.value.problems) == 2
