"""Figures of an answer: held by a cited passage for the same role, level and region, and money with its terms.

Shares no code with the product's own guard (only its lists of names), else it could not catch its faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from advisor.types import Answer, Citation, Passage
from evals.units import Unit
from evals.wording import folded, says, without_marks

SLOTS = ("role", "level", "region")
_FIGURE = re.compile(
    r"(?<![\w.])(?<![a-z]-)(?P<sign>[$€£]?)(?P<low>\d+(?:\.\d+)?)(?:-(?P<high>\d+(?:\.\d+)?))?\+?"
    r"(?P<unit>%|/(?:5|10)\b|\s?(?:month|year|week|day|hour)\b)?(?![\w])"
)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}(?:-\d{{2}})?\b|\b(?:\d{{1,2}} )?(?:{_MONTH}) (?:\d{{1,2}} )?(?:19|20)\d\d\b"
    r"|(?<![\d$€£.-])(?:19|20)\d\d(?:-(?:19|20)?\d\d)?(?![\d%/.-]|\s?(?:month|year|week|day|hour))"
)
_CAPITALS = re.compile(r"\b[A-Z]{2,3}s?\b|\b(?:[A-Z]\.){2,3}")
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNT_WORDS = {word: str(n) for n, word in enumerate(_WORDS, 2)}
_CURRENCIES = {
    "USD": ("usd", "us dollars", "us dollar", "us$"),
    "EUR": ("eur", "euro", "euros"),
    "GBP": ("gbp", "pounds", "pound sterling"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or range with its unit."""

    sign: str
    low: float
    high: float
    unit: str

    @property
    def is_money(self) -> bool:
        """Whether it is an amount of money."""
        return bool(self.sign)

    def held_by(self, other: Figure) -> bool:
        """Whether the other figure says this one: the same, or one end of that range; a unit may be in a header."""
        if self.sign != other.sign or (self.unit and other.unit and self.unit != other.unit):
            return False
        if self.low == self.high:
            return self.low in (other.low, other.high)
        return (self.low, self.high) == (other.low, other.high)


@lru_cache(maxsize=50_000)
def figures(text: str, spelled: bool = False) -> tuple[Figure, ...]:
    """The figures of a text without its dates; `spelled` reads "six months" as one, too."""
    plain = folded(text)
    if spelled:
        plain = re.sub(rf"\b({'|'.join(_COUNT_WORDS)})\b", lambda found: _COUNT_WORDS[found[1]], plain)
        plain = folded(plain)
    plain = DATE.sub(" ", plain)
    return tuple(
        Figure(found["sign"], float(found["low"]), float(found["high"] or found["low"]), (found["unit"] or "").strip())
        for found in _FIGURE.finditer(plain)
    )


