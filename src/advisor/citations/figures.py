"""Figures in running text: money, percentages, durations, ratings, counts and years, however they are written.

`$160–220K`, `160k to 220k USD`, `between $160,000 and $220,000` and `a hundred and sixty to two hundred and twenty
thousand dollars` are one figure. Dates, list numbers, numbers inside names (`GPT-4`, `AZ-900`, `H-1B`) and small
spelled-out counts (`three roles`) are none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Sort = Literal["money", "scaled", "percent", "duration", "rating", "times", "count", "year"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or range with its unit; `start` and `end` are its place in the text."""

    sort: Sort
    low: float
    high: float
    unit: str
    """Currency code of money ("" when not said), "months", "days" or "hours" of a duration."""
    bare: bool
    """No word follows it: a cell such as `4–7` under a header that says what it counts."""
    start: int
    end: int
    size: float = 1
    """How many of `unit` the number as written counts: 12 for years in months."""

    @property
    def single(self) -> bool:
        """Whether it is one number, not a range."""
        return self.low == self.high


_CURRENCIES = {"$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR",
               "£": "GBP", "gbp": "GBP", "pound": "GBP", "¥": "JPY", "₹": "INR", "inr": "INR", "chf": "CHF",
               "cad": "CAD", "aud": "AUD", "rupee": "INR", "buck": "USD"}  # fmt: skip
_SCALES = {"k": 1e3, "thousand": 1e3, "grand": 1e3, "lakh": 1e5, "m": 1e6, "mn": 1e6, "mil": 1e6, "million": 1e6,
           "b": 1e9, "bn": 1e9, "billion": 1e9}  # fmt: skip
_UNITS = {"year": ("months", 12), "yr": ("months", 12), "yoe": ("months", 12), "month": ("months", 1),
          "mo": ("months", 1), "week": ("days", 7), "wk": ("days", 7), "day": ("days", 1), "hour": ("hours", 1),
          "hr": ("hours", 1), "h": ("hours", 1), "minute": ("hours", 1 / 60), "min": ("hours", 1 / 60),
          "figure": ("digits", 1)}  # fmt: skip

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve "
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS: dict[str, int] = {word: n for n, word in enumerate(_ONES.split())}
_WORDS |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_NAMED = "|".join(sorted(_WORDS, key=len, reverse=True))
NUMBER_WORDS = tuple(_WORDS)
_POWER = "hundred|dozen|thousand|million|billion"
_SPELLED = re.compile(
    rf"\b(?:half an?(?= (?:{_POWER}))|an? (?:hundred|dozen)|an?(?= (?:thousand|million|billion))|(?:{_NAMED}))\b"
    rf"(?:(?:[\s-]+|\s+and\s+)(?:{_NAMED}|hundred|dozen)\b)*",
    re.IGNORECASE,
)
_SPELLED_PROSE = 12
"""Whole numbers up to this one, spelled out and without a unit, are prose ("the three roles")."""

