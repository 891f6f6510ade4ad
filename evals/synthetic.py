"""A larger corpus of Markdown guides, made out of the guides there are: the same sentences and tables, other words.

Each generated guide takes sentences, rows and items from everywhere in the source guides and exchanges the names of
roles, most of the content words and every digit for others, by a mapping of its own. Words come from the embedding
model's own word list, the commoner the oftener. Guide n is the same whatever the size of the corpus, so that a larger
corpus holds a smaller one, and vectors can be kept from one to the next.
"""

from __future__ import annotations

import math
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor import corpus, embed
from advisor.types import Passage
from advisor.vocabulary import FILE, Vocabulary, stop_words

SEED = 20261123
GUIDE = 250
"""Passages of a generated guide."""
_ITEMS = 3
_ROWS = 5
_ROLES = 3
_CHANGED = 0.6
"""Share of the content words that are exchanged."""
_MIX = (("paragraph", 60), ("row", 6), ("list", 7), ("steps", 3))
"""How often each kind of block comes; a table brings five rows."""
_SHIFT = 200
_SECTION = 8
"""Blocks under one heading."""
_KINDS_OF_ROLE = ("Engineer", "Analyst", "Scientist", "Designer", "Manager", "Technician", "Planner", "Inspector")
_GENERATED = "generated-"
_ROLES_LINE = re.compile(r"^roles: \[(.+)\]$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]{4,}")
_MARKS = re.compile(r"\[\^[^\]]+\]|\[([^\]]*)\]\([^)]*\)|[*_`|<>#]")


@dataclass(frozen=True, slots=True)
class Material:
    """What guides are made of."""

    sentences: tuple[str, ...]
    items: tuple[str, ...]
    intros: tuple[str, ...]
    """Lines that introduce a list."""
    headings: tuple[str, ...]
    tables: tuple[tuple[Passage, ...], ...]
    names: tuple[str, ...]
    """Roles, levels and regions of the source guides, the longest first."""
    roles: frozenset[str]
    words: tuple[str, ...]
    """Words to put in, the commonest first."""

    @classmethod
    def read(cls, source: Path, model: str) -> Material:
        """The material that a folder of guides gives, with the words of a packaged model's tokenizer."""
        read = corpus.read(source)
        vocabulary = Vocabulary.read(source, read.guides, read.passages)
        tables: dict[str, list[Passage]] = {}
        for passage in read.passages:
            if passage.table:
                tables.setdefault(passage.table, []).append(passage)
        told = [p for p in read.passages if p.kind == "paragraph"]
        listed = [p for p in read.passages if p.kind in ("list", "steps")]
        named = {*vocabulary.roles, *vocabulary.levels, *vocabulary.regions}
        return cls(
            tuple(dict.fromkeys(_bare(line) for p in told for line in p.lines)),
            tuple(dict.fromkeys(_bare(line) for p in listed for line in p.lines if line != p.intro)),
            tuple(dict.fromkeys(_bare(p.intro) for p in listed if p.intro.endswith(":"))) or ("In short:",),
            tuple(dict.fromkeys(_bare(p.headings[-1]) for p in read.passages)),
            tuple(tuple(rows) for rows in tables.values() if len(rows[0].cells) > 1),
            tuple(sorted(named, key=lambda name: (-len(name), name))),
            frozenset(vocabulary.roles),
            _words(model),
        )


