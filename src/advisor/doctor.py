"""Looks at everything an answer needs, and says what is wrong and how to mend it: `python -m advisor doctor`."""

from __future__ import annotations

import ipaddress
import json
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
_LARGEST = 1_000_000
"""Bytes of an endpoint's list of models that are read."""


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
    server = (_chroma,) if settings.chroma_url else ()
    for look in (_weights, _guides, *server, _index, _writer, _graph, _feedback, _port, _endpoint):
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
    try:
        faults = [fault for requirement in needed if (fault := _fault(requirement))]
    except ImportError as error:  # what reads versions is a package itself
        faults = [f"{error.name} is missing"]
    if faults:
        return Finding("wrong", "packages", "; ".join(faults), _INSTALL)
    return Finding("ok", "packages", f"{len(needed)} needed, all installed")


_INSTALL = "Run `pip install -c requirements.lock -e .` in the project's virtual environment."


def _fault(requirement: str) -> str:
    """What is wrong with a package that is needed; empty when it is there in a version that fits."""
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is missing"
    fits = wanted.specifier.contains(version, prereleases=True)
    return "" if fits else f"{wanted.name} {version} is installed, {wanted.specifier} is needed"


_WEIGHTS = ("*.safetensors", "*.bin")


def _weights(settings: Settings) -> Finding:
    from advisor import embed

    name = settings.embedding_model
    if settings.embedding_url:
        embed.for_guides(settings, ()).embed(["a question"])
        return Finding("ok", "weights", f"{name} at {settings.embedding_url}, which answers")
    folder = Path(embed.weights(name))
    if folder.is_dir():
        if (folder / "config.json").is_file() and any(path for end in _WEIGHTS for path in folder.rglob(end)):
            return Finding("ok", "weights", f"{name} in {folder}")
        mend = _INSTALL if name in embed.PACKAGED else "Set ADVISOR_EMBEDDING_MODEL to a model's name or folder."
        return Finding("wrong", "weights", f"{folder} holds no model", mend)
    said = f"{name} is no folder and comes with no package"
    return Finding("note", "weights", said, "It is fetched when it is first needed, unless it was before.")


def _guides(settings: Settings) -> Finding:
    from advisor import asked, corpus
    from advisor.vocabulary import Vocabulary

    try:
        read = corpus.read(settings.corpus)
    except CorpusError as error:
        return Finding("wrong", "guides", str(error), "Correct the files, or set ADVISOR_CORPUS to another folder.")
    Vocabulary.read(settings.corpus, read.guides, read.passages)
    asked.read(settings.corpus, read.guides, read.passages)
    asked.gaps(settings.corpus)
    said = f"{len(read.guides)} guides, {len(read.passages)} passages"
    faults = "; ".join(line for lines in read.problems.values() for line in lines)
    if faults:
        return Finding("note", "guides", f"{said}; not read: {faults}", "Correct the files and run `python ingest.py`.")
    return Finding("ok", "guides", said)


def _chroma(settings: Settings) -> Finding:
    from advisor.store import connection

    version = connection.client(settings).get_version()
    return Finding("ok", "chroma", f"{settings.chroma_url} answers, version {version}")


def _index(settings: Settings) -> Finding:
    from advisor import index

    if not index.exists(settings):
        if not _writable(settings.index):
            mend = "Set ADVISOR_INDEX to a folder that you may write to."
            return Finding("wrong", "index", f"none yet, and {settings.index} cannot be written", mend)
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
        try:
            embed.Graph(folder).embed(["a question"])
        except Exception as error:  # noqa: BLE001 (a damaged graph raises anything; what it means is always the same)
            said = f"{folder} is damaged ({type(error).__name__})"
            return Finding("wrong", "graph", said, "Remove that folder and run `python ingest.py`.")
        return Finding("ok", "graph", "questions are embedded without sentence-transformers")
    why = "could not be exported" if folder.is_dir() else "not exported yet"
    return Finding("note", "graph", f"{why}: the first question takes some seconds longer")


def _feedback(settings: Settings) -> Finding:
    if settings.feedback is None:
        return Finding("ok", "feedback", "off")
    if settings.feedback.is_dir() or not _writable(settings.feedback):
        mend = "Set ADVISOR_FEEDBACK to another file, or to off."
        return Finding("note", "feedback", f"{settings.feedback} cannot be written", mend)
    if os.name == "posix" and settings.feedback.exists() and settings.feedback.stat().st_mode & 0o077:
        mend = f"Run `chmod 600 {settings.feedback}`."
        return Finding("note", "feedback", f"others on this machine can read {settings.feedback}", mend)
    return Finding("ok", "feedback", f"kept in {settings.feedback}")


def _writable(path: Path) -> bool:
    """Whether a file or folder can be written, or made where it is to be."""
    there = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    return os.access(there, os.W_OK) and (there.is_dir() or there == path.absolute())


def _port(settings: Settings) -> Finding:
    place = f"{settings.host}:{settings.port}"
    if not (settings.auth or settings.open or _this_machine(settings.host)):
        mend = "Set ADVISOR_AUTH=user:password, or ADVISOR_OPEN=1 if everyone there may use the page."
        return Finding("wrong", "port", f"the page does not start on {place}: it would be open to others", mend)
    try:
        family, kind, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        mend = "The page may be running already; else set ADVISOR_PORT to another port, or to 0 for any free one."
        return Finding("note", "port", f"{place} cannot be had ({error.strerror})", mend)
    return Finding("ok", "port", f"{place} is free")


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


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
        with urlopen(Request(f"{base}/models", headers=headers), timeout=PATIENCE) as reply:  # noqa: S310 (settings allow http only)  # nosec B310
            models = _names(reply.read(_LARGEST))
    except HTTPError as error:
        if error.code in (401, 403):
            said = f"{_shown(base)} refuses the key ({error.code})"
            return Finding("wrong", "model", said, "Set OPENAI_API_KEY to a valid key.")
        models = []  # what keeps no list may answer all the same
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        mend = "Start it, or correct OPENAI_BASE_URL; without ADVISOR_LLM_MODEL answers come from the guides alone."
        return Finding("wrong", "model", f"{_shown(base)} does not answer ({reason})", mend)
    if models and settings.llm_model not in models:
        said = f"{_shown(base)} has no {settings.llm_model}"
        return Finding("wrong", "model", said, f"Set ADVISOR_LLM_MODEL to one of: {', '.join(models[:9])}.")
    return Finding("ok", "model", f"{settings.llm_model} at {_shown(base)}, which answers")


def _names(listed: bytes) -> list[str]:
    """The names in an endpoint's list of models; none when it is no such list."""
    try:
        return sorted(str(model["id"]) for model in json.loads(listed)["data"])
    except (ValueError, LookupError, TypeError):
        return []


def _shown(address: str) -> str:
    """An address without the password that may stand in it."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
