"""Looks at everything an answer needs, and says what is wrong and how to mend it: `python -m advisor doctor`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from advisor.errors import AdvisorError, CorpusError, SettingsError

if TYPE_CHECKING:
    from advisor.settings import Settings

PACKAGE = "career-advisor"
OLDEST = (3, 11)
PATIENCE = 3
"""Seconds to wait for an endpoint."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `wrong` stops answers, `note` does not."""

    state: Literal["ok", "note", "wrong"]
    what: str
    said: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{self.state:5}  {self.what}: {self.said}"
        return f"{line}\n       → {self.mend}" if self.mend else line


def main() -> int:
    """Print every finding; 1 when anything would stop an answer."""
    stopped = False
    for finding in examine():
        print(finding, flush=True)
        stopped = stopped or finding.state == "wrong"
    print("\nSomething above would stop an answer." if stopped else "\nNothing would stop an answer.")
    return int(stopped)


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which things are needed."""
    yield _python()
    yield _packages()
    try:
        from advisor.settings import Settings

        settings = Settings.read()
    except (SettingsError, ImportError) as error:
        yield Finding("wrong", "settings", str(error), "Correct the variable, or unset it.")
        return
    yield Finding("ok", "settings", f"guides in {settings.corpus}, index in {settings.chroma_url or settings.index}")
    for look in (_weights, _guides, _index, _writer, _graph, _feedback, _port, _endpoint):
        yield _careful(look, settings)


def _careful(look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """One look; a package that is missing or an error on purpose is a finding, too."""
    try:
        return look(settings)
    except (AdvisorError, ImportError) as error:
        return Finding("wrong", look.__name__.strip("_"), str(error))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        return Finding("wrong", "Python", version, f"Use Python {'.'.join(map(str, OLDEST))} or newer.")
    return Finding("ok", "Python", version)


def _packages() -> Finding:
    try:
        needed = [name for name in metadata.requires(PACKAGE) or [] if "extra ==" not in name]
    except metadata.PackageNotFoundError:
        return Finding("note", "packages", f"{PACKAGE} is not installed; it runs from its source", _INSTALL)
    names = [_name(requirement) for requirement in needed]
    missing = [name for name in names if not _installed(name)]
    if missing:
        return Finding("wrong", "packages", f"missing: {', '.join(missing)}", _INSTALL)
    return Finding("ok", "packages", f"{len(names)} needed, all installed")


_INSTALL = "Run `pip install -c requirements.lock -e .` in the project's virtual environment."


def _name(requirement: str) -> str:
    end = next((at for at, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), len(requirement))
    return requirement[:end]


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _weights(settings: Settings) -> Finding:
    from advisor import embed

    name = settings.embedding_model
    if settings.embedding_url:
        embed.for_guides(settings, ()).embed(["a question"])
        return Finding("ok", "weights", f"{name} at {settings.embedding_url}, which answers")
    folder = Path(embed.weights(name))
    if name in embed.PACKAGED and not (folder / "config.json").is_file():
        return Finding("wrong", "weights", f"{folder} holds no model", _INSTALL)
    if folder.is_dir():
        return Finding("ok", "weights", f"{name} in {folder}")
    said = f"{name} is no folder and comes with no package"
    return Finding("note", "weights", said, "It is fetched when it is first needed, unless it was before.")


def _guides(settings: Settings) -> Finding:
    from advisor import corpus

    try:
        read = corpus.read(settings.corpus)
    except CorpusError as error:
        return Finding("wrong", "guides", str(error), "Correct the files, or set ADVISOR_CORPUS to another folder.")
    said = f"{len(read.guides)} guides, {len(read.passages)} passages"
    faults = "; ".join(line for lines in read.problems.values() for line in lines)
    if faults:
        return Finding("note", "guides", f"{said}; not read: {faults}", "Correct the files and run `python ingest.py`.")
    return Finding("ok", "guides", said)


def _index(settings: Settings) -> Finding:
    from advisor import index

    if not index.exists(settings):
        return Finding("note", "index", "none yet", "The first question builds it; `python ingest.py` does so now.")
    opened = index.Index.open(settings)
    if not index.complete(settings):
        return Finding("wrong", "index", "vectors are missing", "Run `python ingest.py --again`.")
    said = f"{len(opened.passages)} passages, made with {opened.model} ({opened.fingerprint})"
    if not index.fresh(settings):
        return Finding("note", "index", f"{said}; the guides have changed since", "Run `python ingest.py`.")
    return Finding("ok", "index", said)


def _writer(settings: Settings) -> Finding:
    from advisor import index

    writer = index.writer(settings)
    return Finding("ok", "writer", writer or "nobody is writing the index now")


def _graph(settings: Settings) -> Finding:
    from advisor import embed

    if settings.embedding_url:
        return Finding("ok", "graph", "none needed: an endpoint embeds")
    folder = embed.folder(settings, embed.identity(settings))
    if embed.has_graph(folder):
        return Finding("ok", "graph", "questions are embedded without sentence-transformers")
    why = "could not be exported" if folder.is_dir() else "not exported yet"
    return Finding("note", "graph", f"{why}: the first question takes some seconds longer")


def _feedback(settings: Settings) -> Finding:
    if settings.feedback is None:
        return Finding("ok", "feedback", "off")
    folder = next((parent for parent in settings.feedback.absolute().parents if parent.exists()), Path("/"))
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Finding("ok", "feedback", f"kept in {settings.feedback}")
    mend = "Set ADVISOR_FEEDBACK to another file, or to off."
    return Finding("note", "feedback", f"{settings.feedback} cannot be written", mend)


def _port(settings: Settings) -> Finding:
    place = f"{settings.host}:{settings.port}"
    try:
        family, kind, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        mend = "The page may be running already; else set ADVISOR_PORT to another port, or to 0 for any free one."
        return Finding("note", "port", f"{place} cannot be had ({error.strerror})", mend)
    return Finding("ok", "port", f"{place} is free")


def _endpoint(settings: Settings) -> Finding:
    key = settings.openai_api_key
    if not settings.llm_model:
        unused = "; the key in the environment is not used" if key else ""
        return Finding("ok", "model", f"none: answers come from the guides alone, nothing is sent anywhere{unused}")
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    base = settings.openai_base_url or "https://api.openai.com/v1"
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        with urlopen(Request(f"{base}/models", headers=headers), timeout=PATIENCE):  # noqa: S310 (settings allow http only)  # nosec B310
            pass
    except HTTPError as error:
        if error.code in (401, 403):
            said = f"{_shown(base)} refuses the key ({error.code})"
            return Finding("wrong", "model", said, "Set OPENAI_API_KEY to a valid key.")
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        mend = "Start it, or correct OPENAI_BASE_URL; without ADVISOR_LLM_MODEL answers come from the guides alone."
        return Finding("wrong", "model", f"{_shown(base)} does not answer ({reason})", mend)
    return Finding("ok", "model", f"{settings.llm_model} at {_shown(base)}, which answers")


def _shown(address: str) -> str:
    """An address without the password that may stand in it."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
