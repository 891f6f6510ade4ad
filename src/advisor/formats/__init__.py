"""Guides that are no Markdown, as Markdown: PDF, Word and HTML in, what a reader sees of them out.

What they bring along besides words (scripts, links, pictures, forms) stays outside. The packages that take such files
apart are the extra `formats`; without it a guide is refused with the command that installs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import PurePosixPath

from advisor.errors import CorpusError

HTML = (".html", ".htm")
SUFFIXES = (".pdf", ".docx", *HTML)
NEEDED = ("bs4", "mammoth", "markdownify", "pdfplumber")
_NAMED = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*(?!utf)([\w-]+)", re.IGNORECASE)
INSTALL = "pip install -c requirements.lock -e '.[formats]'"


def markdown(raw: bytes, source: str, decode: Callable[[bytes, str], str]) -> str:
    """A guide of one of the `SUFFIXES` as Markdown; `decode` makes text of HTML's bytes.

    Raises:
        CorpusError: the extra is not installed, or the file is broken, protected, or holds no text; names the file.
    """
    suffix = PurePosixPath(source).suffix.lower()
    if any(find_spec(name) is None for name in NEEDED):
        raise CorpusError(f"{source}:1: reading {suffix} takes packages that are not installed: {INSTALL}")
    if not raw.strip():
        raise CorpusError(f"{source}:1: the guide is empty.")
    if suffix in HTML:
        return _told(decode(_unicode(raw), source), source)
    if suffix == ".docx":
        from advisor.formats import word

        return _told(word.html(raw, source), source)
    from advisor.formats import pdf

    return _told(pdf.html(raw, source), source)


def _unicode(raw: bytes) -> bytes:
    """A page in the encoding that it names itself, as UTF-8; as it is where it names none that is known."""
    named = _NAMED.search(raw[:1024])
    try:
        return raw.decode(named[1].decode(), errors="replace").encode() if named else raw
    except LookupError:
        return raw


def _told(html: str, source: str) -> str:
    from advisor.formats.web import markdown

    try:
        text = markdown(html, source)
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError(f"{source}:1: not a page that can be read ({type(error).__name__}).") from error
    if not text.strip():
        raise CorpusError(f"{source}:1: the guide has no text.")
    return text
