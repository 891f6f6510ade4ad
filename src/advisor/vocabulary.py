"""The words of a corpus: which roles, levels, regions and topics it names, and what people type for them.

They are data: the front matter of the guides, their tables, and `vocabulary.yaml` in the corpus folder. What every
English corpus shares (`senior`, `remote`, `salary`) stands in `english.yaml` beside this module and is used where
the corpus says nothing of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from advisor.errors import VocabularyError
from advisor.types import Guide, Passage
from advisor.words import stem, tokens

FILE = "vocabulary.yaml"
KINDS = ("roles", "levels", "regions", "topics")
_SHORTEST_PREFIX = 3
_TEXTS_KEPT = 8192
"""Texts whose mentions are remembered: passages and labels are read again with every question."""


_Alias = tuple[tuple[str, ...], str, str, str]
"""Stems, kind, canonical name, and how it must be typed where that matters."""
_Aliases = dict[str, list[_Alias]]
"""By the stem of their first word."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name of the vocabulary found in a text: tokens `start` to `end` (exclusive)."""

    kind: str
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Slots:
    """What a text names, canonical and in order of appearance."""

    roles: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.roles or self.levels or self.regions or self.topics)


@dataclass(frozen=True)
class Vocabulary:
    """Canonical names and their aliases, and where they occur in a text."""

    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", self._indexed())
        object.__setattr__(self, "_found", lru_cache(maxsize=_TEXTS_KEPT)(self._mentions))

    @classmethod
    def of(cls, **kinds: Mapping[str, Iterable[str]]) -> Vocabulary:
        """A vocabulary from plain mappings; a kind left out keeps the words of `english.yaml`."""
        given = {kind: {name: tuple(aliases) for name, aliases in names.items()} for kind, names in kinds.items()}
        return cls(**{kind: given.get(kind) or _english(kind) for kind in KINDS})

    @classmethod
    def read(cls, folder: Path, guides: Iterable[Guide], passages: Iterable[Passage]) -> Vocabulary:
        """The vocabulary of a corpus.

        Raises:
            VocabularyError: `vocabulary.yaml` is malformed; names file and line.
        """
        path = folder / FILE
        given = load(path) if path.is_file() else {}
        named = [role for guide in guides for role in guide.roles] or list(_labels(passages))
        roles = {**{role: () for role in named if not given.get("roles")}, **given.get("roles", {})}
        return cls.of(**{**given, "roles": roles})

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """Every name in the text, longest first where two overlap; one alias may name several things."""
        return self._found(text)  # type: ignore[attr-defined, no-any-return]

    def _mentions(self, text: str) -> tuple[Mention, ...]:
        index: _Aliases = self._index  # type: ignore[attr-defined]
        words = tokens(text)
        stemmed = tuple(map(stem, words))
        found: list[Mention] = []
        end = 0
        for at, first in enumerate(stemmed):
            if at >= end and (aliases := index.get(first)):
                length, names = _longest(aliases, words[at:], stemmed[at:], text)
                found.extend(Mention(kind, name, at, at + length) for kind, name in names)
                end = at + length
        return tuple(found)

    def slots(self, text: str) -> Slots:
        """What the text names."""
        return slots(self.mentions(text))

    def _indexed(self) -> _Aliases:
        """Aliases by the stem of their first word; a short form that is a common word must be typed in capitals."""
        index: _Aliases = {}
        for kind in KINDS:
            for name, aliases in getattr(self, kind).items():
                every = [name, *aliases, *(made for a in (name, *aliases) for made in _made(a) if kind == "roles")]
                for alias in dict.fromkeys(every):
                    words = tuple(stem(word) for word in tokens(alias))
                    exact = alias if alias.isupper() and alias.lower() in stop_words() else ""
                    if words:
                        index.setdefault(words[0], []).append((words, kind, name, exact))
        return index


def _longest(
    aliases: Sequence[_Alias], words: Sequence[str], stemmed: tuple[str, ...], text: str
) -> tuple[int, list[tuple[str, str]]]:
    """How many of the words the longest alias takes that they begin with, and what it names."""
    best, names = 0, list[tuple[str, str]]()
    for alias, kind, name, exact in aliases:
        size = len(alias)
        if size < best or size > len(words) or not _agree(alias, words[size - 1], stemmed[:size]):
            continue
        if exact and exact not in text:
            continue
        if size > best:
            best, names = size, []
        if (kind, name) not in names:
            names.append((kind, name))
    return best, names


