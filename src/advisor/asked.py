"""What people ask, as data beside the guides: ways to ask for a section, and what no guide answers.

`<guide>.asked.yaml` maps a heading of that guide, or one item of its lists, to other ways of asking for it (for an item
of a list "Choose X if": of saying it of oneself); they are embedded with the section
(document expansion, as in Nogueira et al., "Document Expansion by Query Prediction", 2019, but written by people).
`not-covered.yaml` maps the name of a gap to ways of asking for it, so that a near miss can be told from a hit.
Both are optional, and neither is ever quoted or cited.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from advisor.errors import CorpusError
from advisor.types import Guide, Passage
from advisor.words import slug

SUFFIX = ".asked.yaml"
GAPS = "not-covered.yaml"
Ways = dict[tuple[str, str], tuple[str, ...]]
"""Ways of asking by guide path and heading or line."""


def read(folder: Path, guides: Iterable[Guide], passages: Iterable[Passage]) -> Ways:
    """The ways of asking that stand beside the guides.

    Raises:
        CorpusError: a file is malformed, or names a heading that its guide does not have; names file and line.
    """
    known = {(p.source, text) for p in passages for text in (*p.headings, *(p.lines if p.kind == "list" else ()))}
    found: Ways = {}
    problems: list[str] = []
    for guide in guides:
        path = (folder / guide.source).with_suffix(SUFFIX)
        for heading, ways, line in _entries(path):
            if (guide.source, heading) not in known:
                problems.append(f"{path.name}:{line}: {guide.source} has no heading and no item of a list “{heading}”.")
            found[guide.source, heading] = ways
    if problems:
        raise CorpusError(*problems)
    return found


def gaps(folder: Path) -> tuple[Passage, ...]:
    """What the guides do not cover, each a pseudo passage whose lines are ways to ask for it.

    Raises:
        CorpusError: the file is malformed; names file and line.
    """
    return tuple(
        Passage(f"{GAPS}#{slug(name)}", "\n".join(ways), GAPS, (name,), line, line, kind="gap")
        for name, ways, line in _entries(folder / GAPS)
    )


def _entries(path: Path) -> list[tuple[str, tuple[str, ...], int]]:
    """Name, list and line of each entry of a file; none when there is no such file."""
    if not path.is_file():
        return []
    import yaml

    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(f"{path.name}:{mark.line + 1 if mark else 1}: not valid YAML.") from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise CorpusError(f"{path.name}:1: must hold `name: [way of asking, ...]` lines.")
    return [_entry(path, key, value) for key, value in root.value]


def _entry(path: Path, key: Any, value: Any) -> tuple[str, tuple[str, ...], int]:
    import yaml

    line = key.start_mark.line + 1
    if not isinstance(value, yaml.SequenceNode) or not all(isinstance(way, yaml.ScalarNode) for way in value.value):
        raise CorpusError(f"{path.name}:{line}: “{key.value}” must have a list of ways to ask.")
    return str(key.value), tuple(str(way.value) for way in value.value), line
