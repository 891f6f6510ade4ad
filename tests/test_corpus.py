"""A folder of guides in: every encoding that people's files come in, and every fault named by file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from advisor import corpus, embed, index
from advisor.errors import CorpusError
from advisor.passages import parse
from tests.conftest import PATIENCE, SOURCE_GUIDE, Setup, run, write
from tests.test_index_shared import unprivileged

TEXT = "# Crème brûlée\n\nA chef’s “pride” — it costs €5–9. ✅ ⭐⭐ → done\n"


def broken(text: str) -> str:
    """The text as somebody has it who read its UTF-8 as Mac Roman."""
    return text.encode().decode("mac_roman")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_unicode_encoding_is_read(encoding: str) -> None:
    """A byte order mark says how to read a file, and is no part of the text; UTF-16 is known without one."""
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


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A guide that may not be read is reported, not skipped in silence; root is held to permissions, too."""
    write(tmp_path, {"a.md": "# A\n\na\n", "b.md": "# B\n\nb\n"})
    (tmp_path / "b.md").chmod(0)
    program = "import sys; from pathlib import Path; from advisor import corpus; "
    program += "read = corpus.read(Path(sys.argv[1])); print(len(read.guides), read.problems['b.md'][0])"
    command = [*unprivileged(), sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=PATIENCE)
    assert done.stdout == "1 b.md:1: cannot be read (Permission denied).\n"


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    """A link to nothing, or to itself, is reported and not passed over."""
    write(tmp_path, {"a.md": "# A\n\na\n"})
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing.md")
    (tmp_path / "round.md").symlink_to(tmp_path / "round.md")
    read = corpus.read(tmp_path)
    assert [guide.source for guide in read.guides] == ["a.md"]
    assert [lines[0].split("(")[0] for lines in read.problems.values()] == [
        "gone.md:1: cannot be read ", "round.md:1: cannot be read ",
    ]  # fmt: skip


def test_what_is_no_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    """A pipe that nobody writes to, and a folder named like a guide, are no guides and keep nobody waiting."""
    write(tmp_path, {"a.md": "# A\n\na\n", "b.md/c.md": "# C\n\nc\n"})
    os.mkfifo(tmp_path / "pipe.md")
    assert [guide.source for guide in corpus.read(tmp_path).guides] == ["a.md", "b.md/c.md"]


def test_an_enormous_file_is_named(tmp_path: Path) -> None:
    """A file larger than any guide is not taken into memory."""
    write(tmp_path, {"a.md": "# A\n\na\n", "huge.md": ""})
    os.truncate(tmp_path / "huge.md", corpus.LARGEST + 1)
    assert corpus.read(tmp_path).problems["huge.md"][0].startswith("huge.md:1: 100,000,001 bytes, more than")


def test_a_file_without_a_last_line_end_is_read(tmp_path: Path) -> None:
    """The last line counts, with Windows' line ends as well."""
    write(tmp_path, {"a.md": b"# A\r\n\r\n| a | b |\r\n|---|---|\r\n| c | d |", "b.md": "# B\n\nlast"})
    assert [p.text for p in corpus.read(tmp_path).passages] == ["a: c | b: d", "last"]


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("title: [open", "a.md:2: the front matter is not valid YAML."),
        ("as_of: 2024-01-01\ntitle: 'open", "a.md:3: the front matter is not valid YAML."),
        ("- a", "a.md:2: the front matter must be `name: value` lines."),
        ("title: A\nas_of: 2024-13-45", "a.md:3: as_of: 2024-13-45 is not a date there is (month must be in 1..12)."),
        (f"a: {'[' * 5000}", "a.md:1: the front matter is not valid YAML."),
        ("title: \x07", "a.md:1: the front matter is not valid YAML."),
    ],
)
def test_broken_front_matter_is_named(tmp_path: Path, front: str, said: str) -> None:
    """Whoever wrote it is told the line; the guides beside it go in."""
    write(tmp_path, {"a.md": f"---\n{front}\n---\n\n# A\n\na\n", "b.md": "# B\n\nb\n"})
    read = corpus.read(tmp_path)
    assert ([guide.source for guide in read.guides], read.problems["a.md"]) == (["b.md"], (said,))


@pytest.mark.parametrize("front", ["", "# a comment", "title:", "title: null\nroles: x\nregion: [a]", "a: !!int x"])
def test_front_matter_that_says_nothing_is_no_fault(tmp_path: Path, front: str) -> None:
    """What means nothing here is passed over, and the first heading is the title."""
    write(tmp_path, {"a.md": f"---\n{front}\n---\n\n# A\n\na\n"})
    (guide,) = corpus.read(tmp_path).guides
    assert (guide.title, guide.as_of, guide.region, guide.roles) == ("A", "", "", ())


def test_front_matter_that_unfolds_does_no_harm(tmp_path: Path) -> None:
    """Values that stand for gigabytes are never written out."""
    folds = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 12))
    write(tmp_path, {"a.md": f"---\nx0: &x0 ha\n{folds}title: *x11\nroles: *x11\n---\n\n# A\n\na\n"})
    (guide,) = corpus.read(tmp_path).guides
    assert (guide.title, guide.roles) == ("A", ())


