"""What a version of the index holds, and how it is written down as JSON and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from advisor.types import Guide, Passage


@dataclass(frozen=True, slots=True)
class About:
    """What a version says of itself."""

    format: str
    fingerprint: str
    model: str
    units: int
    dimensions: int = 0
    """Of its vectors; 0 in versions that do not say."""
    probe: tuple[float, ...] = ()
    """The beginning of a known text's vector, where an endpoint embeds: whether it still serves the same model."""
    version: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its fields as plain values."""
        return asdict(self)

    @classmethod
    def read(cls, said: object, version: str = "") -> About | None:
        """What somebody wrote, however foreign: a format that is not ours is told as such by the index."""
        if not isinstance(said, Mapping):
            return None
        known = {field.name: said[field.name] for field in fields(cls) if field.name in said}
        if version:
            known["version"] = version
        if "probe" in known:
            known["probe"] = tuple(known["probe"])
        return cls(**{"format": "", "fingerprint": "", "model": "", "units": -1, **known})


@dataclass(frozen=True, slots=True)
class Held:
    """What a version holds besides its vectors."""

    guides: tuple[Guide, ...]
    passages: tuple[Passage, ...]
    """Those of the guides, then the known gaps."""
    units: tuple[tuple[int, str], ...]
    """What each vector stands for: (passage number, line)."""
    adapter: np.ndarray | None = None
    """What a question's vector is adapted with before the search, shape (dimensions, dimensions)."""


def guide(said: Mapping[str, Any]) -> Guide:
    """A guide as JSON gave it back."""
    asked = tuple((heading, tuple(ways)) for heading, ways in said["asked"])
    return Guide(**{**said, "roles": tuple(said["roles"]), "starters": tuple(said["starters"]), "asked": asked})


def passage(said: Mapping[str, Any]) -> Passage:
    """A passage as JSON gave it back."""
    cells = tuple((header, value) for header, value in said["cells"])
    return Passage(**{**said, "headings": tuple(said["headings"]), "cells": cells, "notes": tuple(said["notes"])})
