"""A folder of guides in, their text out: finds the files, decodes or converts them, repairs what was decoded wrongly.

What a guide says is cut into passages by `advisor.passages`; nothing here touches an index.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from advisor import formats, frontmatter
from advisor.errors import CorpusError
from advisor.passages import parse
from advisor.types import Guide, Passage

MARKDOWN = (".md", ".markdown")
NOT_GUIDES = ("readme",)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ABOUT = ".about.yaml"
"""Beside a guide that is no Markdown: what would stand in its front matter."""
LARGEST = 100_000_000
"""Bytes of a guide."""
_SAMPLE = 4096
_OWN = re.compile(r"\A---\n.*?\n---\n\n", re.DOTALL)
_MISREAD_AS = ("mac_roman", "cp1252", "latin-1")


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a folder of guides holds; `problems` maps a file that could not be read to what is wrong with it."""

    guides: tuple[Guide, ...]
    passages: tuple[Passage, ...]
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read(folder: Path) -> Corpus:
    """Every guide below a folder, in the order of their paths.

    Raises:
        CorpusError: the folder is absent, or holds no guide that can be read.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder}: there is no such folder. Set ADVISOR_CORPUS to a folder of guides.")
    guides: list[Guide] = []
    passages: list[Passage] = []
    problems: dict[str, tuple[str, ...]] = {}
    for path in files(folder):
        source = path.relative_to(folder).as_posix()
        try:
            guide, found = parse(_text(path, folder), source)
        except CorpusError as error:
            problems[source] = error.problems
            continue
        guides.append(guide)
        passages.extend(found)
    if not guides:
        nothing = () if problems else (f"{folder}: no guide in this folder (Markdown, PDF, Word or HTML).",)
        raise CorpusError(*(line for lines in problems.values() for line in lines), *nothing)
    return Corpus(tuple(guides), tuple(passages), problems)


def files(folder: Path) -> list[Path]:
    """The guide files below a folder: Markdown, PDF, Word and HTML, neither hidden nor a README; links as well."""
    wanted = (*MARKDOWN, *formats.SUFFIXES)
    named = (path for path in folder.rglob("*") if path.suffix.lower() in wanted)
    found = (path for path in named if path.is_file() or path.is_symlink())
    hidden = (p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    return sorted(path for path in hidden if path.stem.lower() not in NOT_GUIDES)


def _text(path: Path, folder: Path) -> str:
    raw, source = _bytes(path, folder), path.relative_to(folder).as_posix()
    if path.suffix.lower() in MARKDOWN:
        return decode(raw, source)
    text, about = formats.markdown(raw, source, decode), path.with_suffix(ABOUT)
    if not about.is_file():
        return text
    named = about.relative_to(folder).as_posix()
    said = decode(_bytes(about, folder), named).strip("\n")
    frontmatter.read(said, named, first=1)
    return f"---\n{said}\n---\n\n{_OWN.sub('', text)}"


def _bytes(path: Path, folder: Path) -> bytes:
    source = path.relative_to(folder).as_posix()
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CorpusError(f"{source}:1: a link that leaves the corpus folder; copy the guide into it.")
        if (size := path.stat().st_size) > LARGEST:
            raise CorpusError(f"{source}:1: {size:,} bytes, more than {LARGEST:,}; split it into several guides.")
        return path.read_bytes()
    except (OSError, RuntimeError) as error:  # Python 3.11 and 3.12 say of a link to itself that it is a RuntimeError
        raise CorpusError(f"{source}:1: cannot be read ({getattr(error, 'strerror', error)}).") from error


def decode(raw: bytes, source: str) -> str:
    """The text of a file in whatever encoding it came, with text that was once decoded wrongly repaired.

    Raises:
        CorpusError: the file is binary, or empty.
    """
    encoding = next((name for mark, name in _BOMS if raw.startswith(mark)), "") or _without_mark(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    if "\0" in text or text.count("\ufffd") > len(text) // 100:
        line = text[: text.find("\0")].count("\n") + 1 if "\0" in text else 1
        raise CorpusError(f"{source}:{line}: not a text file.")
    if not text.strip():
        raise CorpusError(f"{source}:1: the guide is empty.")
    return repair(text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_mark(raw: bytes) -> str:
    """The encoding of a file that does not name it: where every other byte of Western text is zero, it is UTF-16."""
    zeros = [raw[start:_SAMPLE:2].count(0) for start in (0, 1)]
    half = min(len(raw), _SAMPLE) // 2
    for few, many, name in ((0, 1, "utf-16-le"), (1, 0, "utf-16-be")):
        if zeros[many] > half // 2 and zeros[few] <= half // 100:
            return name
    return "utf-8"


def repair(text: str) -> str:
    """Text as it was before somebody decoded its UTF-8 as something else.

    The whole text is tried first, because a round trip that works for all of it proves what happened; ftfy looks at
    what remains, and leaves text alone that shows no such damage.
    """
    if text.isascii():
        return text
    for encoding in _MISREAD_AS:
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    import ftfy
    from ftfy.badness import is_bad

    return ftfy.fix_encoding(text) if is_bad(text) else text
