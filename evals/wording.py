"""When two texts say the same: case, dashes, ranges, units, Markdown do not matter. Shares no code with the product."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

MARKER = re.compile(r"\[(\d{1,3})\](?!\()")
"""A citation marker in an answer, `[3]`."""

_SPACED_MARKER = re.compile(r"\s*" + MARKER.pattern)
_SIGNS = str.maketrans({**dict.fromkeys("‐‑‒–—―−", "-"), "’": "'", "‘": "'", "“": '"', "”": '"', "×": "x"})
_MARKDOWN = [
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # a link reads as its words
    (re.compile(r"\[\^[^\]]+\]"), ""),
    (re.compile(r"<https?://[^>]*>|</?[a-z][^>]*>", re.IGNORECASE), " "),
    (re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)"), ""),
    (re.compile(r"\|"), " "),
]
_UNITS = {
    "month": r"months?|mos?\b\.?|mths?",
    "year": r"years?|yrs?\b\.?",
    "week": r"weeks?|wks?\b\.?",
    "day": r"days?",
    "hour": r"hours?|hrs?\b\.?",
    "%": r"percent|per cent|pct",
}
_NUMBER = r"\d+(?:\.\d+)?"
_SCALE = {"k": 1e3, "m": 1e6, "bn": 1e9, "b": 1e9}
_MONEY_RANGE = re.compile(
    rf"([$€£])\s?({_NUMBER})\s?(k|m|bn|b)?(\+?)\s*(?:-|\bto\b)\s*(?:[$€£]\s?)?({_NUMBER})\s?(k|m|bn|b)?(?!\w|\.\d)"
)
_MONEY = re.compile(rf"([$€£])\s?({_NUMBER})\s?(k|m|bn|b)\b")
_SHORT_THOUSANDS = re.compile(rf"(?<![\w.$€£-])({_NUMBER})\s?k\b")
_CURRENCY_WORD = re.compile(rf"\b(?:us\$|usd\s*\$?)\s*(?={_NUMBER})")


def _plain(number: float) -> str:
    return f"{number:.10g}" if number < 1e9 else str(int(number))


def _scaled(digits: str, suffix: str | None) -> float:
    return round(float(digits) * _SCALE.get(suffix or "", 1), 4)


def _money_range(found: re.Match[str]) -> str:
    sign, low, low_scale, _, high, high_scale = found.groups()
    top = _scaled(high, high_scale)
    # "$160-220K": the scale at the end holds for both ends; "$900-1.2M" does not exist in that reading
    bottom = _scaled(low, low_scale or (high_scale if float(low) <= float(high) else None))
    return f"{sign}{_plain(bottom)}-{_plain(top)}"


def without_marks(text: str) -> str:
    """The words a reader sees: no Markdown, no citation markers, no footnote marks."""
    for pattern, kept in _MARKDOWN[:1]:
        text = pattern.sub(kept, text)
    text = _SPACED_MARKER.sub("", text)
    for pattern, kept in _MARKDOWN[1:]:
        text = pattern.sub(kept, text)
    return text


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """One spelling for texts that say the same: `$160K to $220K` and `$160–220K` both become `$160000-220000`."""
    text = unicodedata.normalize("NFKC", without_marks(text)).translate(_SIGNS).casefold()
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _CURRENCY_WORD.sub("$", text)
    text = re.sub(r"\bbetween ([$€£]?\d[^ ]*) and (?=[$€£]?\d)", r"\1-", text)
    text = _MONEY_RANGE.sub(_money_range, text)
    text = _MONEY.sub(lambda found: found[1] + _plain(_scaled(found[2], found[3])), text)
    text = _SHORT_THOUSANDS.sub(lambda found: _plain(_scaled(found[1], "k")), text)
    for unit, forms in _UNITS.items():
        text = re.sub(rf"(?<=\d)(\+?)[\s-]*(?:{forms})(?![a-z])", rf"\1 {unit}" if unit != "%" else r"\1%", text)
    text = re.sub(rf"({_NUMBER})\s*%?\s*(?:-|\bto\b)\s*({_NUMBER})", r"\1-\2", text)
    text = re.sub(rf"(?<![\d.-])({_NUMBER}) (month|year|week|day|hour)(?:-| to )({_NUMBER}) \2\b", r"\1-\3 \2", text)
    text = re.sub(r"\b(\d{1,2})\s*(?:out of|of|/)\s*(5|10)\b(?!\d)", r"\1/\2", text)
    text = re.sub(r"(?<=\d) %", "%", text)
    text = re.sub(r"(?<=[a-z])[-/](?=[a-z])", " ", text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", "", text)
    text = re.sub(r"[,;:!?()\"\[\]{}…•]", " ", text)
    text = re.sub(r"(?<![\w])'|'(?!\w)", "", text)
    return " ".join(text.split())


def says(text: str, form: str) -> bool:
    """Whether a text holds a form as whole words; one end of a range is not the range."""
    haystack, needle = folded(text), folded(form)
    return bool(needle) and _as_words(needle).search(haystack) is not None


@lru_cache(maxsize=20_000)
def _as_words(needle: str) -> re.Pattern[str]:
    before = r"(?<![\w.])" if needle[0].isalnum() else ""
    after = r"(?!\w)" if needle[-1].isalnum() or needle[-1] == "%" else ""
    if needle[0].isdigit():
        before = r"(?<![\w.])(?<!\d-)(?<![a-z]\d/)"
    elif needle[0] in "$€£":
        before = r"(?<!\d-)"
    if needle[-1].isdigit():
        after = r"(?![\w%])(?!\.\d)(?!-\d)(?!/\d)"
    elif needle[-1].isalpha():
        after = r"(?![\w+#])"
    return re.compile(before + re.escape(needle) + after)


def says_any(text: str, forms: tuple[str, ...]) -> bool:
    """Whether a text holds one of the acceptable forms."""
    return any(says(text, form) for form in forms)


_STOP = frozenset(
    {"a", "about", "above", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
     "been", "before", "being", "below", "between", "both", "but", "by", "can", "could", "did", "do", "does",
     "doing", "done", "down", "during", "each", "either", "else", "ever", "few", "for", "from", "further", "get",
     "gets", "give", "given", "gives", "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his",
     "how", "i", "if", "in", "into", "is", "it", "its", "itself", "just", "let", "like", "made", "make", "makes",
     "many", "may", "me", "might", "more", "most", "much", "must", "my", "no", "nor", "not", "of", "off", "often",
     "on", "once", "one", "only", "or", "other", "our", "out", "over", "own", "per", "rather", "same", "say", "says",
     "she", "should", "so", "some", "still", "such", "than", "that", "the", "their", "them", "then", "there",
     "these", "they", "this", "those", "though", "through", "to", "too", "under", "until", "up", "upon", "us", "use",
     "used", "uses", "using", "usually", "very", "was", "way", "we", "well", "were", "what", "when", "where",
     "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "would", "you", "your",
     "yours"}
)  # fmt: skip


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word)) if len(word) > 3 else word


@lru_cache(maxsize=50_000)
def words(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning, and the figures as they read when folded."""
    tokens = re.findall(r"[$€£]?\d[\d.%/+-]*|[^\W\d_]+(?:[+#]+|'[a-z]+)?", folded(text))
    return frozenset(_stem(token.removesuffix("'s")) for token in tokens if token not in _STOP)
