"""Word → HTML, by mammoth: headings, lists and tables by their styles; pictures and other files stay outside."""

from __future__ import annotations

import io
import zipfile

from advisor.errors import CorpusError

LARGEST = 200_000_000
"""Bytes that a document may unpack to: a small file can hold an enormous one."""
_OLD = b"\xd0\xcf\x11\xe0"
"""How files of Word before 2007 begin, and those with a password."""
_STYLES = "p[style-name='Title'] => h1.title:fresh\np[style-name='Subtitle'] => p:fresh"


def html(raw: bytes, source: str) -> str:
    """A document's HTML.

    Raises:
        CorpusError: the file is no document, is broken, protected by a password, or too large; names the file.
    """
    if raw.startswith(_OLD):
        raise CorpusError(f"{source}:1: protected by a password, or older than Word 2007; save it as plain .docx.")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size <= LARGEST:
            return _converted(raw)
    except Exception as error:
        raise CorpusError(f"{source}:1: not a Word document that can be read ({type(error).__name__}).") from error
    raise CorpusError(f"{source}:1: unpacks to {size:,} bytes, more than {LARGEST:,}; split it into several guides.")


def _converted(raw: bytes) -> str:
    import mammoth
    from bs4 import BeautifulSoup

    made = mammoth.convert_to_html(
        io.BytesIO(raw),
        style_map=_STYLES,
        convert_image=lambda image: [mammoth.html.text(image.alt_text)] if image.alt_text else [],
        include_embedded_style_map=False,
    )
    soup = BeautifulSoup(made.value, "html.parser")
    if soup.find("h1", class_="title"):
        # The document's title stands above its first level of headings, which Word counts from 1 as well.
        for level in (5, 4, 3, 2, 1):
            for heading in soup.find_all(f"h{level}", class_=lambda name: name != "title"):
                heading.name = f"h{level + 1}"
    return str(soup)