def slots(mentions: Iterable[Mention]) -> Slots:
    """Mentions by kind, each name once."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
    for mention in mentions:
        found[mention.kind][mention.name] = None
    return Slots(**{kind: tuple(names) for kind, names in found.items()})


def _agree(alias: tuple[str, ...], typed: str, stemmed: tuple[str, ...]) -> bool:
    """Whether words, by their stems, are the alias; the last one, as typed, may be cut short, as in `data eng`."""
    if alias == stemmed:
        return True
    cut = len(alias) > 1 and len(typed) >= _SHORTEST_PREFIX and alias[-1].startswith(typed)
    return cut and alias[:-1] == stemmed[:-1]


def _made(role: str) -> list[str]:
    """Short forms that follow from a role's name: initials, the field it works in, spelled-out abbreviations."""
    words = role.split()
    if len(words) < 2:
        return []
    made = []
    initials = "".join(word if word.isupper() else word[0] for word in words).upper()
    if len(initials) > 1 and initials.isalpha() and not (len(initials) < 3 and initials.lower() in stop_words()):
        made.append(initials)
    fields = english()["fields"]
    if words[-1].lower() in fields:
        made.append(" ".join([*words[:-1], fields[words[-1].lower()]]))
    spelled = [english()["abbreviations"].get(word, word) for word in words]
    if spelled != words:
        long = " ".join(spelled)
        made += [long, *_made(long)]
    return made


def _labels(passages: Iterable[Passage]) -> list[str]:
    """What a corpus without a word on its roles compares: labels of two tables or more that headings name too."""
    seen: Counter[str] = Counter()
    headings: set[str] = set()
    tables: dict[str, dict[str, None]] = {}
    for passage in passages:
        headings.update(h.casefold() for h in passage.headings)
        if passage.kind == "row":
            labels = [passage.cells[0][1], *(header for header, _ in passage.cells[1:])]
            tables.setdefault(passage.table, {}).update(dict.fromkeys(labels))
    for named in tables.values():
        seen.update(list(named))
    return [
        label
        for label, count in seen.items()
        if count > 1 and label[:1].isupper() and " " in label and any(label.casefold() in h for h in headings)
    ]


@cache
def english() -> dict[str, Any]:
    """The language's own words: `stop`, `levels`, `regions`, `topics`, `fields`, `abbreviations` and the rest."""
    text = resources.files("advisor").joinpath("english.yaml").read_text(encoding="utf-8")
    return dict(_yaml(text))


@cache
def stop_words() -> frozenset[str]:
    """Words that carry a question but not its subject."""
    return frozenset(word for line in english()["stop"] for word in line.split())


@cache
def foreign_words() -> frozenset[str]:
    """Function words of other languages that are no English words."""
    return frozenset(word for line in english()["foreign"] for word in line.split()) - stop_words()


def _english(kind: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(aliases) for name, aliases in english().get(kind, {}).items()}


def _yaml(text: str) -> Any:
    import yaml

    return yaml.load(text, Loader=_loader())  # noqa: S506 (a safe loader, either way)  # nosec B506


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """A vocabulary file: for each of roles, levels, regions and topics, canonical names with lists of aliases.

    Raises:
        VocabularyError: not YAML, an unknown kind, or aliases that are no list of words; names file and line.
    """
    import yaml

    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_loader())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise VocabularyError(f"{path.name}:{mark.line + 1 if mark else 1}: not valid YAML.") from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise VocabularyError(f"{path.name}:1: must be `kind:` lines ({', '.join(KINDS)}) with names below.")
    problems: list[str] = []
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for key, value in root.value:
        if key.value not in KINDS:
            known = ", ".join(KINDS)
            problems.append(f"{path.name}:{key.start_mark.line + 1}: unknown kind {key.value!r}; use {known}.")
        elif not isinstance(value, yaml.MappingNode):
            problems.append(f"{path.name}:{key.start_mark.line + 1}: {key.value} must hold `name: [alias, ...]` lines.")
        else:
            found[key.value] = dict(_names(path.name, value, problems))
    if problems:
        raise VocabularyError(*problems)
    return found


def _names(file: str, node: Any, problems: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    import yaml

    names: list[tuple[str, tuple[str, ...]]] = []
    for key, value in node.value:
        line = key.start_mark.line + 1
        aliases = value.value if isinstance(value, yaml.SequenceNode) else None
        if aliases is None or not all(isinstance(alias, yaml.ScalarNode) for alias in aliases):
            problems.append(f"{file}:{line}: {key.value} must have a list of aliases, such as [{key.value.lower()}].")
        elif any(name == key.value for name, _ in names):
            problems.append(f"{file}:{line}: {key.value} stands here twice.")
        else:
            names.append((key.value, tuple(str(alias.value) for alias in aliases)))
    return names