def write(folder: Path, source: Path, passages: int, model: str = "all-MiniLM-L6-v2") -> None:
    """Make a corpus of so many passages.

    The source guides are among them with all that stands beside them, unless they alone are more than that. Guides
    that were generated before stay as they are, the source guides are always those of today.
    """
    held = len(corpus.read(source).passages)
    left = passages - held if held <= passages else passages
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{_GENERATED}*.md")):
        material = Material.read(source, model)
        taken = {_initials(role) for role in material.roles}
        for number in range(-(-left // GUIDE)):
            text = _Guide(number, material, taken).text(min(left - number * GUIDE, GUIDE))
            (folder / f"{_GENERATED}{number:04}.md").write_text(text, "utf-8")
    if held <= passages:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    known = (folder / FILE).read_text("utf-8") if held <= passages and (source / FILE).is_file() else "roles:\n"
    said = (path.read_text("utf-8") for path in sorted(folder.glob(f"{_GENERATED}*.md")))
    roles = dict.fromkeys(role for text in said for role in _ROLES_LINE.search(text)[1].split(", "))  # type: ignore[index]
    head, _, rest = known.partition("roles:\n")
    lines = "".join(f"  {role}: []\n" for role in roles)
    (folder / FILE).write_text(f"{head}roles:\n{lines}{rest}", "utf-8")


class _Guide:
    """One generated guide with its own mapping of words."""

    def __init__(self, number: int, material: Material, taken: set[str]) -> None:
        self.random = random.Random(f"{SEED} {number}")
        self.number = number
        self.material = material
        self.changed: dict[str, str] = {}
        self.roles = [self._role(taken) for _ in range(_ROLES)]
        self.pattern = re.compile("|".join(rf"\b{re.escape(name)}(?:s\b|\b)" for name in material.names) or r"(?!)")

    def text(self, passages: int) -> str:
        """Its Markdown, of exactly so many passages."""
        blocks = self._blocks(passages)
        role = self.roles[0]
        title = f"The work of a {role}"
        front = f"---\ntitle: {title}\nas_of: 2026-{self.number % 12 + 1:02}-01\nregion: United States\ncurrency: USD\n"
        return f"{front}roles: [{', '.join(self.roles)}]\n---\n\n# {title}\n\n" + "\n\n".join(blocks) + "\n"

    def _blocks(self, passages: int) -> Iterator[str]:
        told = iter(self.random.sample(self.material.sentences, len(self.material.sentences)))
        heads = iter(self.random.sample(self.material.headings, len(self.material.headings)))
        kinds, weights = zip(*_MIX, strict=True)
        at = 0
        while passages > 0:
            if at % _SECTION == 0:
                yield f"## {self._changed(next(heads, f'More on this, part {at}'))}"
            kind = self.random.choices(kinds, weights)[0]
            if kind == "row":
                rows = self._rows(min(_ROWS, passages))
                yield "\n".join(rows)
                passages -= len(rows) - 2
            elif kind == "paragraph":
                yield self._changed(next(told, self.random.choice(self.material.sentences)))
                passages -= 1
            else:
                items = [self._changed(item) for item in self.random.sample(self.material.items, _ITEMS)]
                marks = ("1.", "2.", "3.") if kind == "steps" else ("-",) * _ITEMS
                intro = self._changed(self.random.choice(self.material.intros))
                yield "\n".join([intro, "", *(f"{m} {item}" for m, item in zip(marks, items, strict=True))])
                passages -= 1
            at += 1

    def _rows(self, most: int) -> list[str]:
        table = self.random.choice(self.material.tables)
        chosen = self.random.sample(table, min(most, len(table)))
        header = [self._changed(_bare(name)) or "Name" for name, _ in table[0].cells]
        body = [[self._changed(_bare(value)) for _, value in row.cells] for row in chosen]
        return [_row(header), _row(["---"] * len(header)), *map(_row, body)]

    def _role(self, taken: set[str]) -> str:
        while True:
            first, second = (self._word().title() for _ in range(2))
            role = f"{first} {second} {self.random.choice(_KINDS_OF_ROLE)}"
            if _initials(role) not in taken:
                return role

    def _word(self) -> str:
        """A word of the list, the commoner the oftener: Zipf's law with Mandelbrot's shift."""
        words = self.material.words
        return words[int(_SHIFT * math.exp(self.random.random() * math.log(len(words) / _SHIFT + 1)) - _SHIFT)]

    def _changed(self, text: str) -> str:
        text = self.pattern.sub(self._name, text)
        text = re.sub(r"\d", lambda digit: str(self.random.randint(1, 9)), text)
        return _WORD.sub(self._other, text)

    def _name(self, found: re.Match[str]) -> str:
        name = found[0].removesuffix("s")
        return found[0].replace(name, self.random.choice(self.roles)) if name in self.material.roles else found[0]

    def _other(self, found: re.Match[str]) -> str:
        word = found[0]
        low = word.lower()
        if low in stop_words() or any(word in role for role in self.roles):
            return word
        if low not in self.changed:
            self.changed[low] = self._word() if self.random.random() < _CHANGED else low
        other = self.changed[low]
        return word if other == low else other.title() if word[0].isupper() else other


def _bare(text: str) -> str:
    """A line as plain words: no links, footnotes or emphasis."""
    return " ".join(_MARKS.sub(lambda mark: mark[1] or " ", text).split())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _initials(role: str) -> str:
    return "".join(word[0] for word in role.split()).upper()


def _words(model: str) -> tuple[str, ...]:
    """The whole words of a model's tokenizer, the commonest first, as far as their numbers tell."""
    from tokenizers import Tokenizer

    held = Tokenizer.from_file(str(Path(embed.weights(model)) / "tokenizer.json")).get_vocab()
    ordered = sorted(held, key=held.__getitem__)
    return tuple(w for w in ordered if len(w) > 3 and w.isascii() and w.isalpha() and w not in stop_words())
