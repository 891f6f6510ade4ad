"""What an answer may contain besides words: no HTML, no images, no links, no addresses that the guides do not hold."""

from __future__ import annotations

import html
import re
import unicodedata

_TAG = re.compile(
    r"<(?:!--.{0,2000}?-->|(script|style|iframe|svg|object)\b.{0,2000}?</\1\s*>|[A-Za-z/!?][^<>]{0,600}>)",
    re.IGNORECASE | re.DOTALL,
)
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_TARGET = r"\((?:[^()\n]|\([^()\n]*\))*\)"
_IMAGE = re.compile(rf"!\[[^\]\n]*\](?:{_TARGET}|\[[^\]\n]*\])?")
_LINK = re.compile(rf"\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\](?:{_TARGET}|\[[^\]\d\n][^\]\n]*\])")
_DEFINITION = re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]*\S.*$", re.MULTILINE)
_ADDRESS = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{1,20}://|(?:javascript|data|vbscript|mailto|file):(?=\S))[^\s<>\"'`*)\]|]+"
    r"|\bwww\.[^\s<>\"'`*)\]|]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|ai|dev|app|co|info|example|invalid|test|xyz|ru|cn|me|link|site|online|top)\b"
    r"(?:[/:?#][^\s<>\"'`*)\]|]*)?",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"(?:<[A-Za-z/!?][^<>]{0,600}|!?\[[^\]\n]{0,300}(?:\](?:\([^)\n]{0,300})?)?|!|<|&#?\w{0,8})$")
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{40,}")


def cleaned(text: str, allowed: str, foreign: bool) -> tuple[str, list[tuple[str, str]]]:
    """The text without foreign markup, and what went, as (kind, text); `allowed` is what the guides' passages say.

    `foreign` text (a model wrote it) also loses invisible characters, character references and encoded blobs.
    """
    removed: list[tuple[str, str]] = []
    if foreign:
        text = _visible(text)

    def gone(kind: str, keep: int | None = None) -> object:
        def replace(match: re.Match[str]) -> str:
            removed.append((kind, match.group()))
            return match.group(keep) if keep is not None else ""

        return replace

    text = _IMAGE.sub(gone("image"), text)  # type: ignore[call-overload]
    text = _DEFINITION.sub(gone("link"), text)  # type: ignore[call-overload]
    while _LINK.search(text):
        text = _LINK.sub(lambda m: _unlinked(m, removed), text)
    while _TAG.search(text):
        text = _TAG.sub(gone("html"), text)  # type: ignore[call-overload]
    text = _TAG_START.sub("", text)
    text = _ADDRESS.sub(lambda m: _address(m, allowed, removed), text)
    if foreign:
        text = _BLOB.sub(lambda m: m.group() if m.group() in allowed else gone("blob")(m), text)  # type: ignore[operator]
    return text, removed


def finished(text: str) -> str:
    """A growing text without the construct at its end that may still become a tag, link, image or marker."""
    text = _UNFINISHED.sub("", text)
    tail = re.search(r"\S*$", text)
    return text[: tail.start()] if tail and re.search(r"[.:/@\\]|^www|^http", tail.group()) else text


def _unlinked(match: re.Match[str], removed: list[tuple[str, str]]) -> str:
    removed.append(("link", match.group()))
    inner = match.group(1)
    return f"[{inner}]" if inner.strip().isdigit() else inner


def _address(match: re.Match[str], allowed: str, removed: list[tuple[str, str]]) -> str:
    found = match.group().rstrip(".,;:!?")
    if found in allowed:
        return match.group()
    removed.append(("link", found))
    return match.group()[len(found) :]


def _visible(text: str) -> str:
    """Character references as characters; no invisible or control characters, which hide one word inside another."""
    text = html.unescape(text)
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cf", "Cc", "Co"))