def test_every_bad_guide_is_named_and_the_exit_status_says_so(setup: Setup) -> None:
    """`ingest.py` puts the good ones in, names each bad one with its line, and ends with status 2."""
    bad = {"bin.md": b"# A\n\x00", "empty.md": "", "front.md": "---\na: [\n---\n", "ragged.md": "|a|b|\n|-|-|\n|1|\n"}
    settings = setup({"good guide 🍳.md": "# G\n\ngood", **bad})
    done = run(settings, "ingest.py")
    assert done.returncode == 2
    assert done.stdout.startswith("1 guides, 1 sections, 1 passages")
    assert [line.split(": ")[0] for line in done.stderr.splitlines() if ".md:" in line] == [
        "bin.md:2", "empty.md:1", "front.md:2", "ragged.md:3",
    ]  # fmt: skip
    write(settings.corpus, dict.fromkeys(bad, "# B\n\nmended\n"))
    assert run(settings, "ingest.py").returncode == 0


def prose(size: int) -> str:
    """A guide of about so many bytes, with sections, paragraphs, lists and tables."""
    part = (
        "## Section {n}\n\n" + "A long paragraph of plain words that goes on and on, as guides do. " * 24
        + "\n\nWhat there is:\n\n" + "- an item of the list\n" * 6
        + "\n| Role | Entry | Senior |\n| --- | --- | --- |\n" + "| Cook {n} | $1–2K | $3–4K |\n" * 6 + "\n"
    )  # fmt: skip
    return "# Long\n\n" + "".join(part.format(n=n) for n in range(size // len(part)))


@pytest.mark.slow
def test_ten_megabytes_take_ten_times_as_long_as_one(tmp_path: Path) -> None:
    """Reading a guide takes time in proportion to its size, and nothing of it is lost."""
    spent = {}
    for size in (1_000_000, 10_000_000):
        write(tmp_path / str(size), {"long.md": prose(size)})
        started = time.process_time()
        read = corpus.read(tmp_path / str(size))
        spent[size] = time.process_time() - started
        sections = prose(size).count("## Section")
        assert len(read.passages) == 8 * sections
        assert read.passages[-1].cells[0] == ("Role", f"Cook {sections - 1}")
    assert spent[10_000_000] < 20 * spent[1_000_000]


@pytest.mark.parametrize(
    "unit",
    ["[", "![", "[a](", "*a ", "**a_b ", "`a``", "<a ", "a <!-- ", "<div>\n<!-- ", "<div>\n<script>", "<?", "[^a]",
     "| a | b |\n|---|---|\n| c | d |\n\n", "[a]: ", "- item\n", "> ", "✅ a\n", "a\n  ↓\n", "\\", "&amp;", "é"],
)  # fmt: skip
def test_nothing_takes_time_in_the_square_of_its_length(unit: str) -> None:
    """What is said eight times as often takes about eight times as long, not sixty-four."""
    spent = []
    for size in (1_000, 8_000):
        text = "# A\n\n" + unit * (size // len(unit))
        rounds = []
        for _ in range(3):
            started = time.process_time()
            with contextlib.suppress(CorpusError):
                parse(corpus.decode(text.encode(), "a.md"), "a.md")
            rounds.append(time.process_time() - started)
        spent.append(min(rounds))
    assert spent[1] < 30 * max(spent[0], 0.002)


class Letters:
    """An embedder that counts groups of three letters: what is alike has vectors that are alike, and it is quick."""

    name = "letters"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of the counts."""
        found = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            for at in range(len(text) - 2):
                row[zlib.crc32(text[at : at + 3].encode()) % self.dimensions] += 1
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


@pytest.mark.slow
def test_five_thousand_guides_are_read_and_indexed(
    tmp_path: Path, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many small guides go in like one large one, each cited under its own name; the bad ones among them are named."""
    guides = {f"folder {n % 50}/guide {n}.md": f"# Guide {n}\n\nWords of guide {n}.\n" for n in range(5000)}
    settings = setup(guides | {"folder 7/bad.md": b"\x00"})
    monkeypatch.setattr(embed, "for_guides", lambda *_: Letters())
    summary = index.ingest(settings)
    assert (summary.guides, summary.passages, len(summary.problems)) == (5000, 5000, 1)
    opened = index.Index.open(settings)
    assert len({passage.id for passage in opened.passages}) == 5000
    assert opened.passages[-1].text.startswith("Words of guide")


def test_names_and_folders_of_guides_are_kept(tmp_path: Path) -> None:
    """Spaces, emoji and folders are fine in a guide's path, and the order is that of the paths."""
    write(tmp_path, {"z.md": "# Z\n\nz\n", "in here/🍳 eggs.MD": "# E\n\neggs\n", "b.markdown": "# B\n\nb\n"})
    assert [guide.source for guide in corpus.read(tmp_path).guides] == ["b.markdown", "in here/🍳 eggs.MD", "z.md"]