class Names:
    """Finds canonical roles, levels and regions in a text; the names are the product's data, the search is its own."""

    def __init__(self, kinds: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._canonical: dict[str, dict[str, str]] = {}
        self._pattern: dict[str, re.Pattern[str] | None] = {}
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        for kind, names in kinds.items():
            forms = {form: name for name, aliases in names.items() for form in map(folded, (name, *aliases)) if form}
            longest_first = sorted(forms, key=len, reverse=True)
            joined = "|".join(re.escape(form) for form in longest_first)
            self._canonical[kind] = forms
            self._pattern[kind] = re.compile(rf"(?<![\w])({joined})s?(?![\w])") if forms else None

    def find(self, kind: str, text: str) -> tuple[str, ...]:
        """Canonical names of a kind (role, level, region) in a text, in order, each once."""
        if (kind, text) not in self._found:
            self._found[kind, text] = self._find(kind, text)
        return self._found[kind, text]

    def _find(self, kind: str, text: str) -> tuple[str, ...]:
        pattern = self._pattern.get(kind)
        if pattern is None:
            return ()
        capitals = {folded(word.removesuffix("s")) for word in _CAPITALS.findall(text)}
        found = [match[1] for match in pattern.finditer(folded(text))]
        # names of up to three letters count only as capitals: "us" is a pronoun, "US" a country
        kept = [form for form in found if len(form) > 3 or form in capitals]
        return tuple(dict.fromkeys(self._canonical[kind][form] for form in kept))


def scope(kind: str, citation: Citation, names: Names) -> tuple[str, ...]:
    """What role, level or region a citation's words hold for; the nearest mention wins, empty when nothing says."""
    passage, cell = citation.passage, citation.cell
    line = (_sentence_of if kind == "role" else _line_of)(passage, citation.quote)
    own = [f"{cell.row} | {cell.column}"] if cell else [citation.quote, line]
    # an intro says which levels a table or ladder runs through, not which one a figure is for
    around = ([] if kind == "level" else [passage.intro]) + list(reversed(passage.headings))
    for number, place in enumerate((*own, *around)):
        found = names.find(kind, place)
        if kind == "level" and len(found) > 1:
            return ()
        # a heading over several roles does not say which of them a row or line is about
        if found and (number < len(own) or kind != "role" or len(found) == 1):
            return _specific(found, passage) if kind == "region" else found
    return ()


def scope_of_figure(kind: str, citation: Citation, names: Names) -> tuple[str, ...]:
    """As `scope`, and where nothing else says, a figure holds for its guide's region."""
    found = scope(kind, citation, names)
    return found or (names.find(kind, citation.passage.region) if kind == "region" else ())


def _line_of(passage: Passage, quote: str) -> str:
    return next((line for line in passage.text.splitlines() if quote and quote in line), quote)


def _sentence_of(passage: Passage, quote: str) -> str:
    """The sentence that a quote is part of: what the one after it is about says nothing of its figures."""
    pieces = re.split(r"(?<=[.!?])\s+(?=[A-Z])", _line_of(passage, quote))
    return next((piece for piece in pieces if quote and quote in piece), quote)


def _specific(regions: tuple[str, ...], passage: Passage) -> tuple[str, ...]:
    """Without the guide's own region, where a narrower one is named beside it."""
    return tuple(region for region in regions if region != passage.region) or regions


def named(kind: str, unit: Unit, names: Names, quote: str = "", behind: Iterable[str] = ()) -> tuple[str, ...]:
    """What role, level or region a unit speaks of: its own words, else what it stands under, else what lies behind it.

    The words of a quoted cell are what is said, not what it is said of ("Closest role: ML Engineer").
    """
    for place in (_without(unit.text, quote), " | ".join(_without(place, quote) for place in unit.around), *behind):
        if found := names.find(kind, place):
            return found
    return ()


def _without(text: str, quote: str) -> str:
    return without_marks(text).replace(without_marks(quote), " ") if quote else text


def agrees(unit: Unit, citation: Citation, names: Names) -> bool:
    """Whether a citation's words are of the role, level and region that a claim names, as far as both name one."""
    quote = citation.quote if citation.cell else ""
    return all(
        _meet(named(kind, unit, names, quote), scope(kind, citation, names), kind, citation.passage) for kind in SLOTS
    )


def figure_agrees(unit: Unit, citation: Citation, names: Names, answer: Answer, is_money: bool) -> bool:
    """The same for a figure, which inherits what it does not name.

    Role and level come from the question, an amount's region from the answer, else the question.
    """
    from_answer = (answer.text, answer.question) if is_money else ()
    for kind in SLOTS:
        behind = from_answer if kind == "region" else (answer.question,)
        if not _meet(
            named(kind, unit, names, "", behind), scope_of_figure(kind, citation, names), kind, citation.passage
        ):
            return False
    return True


def _meet(spoken: tuple[str, ...], held: tuple[str, ...], kind: str, passage: Passage) -> bool:
    if kind == "region" and len(spoken) > 1 and passage.region not in held:
        spoken = _specific(spoken, passage)
    return not held or not spoken or bool(set(held) & set(spoken))


def holds(figure: Figure, citation: Citation) -> bool:
    """Whether the words that a citation quotes hold a figure (for a list or paragraph, its line)."""
    line = citation.quote if citation.cell else _line_of(citation.passage, citation.quote)
    cell = f" {citation.cell.row} {citation.cell.column}" if citation.cell else ""
    texts = (citation.quote, line + cell, *citation.passage.headings[-1:])
    return any(figure.held_by(other) for text in texts for other in figures(text, True))


def leaks(unit: Unit, cited: Mapping[int, Citation], names: Names, answer: Answer, said: str) -> Iterator[str]:
    """Each figure of a unit that no citation of it holds for the same role, level and region; `said` by the reader."""
    typed = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", folded(said))}
    for part in unit.segments:
        for figure, written in zip(figures(part.text), _written(part.text), strict=True):
            # a person's own "6 years" may be said back to them, an amount only in a refusal
            if {figure.low, figure.high} <= typed and (answer.declined or not figure.is_money):
                continue
            carried = [cited[number] for number in part.numbers or unit.numbers if number in cited]
            if not any(
                holds(figure, citation) and figure_agrees(part, citation, names, answer, figure.is_money)
                for citation in carried
            ):
                yield written


def _written(text: str) -> list[str]:
    return [found.group().strip() for found in _FIGURE.finditer(DATE.sub(" ", folded(text)))]


def money_terms(unit: Unit, cited: Mapping[int, Citation], names: Names, whole: str) -> Iterator[tuple[str, bool]]:
    """For each amount of a unit, each term it must carry (role, level, region, currency, date) and whether it is named.

    A term is due where the cited passage has it. Role, level and region must be named at the amount, what it stands
    under, or as the only such name of the answer; currency and date anywhere in the answer.
    """
    for part in unit.segments:
        for figure in figures(part.text):
            if not figure.is_money:
                continue
            carried = [cited[number] for number in part.numbers or unit.numbers if number in cited]
            citation = next(
                (citation for citation in carried if holds(figure, citation)), carried[0] if carried else None
            )
            if citation is None:
                continue
            for kind in SLOTS:
                if due := scope_of_figure(kind, citation, names):
                    yield kind, _is_named(kind, due, part, names, whole)
            if citation.passage.currency:
                yield "currency", says_currency(whole, citation.passage.currency)
            if citation.passage.as_of:
                yield "date", says_date(whole, citation)


def _is_named(kind: str, due: tuple[str, ...], part: Unit, names: Names, whole: str) -> bool:
    near = names.find(kind, " | ".join((part.text, *part.around)))
    everywhere = names.find(kind, whole)
    return bool(set(due) & set(near)) or (bool(set(due) & set(everywhere)) and not set(near) - set(due))


def says_currency(text: str, currency: str) -> bool:
    """Whether a text names a currency by its code or its name; a bare sign is used in many countries."""
    plain = " ".join(text.split()).casefold()
    return any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", plain) for form in _CURRENCIES.get(currency, ())) or (
        re.search(rf"(?<!\w){re.escape(currency.casefold())}(?![a-z])", plain) is not None
        or (currency == "USD" and "us$" in plain)
    )


def says_date(text: str, citation: Citation) -> bool:
    """Whether a text names the guide's month and year, or a date that the cited passage gives for its figures."""
    year, _, month = citation.passage.as_of[:7].partition("-")
    forms = [citation.passage.as_of, f"{year}-{month}"]
    if month.isdigit() and 1 <= int(month) <= 12:
        name = _MONTHS[int(month) - 1]
        forms += [f"{name} {year}", f"{name[:3]} {year}"]
    if any(says(text, form) for form in forms):
        return True
    passage = citation.passage
    own = " ".join((passage.text, passage.intro, citation.cell.column if citation.cell else ""))
    dates = {found.group() for found in DATE.finditer(folded(own))} - {year}
    return any(re.search(rf"(?<![\d-]){re.escape(date)}(?![\d-])", folded(text)) for date in dates)