_CURRENCY = r"(?:US\$|[$€£¥₹]|(?:USD|EUR|GBP|INR|CHF|CAD|AUD)\b)"
_NUMBER = r"\d+(?:[,\u2009\u00a0']\d{3})*(?:\.\d+)?"
_SCALE = r"(?:\s?(?:thousand|million|billion|grand|lakh|bn|mn|mil|k|m|b)(?![A-Za-z]))"
_DASH = r"(?:\s*(?:-|‐|‑|–|—|−|~|→)\s*|\s+(?:to|through|till|until|or)\s+|\s*-to-\s*)"
_UNIT = (
    r"(?:[\s-]*(?:(?:full|calendar|more|working|straight|solid|focused|additional)\s+)?"
    r"(?:years?|yrs?|yoe|months?|mos?|weeks?|wks?|days?|hours?|hrs?|h|minutes?|mins?)(?![A-Za-z])|-figures?\b)"
)
_FIGURE = re.compile(
    rf"(?P<between>\bbetween\s+)?(?P<cur1>{_CURRENCY}\s?)?(?<![\w.])(?<![A-Za-z]-)(?<!\d[:/])"
    rf"(?P<n1>{_NUMBER})(?P<s1>{_SCALE})?(?P<p1>\s?%)?(?P<u1>{_UNIT})?"
    rf"(?:(?P<dash>{_DASH}|(?(between)\s+and\s+|(?!)))(?P<cur2>{_CURRENCY}\s?)?(?P<n2>{_NUMBER})(?P<s2>{_SCALE})?)?"
    rf"(?P<plus>\s?\+)?"
    r"(?P<percent>\s?%|\s?percent(?:age)?(?: points?)?\b|\s?per cent\b)?"
    rf"(?P<unit>{_UNIT})?"
    r"(?P<cur3>[\s-]?(?:USD|EUR|GBP|INR|CHF|CAD|AUD|dollars?|euros?|pounds?|rupees?|bucks)\b)?"
    r"(?P<times>\s?x\b|[\s-](?:times|fold)\b)?"
    r"(?P<rating>\s?(?:of|out of|/)\s?\d+(?![\d,%]|\.\d)|[\s-]stars?\b)?",
    re.IGNORECASE,
)
_HEADER_UNIT = re.compile(r"\b(?:years?|months?|weeks?|days?|hours?|minutes?|USD|EUR|GBP|percent)\b|%", re.IGNORECASE)
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]*\.?"
_DATE = re.compile(
    rf"\b(?:\d{{4}}-\d\d(?:-\d\d)?|(?:\d{{1,2}}\s+)?{_MONTHS}\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s+)?(?:19|20)\d\d"
    rf"|{_MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:st|nd|rd|th)\b)(?![\dA-Za-z])"
)
_STANDING = re.compile(r"(?<![\w.])(?<![A-Za-z]-)\d+(?=(?:st|nd|rd|th)?(?![\w%]|[.,]\d))")
_LABEL = re.compile(
    r"(?:\b(?:step|option|phase|stage|part|passage|section|tier|chapter|no|point|question)\.?\s|#\s?)$", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_STARS = re.compile(r"[⭐★☆]\ufe0f?(?:[⭐★☆]\ufe0f?)*")


@lru_cache(maxsize=4096)
def figures(text: str) -> tuple[Figure, ...]:
    """Every figure of the text, in order."""
    copy, origin, spelled = _readable(text)
    dates = [found.span() for found in _DATE.finditer(copy)]
    found = []
    at = 0
    while match := _FIGURE.search(copy, at):
        at = match.end()
        if any(start <= match.start("n1") < end for start, end in dates):
            at = next(end for start, end in dates if start <= match.start("n1") < end)
        elif figure := _figure(match, copy, match.start("n1") in spelled):
            sort, low, high, unit, bare, size = figure
            first = match.start("cur1") if match["cur1"] else match.start("n1")
            found.append(Figure(sort, low, high, unit, bare, origin[first], origin[match.end() - 1] + 1, size))
    return (*found, *_starred(text))


def same(claimed: Figure, held: Figure) -> bool:
    """Whether the guide's figure is the one that is claimed, or has it as one of its ends."""
    if not _comparable(claimed, held):
        return False
    # A number under a header that says its unit was written without one.
    size = held.size if claimed.sort == "count" else 1
    low, high = held.low / size, held.high / size
    return (claimed.low, claimed.high) == (low, high) or (
        claimed.single and claimed.sort != "rating" and claimed.low in (low, high)
    )


def _comparable(claimed: Figure, held: Figure) -> bool:
    if claimed.sort == held.sort:
        return claimed.unit == held.unit or (claimed.sort == "money" and "" in (claimed.unit, held.unit))
    if {claimed.sort, held.sort} in ({"money", "scaled"}, {"scaled", "count"}):
        return True
    return claimed.sort == "count" and claimed.bare and held.sort == "duration"


def with_unit(value: str, header: str) -> str:
    """The value of a table's cell with the unit that its header says, where the value itself has none."""
    unit = _HEADER_UNIT.search(header)
    if unit and all(f.sort == "count" and f.bare for f in figures(value)):
        return f"{value} {unit.group()}"
    return value


def others(text: str) -> tuple[Figure, ...]:
    """Numbers that are no figures and still can be wrong: days and years of dates, ordinals."""
    copy, origin, spelled = _readable(text)
    taken = [(f.start, f.end) for f in figures(text) if f.sort != "year"]
    found = []
    for match in _STANDING.finditer(copy):
        start, end = origin[match.start()], origin[match.end() - 1] + 1
        label = match.start() in spelled or _LABEL.search(copy[: match.start()])
        if not label and not any(a <= start < b for a, b in taken):
            found.append(Figure("count", float(match.group()), float(match.group()), "", True, start, end))
    return tuple(found)


@lru_cache(maxsize=4096)
def written(text: str) -> frozenset[float]:
    """Every whole number that a text writes in digits."""
    return frozenset(map(float, re.findall(r"\d+", _readable(text)[0])))


def _figure(match: re.Match[str], copy: str, spelled: bool) -> tuple[Sort, float, float, str, bool, float] | None:
    before, after = copy[: match.start("n1")], copy[match.end() :]
    if re.match(r"[A-Za-z]|[-–]?\d", after) or _LABEL.search(before):
        return None
    if spelled and float(match["n1"]) == 1 and match["n2"] is None and not match["s1"]:
        return None  # "one year on" and "one of" are prose
    low, high = _ends(match)
    bare = not re.match(r"[\s*_]*[A-Za-z]", after)
    sort, size, unit = _sort(match)
    if sort == "count" and spelled and high <= _SPELLED_PROSE:
        return None
    if sort == "rating":
        top = re.search(r"\d+", match["rating"])
        high = float(top.group()) if top else 5.0
    if sort == "year":
        high = low
    return sort, low * size, high * size, unit, bare, size


def _sort(match: re.Match[str]) -> tuple[Sort, float, str]:
    """What is counted, how much one of it is, and in which unit."""
    currency = next((match[name] for name in ("cur1", "cur2", "cur3") if match[name]), "")
    unit = match["unit"] or match["u1"]
    if currency:
        return "money", 1, _CURRENCIES[currency.strip(" -").lower().removesuffix("s")]
    if unit:
        name, size = _UNITS[unit.split()[-1].strip(" -").lower().rstrip("s")]
        return "duration", size, name
    year = _YEAR.fullmatch(match["n1"]) and not match["plus"]
    sorts: tuple[tuple[object, Sort], ...] = (
        (match["percent"] or match["p1"], "percent"),
        (match["times"], "times"),
        (match["s1"] or match["s2"], "scaled"),
        (match["rating"], "rating"),
        (year, "year"),
    )
    return next((sort for seen, sort in sorts if seen), "count"), 1, ""


def _ends(match: re.Match[str]) -> tuple[float, float]:
    """Both ends in full: `160–220K` lends its K to the first, `1.2–1.5M` too."""
    low = float(re.sub(r"[^\d.]", "", match["n1"]))
    scale1, scale2 = _scale(match["s1"]), _scale(match["s2"])
    if match["n2"] is None:
        return low * scale1, low * scale1
    high = float(re.sub(r"[^\d.]", "", match["n2"]))
    if not match["s1"] and low <= high:
        scale1 = scale2
    return low * scale1, high * (scale2 if match["s2"] or not match["s1"] or high > 999 else scale1)


def _scale(written: str | None) -> float:
    return _SCALES[written.strip().lower()] if written else 1.0


def _starred(text: str) -> list[Figure]:
    return [
        Figure("rating", float(len(re.findall("[⭐★]", run.group()))), 5.0, "", True, run.start(), run.end())
        for run in _STARS.finditer(text)
    ]


def _readable(text: str) -> tuple[str, list[int], set[int]]:
    """The text without emphasis, digits plain, number words as digits; where each sign came from; which were words."""
    signs: list[str] = []
    origin: list[int] = []
    for at, sign in enumerate(text):
        if sign in "*_`~\\" or unicodedata.category(sign) == "Cf":
            continue
        signs.append(_plain(sign))
        origin.append(at)
    copy = "".join(signs)
    spelled: set[int] = set()
    for match in reversed(list(_SPELLED.finditer(copy))):
        # Two signs at least, so that the first and the last can remember where the words began and ended.
        digits = f"{_value(match.group()):g}".rjust(2, "0")
        copy = copy[: match.start()] + digits + copy[match.end() :]
        width = match.end() - match.start()
        places = [origin[match.start()]] * (len(digits) - 1) + [origin[match.end() - 1]]
        spelled = {at + len(digits) - width for at in spelled} | {match.start()}
        origin[match.start() : match.end()] = places
    return copy, origin, spelled


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if unicodedata.category(sign) == "Nd":
        return str(unicodedata.digit(sign))
    # Full-width signs stand for their ASCII ones; anything that would change the length stays.
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 else sign


def _value(words: str) -> float:
    """The value of number words up to the hundreds; thousands and more stay words and are read as a scale."""
    value = 0.0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word == "half":
            return 0.5
        if word in ("a", "an"):
            value = 1.0
        elif word in _WORDS:
            value += _WORDS[word]
        elif word != "and":
            value = (value or 1) * (100 if word == "hundred" else 12)
    return value
