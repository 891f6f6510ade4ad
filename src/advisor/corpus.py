"""A folder of guides in, their text out: finds the files, decodes or converts them, repairs what was decoded wrongly.

What a guide says is cut into passages by `advisor.passages`; nothing here touches an index.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from pathlib import Path

from advisor import formats
from advisor.errors import CorpusError
from advisor.passages import parse
from advisor.types import Guide, Passage

MARKDOWN = (".md", ".markdown")
NOT_GUIDES = ("readme",)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
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
    """The guide files below a folder: Markdown, PDF, Word and HTML, neither hidden nor a README."""
    wanted = (*MARKDOWN, *formats.SUFFIXES)
    found = (path for path in folder.rglob("*") if path.suffix.lower() in wanted and path.is_file())
    hidden = (p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    return sorted(path for path in hidden if path.stem.lower() not in NOT_GUIDES)


def _text(path: Path, folder: Path) -> str:
    raw, source = _bytes(path, folder), path.relative_to(folder).as_posix()
    return decode(raw, source) if path.suffix.lower() in MARKDOWN else formats.markdown(raw, source, decode)


def _bytes(path: Path, folder: Path) -> bytes:
    source = path.relative_to(folder).as_posix()
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CorpusError(f"{source}: a link that leaves the corpus folder; copy the guide into it.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{source}: cannot be read ({error.strerror}).") from error


def decode(raw: bytes, source: str) -> str:
    """The text of a file in whatever encoding it came, with text that was once decoded wrongly repaired.

    Raises:
        CorpusError: the file is binary, or empty.
    """
    encoding = next((name for mark, name in _BOMS if raw.startswith(mark)), "utf-8")
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
