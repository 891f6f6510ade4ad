"""A folder of guides in: every encoding that people's files come in, and every fault named by file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from advisor import corpus
from advisor.errors import CorpusError
from tests.conftest import SOURCE_GUIDE, write

TEXT = "# Crème brûlée\n\nA chef’s “pride” — it costs €5–9. ✅ ⭐⭐ → done\n"


def broken(text: str) -> str:
    """The text as somebody has it who read its UTF-8 as Mac Roman."""
    return text.encode().decode("mac_roman")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_unicode_encoding_is_read(encoding: str) -> None:
    """A byte order mark says how to read a file, and is no part of the text."""
    assert corpus.decode(TEXT.encode(encoding), "a.md") == TEXT


def test_big_endian_is_read() -> None:
    """UTF-16 in the other byte order is read as well."""
    assert corpus.decode(b"\xfe\xff" + TEXT.encode("utf-16-be"), "a.md") == TEXT


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_older_encodings_are_read(encoding: str) -> None:
    """What is no UTF-8 is read as what Western Europe used before."""
    text = "# Crème brûlée\n\nÀ la carte: £5.\n"
    assert corpus.decode(text.encode(encoding), "a.md") == text


@pytest.mark.parametrize("misread", ["mac_roman", "cp1252", "latin-1"])
def test_text_once_decoded_wrongly_is_repaired(misread: str) -> None:
    """The whole text goes back the way it came, check marks and arrows included."""
    text = "# Café\n\nIt’s “fine” – €5. ✅ → ⭐\n" if misread != "cp1252" else "# Café\n\nIt’s – €5. → é\n"
    damaged = text.encode().decode(misread)
    assert damaged != text
    assert corpus.decode(damaged.encode(), "a.md") == text


def test_text_that_was_damaged_in_part_is_repaired_in_part() -> None:
    """Where the whole cannot go back, what is plainly damaged is mended and the rest left alone."""
    assert corpus.decode("naïve cafÃ© – 北京\n".encode(), "a.md") == "naïve café – 北京\n"


@pytest.mark.parametrize("text", ["naïve café – “quotes” ½ √2\n", "日本語\n", "Ä√‚ are letters\n", "plain\n"])
def test_sound_text_is_left_alone(text: str) -> None:
    """Repair does no harm to text that was never damaged."""
    assert corpus.decode(text.encode(), "a.md") == text


def test_a_whole_damaged_guide_has_no_broken_character_left(tmp_path: Path) -> None:
    """A guide with everything that Mac Roman breaks comes back letter for letter."""
    write(tmp_path, {"a.md": broken(TEXT)})
    (guide,) = corpus.read(tmp_path).guides
    assert guide.text == TEXT


@pytest.mark.skipif(not SOURCE_GUIDE.is_file(), reason=f"{SOURCE_GUIDE} is not there")
def test_the_source_guide_is_repaired_whole() -> None:
    """The file that this was written for is what its author typed."""
    text = corpus.decode(SOURCE_GUIDE.read_bytes(), "source.md")
    assert text.encode() == SOURCE_GUIDE.read_bytes().decode().replace("\r\n", "\n").encode("mac_roman")


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_become_one_kind(end: str) -> None:
    """Lines are counted alike wherever the file was written."""
    assert corpus.decode(f"# A{end}{end}b".encode(), "a.md") == "# A\n\nb"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "a.md:1: the guide is empty"),
        (b" \n\t\n", "a.md:1: the guide is empty"),
        (b"\xef\xbb\xbf", "a.md:1: the guide is empty"),
        (b"# A\n\x00\x01\x02", "a.md:2: not a text file"),
        (bytes(range(128, 256)) * 9, "a.md:1: not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not a text file"),
    ],
)
def test_what_is_no_guide_is_refused(raw: bytes, said: str) -> None:
    """An empty or binary file is named, with the line where it stops being text."""
    with pytest.raises(CorpusError) as raised:
        corpus.decode(raw, "a.md")
    assert said in str(raised.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says which folder and which setting."""
    with pytest.raises(CorpusError, match=r"nowhere: there is no such folder\. Set ADVISOR_CORPUS"):
        corpus.read(tmp_path / "nowhere")


def test_a_folder_without_guides_is_named(tmp_path: Path) -> None:
    """A folder with other files, a README or hidden guides has no guide."""
    write(tmp_path, {"a.txt": "a", "README.md": "# R\n\nr\n", ".hidden.md": "# H\n\nh\n", ".git/b.md": "# B\n\nb\n"})
    with pytest.raises(CorpusError, match="no guide in this folder"):
        corpus.read(tmp_path)


def test_good_guides_go_in_beside_bad_ones(tmp_path: Path) -> None:
    """One bad guide does not keep the others out; it is named with its line."""
    write(tmp_path, {"good.md": "# G\n\ngood\n", "bad.md": "# B\n\n|a|b|\n|--|--|\n|1|\n", "empty.md": ""})
    read = corpus.read(tmp_path)
    assert [guide.source for guide in read.guides] == ["good.md"]
    assert read.problems == {
        "bad.md": ("bad.md:5: malformed table: 1 cells in a table with 2 columns.",),
        "empty.md": ("empty.md:1: the guide is empty.",),
    }


def test_only_bad_guides_are_an_error(tmp_path: Path) -> None:
    """Where nothing can be read there is nothing to answer from; every fault is listed."""
    write(tmp_path, {"a.md": "", "b.md": b"\x00"})
    with pytest.raises(CorpusError) as raised:
        corpus.read(tmp_path)
    assert raised.value.problems == ("a.md:1: the guide is empty.", "b.md:1: not a text file.")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A guide cannot pull in a file that lies elsewhere on the machine; a link inside the folder is fine."""
    (tmp_path / "secret.md").write_text("# S\n\nsecret\n")
    folder = write(tmp_path / "corpus", {"a.md": "# A\n\na\n"})
    (folder / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "in.md").symlink_to(folder / "a.md")
    read = corpus.read(folder)
    assert [guide.source for guide in read.guides] == ["a.md", "in.md"]
    assert "leaves the corpus folder" in read.problems["out.md"][0]


@pytest.mark.skipif(os.geteuid() == 0, reason="a file without permissions is readable to root")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A guide that may not be read is reported, not skipped in silence."""
    write(tmp_path, {"a.md": "# A\n\na\n", "b.md": "# B\n\nb\n"})
    (tmp_path / "b.md").chmod(0)
    assert "b.md: cannot be read" in corpus.read(tmp_path).problems["b.md"][0]


def test_names_and_folders_of_guides_are_kept(tmp_path: Path) -> None:
    """Spaces, emoji and folders are fine in a guide's path, and the order is that of the paths."""
    write(tmp_path, {"z.md": "# Z\n\nz\n", "in here/🍳 eggs.MD": "# E\n\neggs\n", "b.markdown": "# B\n\nb\n"})
    assert [guide.source for guide in corpus.read(tmp_path).guides] == ["b.markdown", "in here/🍳 eggs.MD", "z.md"]
