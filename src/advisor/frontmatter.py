"""What a guide says of itself between two `---` lines: title, date, region, currency, roles, questions to start with.

The lines are YAML, but only its words are taken: nothing is built from them, so that neither a date that does not exist
nor a value that unfolds into gigabytes does more than be named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from advisor.errors import CorpusError

_DATES = ("as_of", "updatedDate", "updated", "date", "pubDate", "published")
_DAY = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[Tt\s].*)?)?")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The values that mean something here, each empty where the guide does not say."""

    title: str = ""
    as_of: str = ""
    region: str = ""
    currency: str = ""
    roles: tuple[str, ...] = ()
    starters: tuple[str, ...] = ()


def read(text: str, source: str, first: int = 2) -> FrontMatter:
    """The front matter whose YAML is given, `first` being its first line's number in the file.

    Raises:
        CorpusError: it is not YAML, holds no `name: value` lines, or a date that does not exist; names file and line.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + first if mark else 1
        raise CorpusError(f"{source}:{line}: the front matter is not valid YAML.") from error
    if root is None:
        return FrontMatter()
    if not isinstance(root, yaml.MappingNode):
        raise CorpusError(f"{source}:{first}: the front matter must be `name: value` lines.")
    given = {str(key.value): value for key, value in root.value if isinstance(key, yaml.ScalarNode)}
    return FrontMatter(
        title=_word(given.get("title")),
        as_of=_day(given, source, first),
        region=_word(given.get("region")),
        currency=_word(given.get("currency")),
        roles=_words(given.get("roles")),
        starters=_words(given.get("starters")),
    )


def _word(node: Any) -> str:
    """A single value as it was typed; nothing for a list, a mapping or `null`."""
    import yaml

    plain = isinstance(node, yaml.ScalarNode) and not node.tag.endswith(":null")
    return " ".join(str(node.value).split()) if plain else ""


def _words(node: Any) -> tuple[str, ...]:
    import yaml

    return tuple(filter(None, map(_word, node.value))) if isinstance(node, yaml.SequenceNode) else ()


def _day(given: dict[str, Any], source: str, first: int) -> str:
    """The first date there is, as `2025-12-27` or `2025-12`; what is no date in figures is passed over."""
    for name in _DATES:
        said = _word(given.get(name))
        found = _DAY.fullmatch(said)
        if not found:
            continue
        year, month, day = (int(part or 1) for part in found.groups())
        try:
            iso = date(year, month, day).isoformat()
        except ValueError as error:
            line = given[name].start_mark.line + first
            raise CorpusError(f"{source}:{line}: {name}: {said} is not a date there is ({error}).") from error
        return iso if found[3] else iso[:7]
    return ""
