"""Versions of the index in folders of their own below ADVISOR_INDEX; the file `current` names the one in use."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import IndexBusy, IndexUnusable
from advisor.store import reading, vectors
from advisor.store.records import About, Held

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

    from advisor.settings import Settings

_FILES = "files"
"""In a manifest: every file of the version with its size."""
_MANIFEST, _UNITS = "manifest.json", "units"
_ROOM = "Set ADVISOR_INDEX to a folder with room that you may write to."


class FolderStore:
    """Versions in a folder of this machine."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.index
        self.where = str(settings.index)
        self.versions = settings.index / "versions"
        self.clients: dict[str, ClientAPI] = {}
        self.matrices: dict[str, np.ndarray | None] = {}

    def current(self) -> About | None:
        """What the version in use says of itself; None when there is none or its manifest is unreadable."""
        try:
            version = (self.folder / "current").read_text(encoding="utf-8").strip()
            return About.read(self._manifest(version), version)
        except (OSError, ValueError):
            return None

    def complete(self, about: About) -> bool:
        """Whether all is as it was written, or at least opens and has its vectors."""
        return not self._damage(about.version)

    def load(self, version: str) -> Held:
        """The version's guides, passages and units."""
        if damage := self._damage(version):
            raise OSError(f"{self.versions / version}: {damage}")
        return reading.load(self.versions / version)

    def vectors(self, version: str) -> dict[str, np.ndarray]:
        """The version's vectors by the hash of their text."""
        return vectors.by_hash(self._collection(version))

    def query(self, version: str, vector: np.ndarray, limit: int) -> list[tuple[int, float]]:
        """The units nearest to a vector."""
        matrix = self._matrix(version)
        if matrix is not None:
            return reading.nearest(matrix, vector, limit)
        return vectors.nearest(self._collection(version), vector, limit)

    def some(self, version: str, numbers: Sequence[int]) -> np.ndarray:
        """The vectors of some units, in the order of their numbers."""
        matrix = self._matrix(version)
        return vectors.some(self._collection(version), numbers) if matrix is None else matrix[list(numbers)]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time: two in one Chroma folder corrupt it silently."""
        with locked(self.folder, self.where):
            if self.versions.is_dir():  # what a killed ingest left: nobody else is writing
                for entry in os.scandir(self.versions):
                    if not (self.versions / entry.name / _MANIFEST).exists():
                        shutil.rmtree(entry.path, ignore_errors=True)
            yield

    def write(self, held: Held, hashes: list[str], matrix: np.ndarray, about: About) -> About:
        """Write a new version; its manifest comes last, so that an unfinished one is never taken for whole."""
        about = replace(about, version=f"{about.fingerprint}-{secrets.token_hex(3)}")
        folder = self.versions / about.version
        folder.mkdir(parents=True)
        try:
            vectors.fill(self._client(about.version), _UNITS, held, hashes, matrix)
            reading.write(folder, held, matrix)
            said = {**about.as_json(), _FILES: reading.sizes(folder)}
            (folder / _MANIFEST).write_text(json.dumps(said, indent=1), encoding="utf-8")
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise IndexUnusable(f"{self.where}: cannot be written ({error}). {_ROOM}") from error
        return about

    def swap(self, about: About) -> None:
        """Put a version in use; the one before stays for whoever still reads it."""
        before = self.current()
        new = self.folder / "current.new"
        new.write_text(about.version, encoding="utf-8")
        new.replace(self.folder / "current")
        kept = {about.version, before.version if before else about.version}
        for folder in self.versions.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def writer(self) -> str:
        """Who is writing now, in words; empty when nobody is."""
        if not (self.folder / "lock").is_file():
            return ""
        try:
            with locked(self.folder, self.where, patience=0):
                return ""
        except IndexBusy:
            return "an ingest on this machine"
        except IndexUnusable:
            return ""

    def _matrix(self, version: str) -> np.ndarray | None:
        if version not in self.matrices:
            self.matrices[version] = reading.vectors(self.versions / version)
        return self.matrices[version]

    def _manifest(self, version: str) -> Any:
        return json.loads((self.versions / version / _MANIFEST).read_text(encoding="utf-8"))

    def _damage(self, version: str) -> str:
        """What is wrong with a version; Chroma is asked only where its files have changed since they were written."""
        try:
            said = self._manifest(version)
            changed = reading.changed(self.versions / version, said[_FILES]) if _FILES in said else {"chroma"}
            ours = sorted(name for name in changed if "/" not in name and name != "chroma")
            if ours or not changed:
                return ", ".join(ours)
            return "" if self._collection(version).count() == said["units"] else "vectors are missing"
        except Exception as error:  # noqa: BLE001 (a damaged database raises anything; what it means is always the same)
            return str(error) or type(error).__name__

    def _collection(self, version: str) -> Collection:
        return self._client(version).get_collection(_UNITS, embedding_function=None)

    def _client(self, version: str) -> ClientAPI:
        if version not in self.clients:
            import chromadb
            from chromadb.config import Settings as Options

            path = str(self.versions / version / "chroma")
            self.clients[version] = chromadb.PersistentClient(path, settings=Options(anonymized_telemetry=False))
        return self.clients[version]


@contextmanager
def locked(folder: Path, where: str, patience: float = 0.3) -> Iterator[None]:
    """Hold the folder's lock for as long as the block; the patience, in seconds, outlasts somebody who only looks.

    Raises:
        IndexBusy: another process of this machine holds it.
        IndexUnusable: something in the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=patience):
            yield
    except Timeout:
        raise IndexBusy(f"{where}: another ingest is writing this index. Try again when it has ended.") from None
    except OSError as error:
        if error.filename and not Path(error.filename).is_relative_to(folder):
            raise  # what is wrong is elsewhere: a guide, say
        reason = os.strerror(error.errno) if error.errno else error
        raise IndexUnusable(f"{folder}: cannot be written ({reason}). {_ROOM}") from error
