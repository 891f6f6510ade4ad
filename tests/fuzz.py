"""Coverage-guided fuzzing of how guides are read: `python -m tests.fuzz --seconds 900`.

Atheris makes up files, as bytes and as pieces of Markdown put together. Whatever it makes is either read or refused by
file and line, never slowly, and every word that a browser would show of it stands in some passage or heading. The same
pieces are read as web pages, too.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import tempfile
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST = 1500
"""Bytes of one made-up file."""
LARGEST = 3 << 30
"""Bytes of memory that reading made-up files may take."""
PATIENCE = 60
"""Seconds that one such file may take before it counts as a hang."""
PIECES = (
    "\n", "\n\n", "\n\n\n", " ", "  ", "    ", "\t", "# ", "## ", "###### ", "\n===\n", "\n---\n", "---\n", "***\n",
    "- ", "* ", "1. ", "10) ", "  - ", "    - ", "> ", ">> ", "|", " | ", "\\|",
    "\n| a | b |\n|---|---|\n| c | d |\n", "|---|---|\n", "|:-:|\n", "```\n", "~~~\n", "``", "`", "    ", "*", "**",
    "_", "__", "~~", "\\", "\\\n", "  \n", ":", ":\n\n", "[", "](", ")", "![", "](x.md)", "](<a b>)", "[a][ref]",
    "[ref]", "\n\n[ref]: x.md 'title'\n\n", "[^n]", "\n\n[^n]: ", "\n\n[^long]: one\n\n    two\n\n", "<div>\n",
    "</div>\n", "<p>", "</p>", "<b>", "</b>", "<br>", "<!--", "-->", "<script>", "</script>", "<style>", "</style>",
    "<a href='x'>", "</a>", "<table>", "</table>", "<tr>", "<td>", "<th colspan=2>", "</td>", "<ol start=3>",
    "<li>", "<pre>", "<?", "?>", "<![CDATA[", "]]>", "<", ">", "&amp;", "&lt;", "&#35;", "&nbsp;", "&", ";",
    "<http://a.b>", "✅ ", "\n✅ ", "⚠️ ", "↓\n", "\n  ↓\n", "→", "⭐⭐", "★☆", "é", "’", "北京", "\u200b", "\ufeff",
    "\u2028", "\x0c", "\x1c", "\0", "\r\n", "\r", "v\n", "1", "$5–9", "\u00a0",
)  # fmt: skip
YAML = (
    "title: ", "as_of: ", "date: ", "roles: ", "region: ", "\n", "\n- ", ", ", "[", "]", "{", "}", "&a ", "*a",
    "!!int ", "!!timestamp ", "!!binary ", "? ", ": ", "<<: ", "%YAML 1.1\n", "'", '"', "|\n  ", ">\n  ",
    "2024-13-45", "2024-02-30", "2025-12-27", "2025-12", "T10:00:00Z", "0x", "1:99", "~", "null", "# ", "=", "\t",
    "\x07", "é", "---", "...", "\\",
)  # fmt: skip
"""What front matter is put together from."""
JOINED = frozenset(
    (
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font",
        "i", "img", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
        "sup", "time", "tt", "u", "var", "wbr",
    )
)  # fmt: skip
"""Tags in the middle of a word leave it one word; every other tag parts two."""


@cache
def _dialect() -> MarkdownIt:
    """The Markdown that guides are written in, as deep as they are read; imported late, so that it is followed."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])
    parser.use(front_matter_plugin).use(footnote_plugin, inline=False, move_to_end=False)
    for part in ("front_matter", "footnote_ref", "footnote_anchor", "footnote_caption"):
        parser.add_render_rule(part, lambda *_: "")
    parser.add_render_rule("image", _description)
    return parser


def _description(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """The page shows a picture as what its writer says of it."""
    return renderer.renderInline(tokens[at].children or [], options, env)


class _Page(HTMLParser):
    """The text of a page, blocks apart and what is written inside a line joined, as a browser shows it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.hidden = ""
        self.headers: list[str] = []
        self.in_header = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Scripts and styles are not shown."""
        self.in_header = tag == "th"
        self.hidden = self.hidden or (tag if tag in ("script", "style") else "")
        self.said.append("" if tag in JOINED else " ")

    def handle_endtag(self, tag: str) -> None:
        """The end of what is not shown."""
        self.in_header = self.in_header and tag != "th"
        self.hidden = "" if tag == self.hidden else self.hidden
        self.said.append("" if tag in JOINED else " ")

    def handle_data(self, data: str) -> None:
        """Text, shown unless it is a script."""
        if not self.hidden:
            self.said.append(data)
            self.headers += [data] if self.in_header else []


def words(text: str) -> set[str]:
    """The words in a text: two letters or digits and more."""
    return set(re.findall(r"[^\W_]{2,}", text))


def shown(text: str) -> set[str]:
    """The words that a browser shows of a guide, found without anything of ours.

    What stands inside of tags and comments is left out, also of those that nobody closed: a browser drops them. So is
    the header of a column that may hold footnote marks alone: it is left out of its table's passages on purpose.
    """
    page = _Page()
    page.feed(re.sub(r"<(?:\?|!(?!--))[^>]*>", "", _dialect().render(text)))  # to a browser these are comments
    tags = words(" ".join(re.findall(r"<[!?/a-zA-Z][^>]*", text)))
    return words("".join(page.said)) - tags - (words(" ".join(page.headers)) if "[^" in text else set())


def check(raw: bytes) -> str:
    """Read one file and hold it against what a browser shows; says what became of it.

    Raises:
        AssertionError: a word was lost, a place is wrong, or a refusal does not say where.
    """
    from advisor.corpus import decode
    from advisor.errors import CorpusError
    from advisor.passages import parse

    try:
        text = decode(raw, "a.md")
        _, passages = parse(text, "a.md")
    except CorpusError as error:
        if re.match(r"a\.md:\d+: \S", str(error)):
            return "refused"
        raise AssertionError(f"a refusal without a line: {error}") from error
    kept = words("\n".join(" ".join([p.text, p.intro, *p.headings]) for p in passages))
    lost = shown(text) - kept
    assert not lost, f"lost {sorted(lost)} of {text!r}"
    last = text.count("\n") + 1
    assert all(1 <= p.first_line <= p.last_line <= last for p in passages), f"lines of {text!r}"
    assert len({p.id for p in passages}) == len(passages), f"ids of {text!r}"
    return "read"


def check_page(raw: bytes) -> str:
    """Read one web page; says what became of it.

    Raises:
        AssertionError: a refusal does not say where, or blames a table, which the conversion itself has made.
    """
    from advisor.corpus import decode
    from advisor.errors import CorpusError
    from advisor.formats import markdown
    from advisor.passages import parse

    try:
        parse(markdown(raw, "a.html", decode), "a.html")
    except CorpusError as error:
        if re.match(r"a\.html:\d+: (?!malformed table)\S", str(error)):
            return "refused"
        raise AssertionError(f"{error} of {raw!r}") from error
    return "read"


def main(arguments: list[str]) -> int:
    """Fuzz for a number of seconds or files, whichever is first over; what fails is kept in a file and shown."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seed", type=int, default=0, help="0 draws one")
    parser.add_argument("--finds", type=Path, default=Path(tempfile.gettempdir()), help="where a failing file is kept")
    given = parser.parse_args(arguments)
    import atheris

    with atheris.instrument_imports(include=["advisor", "markdown_it", "mdit_py_plugins"]):
        import advisor.corpus
        import advisor.formats.web
        import advisor.passages  # noqa: F401 (is instrumented by being imported here)

    def made(data: bytes) -> None:
        pieces = atheris.FuzzedDataProvider(data[1:])
        if not data or data[0] % 4 == 0:
            check(data[1:])
            return
        kinds = YAML if data[0] % 4 == 1 else PIECES
        text: list[str] = []
        while pieces.remaining_bytes():
            number = pieces.ConsumeIntInRange(0, 2 * len(kinds) - 1)
            text.append(kinds[number] if number < len(kinds) else f"w{len(text)}q")
        front = "".join(text)
        if data[0] % 8 == 6:
            check_page(front.encode())
            return
        check((f"---\n{front}\n---\n\n# Title\n\nWords.\n" if kinds is YAML else front).encode())

    limits = [f"-max_total_time={given.seconds}", f"-runs={given.runs}", f"-timeout={PATIENCE}"]
    # libFuzzer takes the peak of this process to be its own, though at the fork it was the parent's: the system counts
    resource.setrlimit(resource.RLIMIT_DATA, (LARGEST, LARGEST))
    limits += [f"-max_len={LONGEST}", "-len_control=0", "-rss_limit_mb=0"]
    atheris.Setup([sys.argv[0], *limits, f"-seed={given.seed}", f"-artifact_prefix={given.finds}/"], made)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
